/**
 * A client's position in a room's log.
 *
 * @module
 */

import type { HistoryClient } from "./history_client.ts";
import { ChatError } from "./chat_error.ts";
import { GapFill } from "./gap_fill.ts";
import { isChange, type LogRecord, type StoredMessage } from "./room_state.ts";

/** Connections in a row that must fail to read what was missed before one does without, ... */
const FAILURES_MAX = 3;
/** ... and for how many milliseconds they must have failed. */
const FAILING_MS = 60_000;

/** How {@linkcode LogPosition} behaves. */
export interface LogPositionOptions {
  /** Reads messages that the connection does not bring. */
  readonly history: HistoryClient;
  /** Begin after this place; undefined for a newcomer. */
  readonly after: string | undefined;
  /** How many messages of history a newcomer gets. */
  readonly historyLength: number;
  /** Called with each record once, in the log's order, when the cursor has moved past it. */
  readonly onRecord: (record: LogRecord) => void;
  /**
   * Called where what comes next does not follow what was handed on before: messages between the
   * two are lost, or the log is another one.
   */
  readonly onGap?: () => void;
}

/**
 * How an attempt to read what was missed ended: all of it was there (`whole`), the log holds only
 * what came later (`partial`), it could not be read and should be tried again on another connection
 * (`later`), or it cannot be read at all (`unread`).
 */
export type Recovery = "whole" | "partial" | "later" | "unread";

/** The cursor of a client, which moves on, and its oldest message, which moves back. */
export class LogPosition {
  readonly #options: LogPositionOptions;
  #cursor: string | undefined;
  #oldest: string | undefined;
  /** While what was missed is read: what is live waits in it. */
  #gap: GapFill | undefined;
  #failures = 0;
  #failingSince = 0;

  /** @param options From where, and what to call. */
  constructor(options: LogPositionOptions) {
    this.#options = options;
    this.#cursor = options.after;
  }

  /** The place up to which everything was handed on. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /**
   * Hands on a record that the connection brought, or keeps it while older ones are read.
   *
   * @param record The record; one that was handed on before is passed over.
   */
  take(record: LogRecord): void {
    if (this.#gap) this.#gap.hold(record);
    else this.#handOn(record);
  }

  /**
   * Reads what a connection could not resume with. Until {@linkcode LogPosition.arrive}, what comes
   * live waits.
   *
   * @param until The place in the log where the connection stands.
   * @param signal Ends it.
   * @returns How it ended; `later` also where the signal was aborted.
   */
  async recover(until: string, signal: AbortSignal): Promise<Recovery> {
    try {
      return await this.#recover(until, signal) ? "whole" : "partial";
    } catch (error) {
      if (signal.aborted) return "later";
      if (error instanceof ChatError && !error.temporary) return "unread";
      const now = performance.now();
      if (this.#failures++ === 0) this.#failingSince = now;
      const isOver = this.#failures >= FAILURES_MAX && now - this.#failingSince >= FAILING_MS;
      return isOver ? "unread" : "later";
    }
  }

  /**
   * Moves the cursor to where the connection stands: what came before was handed on, or is lost.
   *
   * @param cursor The place.
   * @param wasRead Whether what came before it could be read.
   * @returns Hands on what is live and had to wait; its signal ends that.
   */
  arrive(cursor: string, wasRead: boolean): (signal: AbortSignal) => void {
    this.#failures = 0;
    const own = this.#cursor;
    if (own === undefined || own < cursor || !wasRead) this.#cursor = cursor;
    // A place after the one where the room stands is one of another log.
    if (own !== undefined && own > cursor && !wasRead) this.#oldest = undefined;
    if (own !== undefined && own !== cursor && !wasRead) this.#options.onGap?.();
    const held = this.#gap?.held ?? [];
    return (signal) => {
      this.#gap = undefined;
      for (const record of held) if (!signal.aborted) this.#handOn(record);
    };
  }

  /**
   * Sets the oldest message that the caller still has: what is older is loaded again.
   *
   * @param cursor Its place; undefined where the caller has none.
   */
  forgetBefore(cursor: string | undefined): void {
    this.#oldest = cursor;
  }

  /** Drops what waits: the connection that brought it is gone. */
  stop(): void {
    this.#gap = undefined;
  }

  /**
   * Reads the messages before the oldest one that was seen or loaded.
   *
   * @param limit How many at most.
   * @param signal Ends it.
   * @returns Oldest first; empty at the beginning of the log.
   * @throws {ChatError} Where the server refused, or did not answer.
   * @throws The signal's reason, once it is aborted.
   */
  async loadOlder(limit: number, signal: AbortSignal): Promise<StoredMessage[]> {
    const until = this.#cursor;
    const hasSeen = this.#oldest !== undefined;
    let before = this.#oldest;
    while (true) {
      const { messages: page } = await this.#options.history.page({ before, limit }, signal);
      // Where nothing was seen yet, the newest messages are about to come live.
      const older = hasSeen ? [...page] : page.filter(({ cursor }) => cursor <= (until ?? ""));
      if (older.length > 0) this.#oldest = older[0].cursor;
      if (older.length > 0 || page.length === 0) return older;
      before = page[0].cursor;
    }
  }

  /** Reads what was missed; true where nothing of it was lost. */
  async #recover(until: string, signal: AbortSignal): Promise<boolean> {
    const { history, historyLength } = this.#options;
    const after = this.#cursor ?? until;
    const onGap = () => this.#options.onGap?.();
    const deliver = (record: LogRecord) => {
      // What is read in pieces is read all the same.
      this.#failures = 0;
      this.#handOn(record);
    };
    const gap = this.#gap = new GapFill({ history, after, until, deliver, onGap });
    if (until >= after) {
      try {
        return await gap.fill(signal);
      } catch (error) {
        if (!(error instanceof ChatError && error.code === "bad_cursor")) throw error;
      }
    }
    // The cursor belongs to another log than this one, so the client is a newcomer.
    const limit = historyLength;
    const newest = limit > 0 ? (await history.page({ limit }, signal)).messages : [];
    this.#cursor = this.#oldest = undefined;
    onGap();
    for (const message of newest) {
      this.#handOn(message);
      signal.throwIfAborted();
    }
    return false;
  }

  #handOn(record: LogRecord): void {
    if (this.#cursor !== undefined && record.cursor <= this.#cursor) return;
    this.#cursor = record.cursor;
    if (!isChange(record)) this.#oldest ??= record.cursor;
    this.#options.onRecord(record);
  }
}

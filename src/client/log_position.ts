/**
 * What one has seen of a room's log, and how one gets the rest.
 *
 * @module
 */

import type { Message } from "../protocol/mod.ts";
import type { HistoryClient } from "./history_client.ts";
import { ChatError } from "./chat_error.ts";
import { GapFill } from "./gap_fill.ts";

/** What {@linkcode LogPosition} needs. */
export interface ReaderOptions {
  /** Where messages are read that the connection does not bring. */
  readonly archive: HistoryClient;
  /** Begin after this place; undefined for a newcomer. */
  readonly after: string | undefined;
  /** How many messages of history a newcomer gets. */
  readonly history: number;
  /** Takes each message once, in the log's order, when the cursor has moved past it. */
  readonly onMessage: (message: Message) => void;
}

/** A place in the log, which moves on, and the oldest place that was seen, which moves back. */
export class LogPosition {
  readonly #options: ReaderOptions;
  #cursor: string | undefined;
  #oldest: string | undefined;
  /** While what was missed is read: what is live waits in it. */
  #gap: GapFill | undefined;

  /** @param options From where, and who gets what is read. */
  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#cursor = options.after;
  }

  /** The place up to which everything was handed on. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /**
   * Takes a message that the connection brought.
   *
   * @param message The message; one that was handed on before is passed over.
   */
  take(message: Message): void {
    if (this.#gap) this.#gap.hold(message);
    else this.#handOn(message);
  }

  /**
   * Reads what a connection could not resume with. Until {@linkcode LogPosition.arrive}, what comes live
   * waits.
   *
   * @param until The place in the log where the connection stands.
   * @param signal Ends it.
   * @returns True where nothing was lost.
   * @throws {ChatError} Where the server refused, or did not answer.
   * @throws The signal's reason, once it is aborted.
   */
  async recover(until: string, signal: AbortSignal): Promise<boolean> {
    const { archive, history } = this.#options;
    const after = this.#cursor ?? until;
    const deliver = (message: Message) => this.#handOn(message);
    const gap = this.#gap = new GapFill({ archive, after, until, deliver });
    if (until >= after) {
      try {
        return await gap.fill(signal);
      } catch (error) {
        if (!(error instanceof ChatError && error.code === "bad_cursor")) throw error;
      }
    }
    // The cursor belongs to another log than this one, so one is a newcomer.
    const newest = history > 0 ? await archive.page({ limit: history }, signal) : [];
    this.#cursor = this.#oldest = undefined;
    for (const message of newest) {
      this.#handOn(message);
      signal.throwIfAborted();
    }
    return false;
  }

  /**
   * Takes note that everything up to a place was handed on, or is lost.
   *
   * @param cursor The place.
   * @param wasRead Whether what came before it could be read.
   * @returns Goes on with what is live, where some had to wait; its signal ends that.
   */
  arrive(cursor: string, wasRead: boolean): (signal: AbortSignal) => void {
    const own = this.#cursor;
    if (own === undefined || own < cursor || !wasRead) this.#cursor = cursor;
    // A place after the one where the room stands is one of another log.
    if (own !== undefined && own > cursor && !wasRead) this.#oldest = undefined;
    const held = this.#gap?.held ?? [];
    return (signal) => {
      this.#gap = undefined;
      for (const message of held) if (!signal.aborted) this.#handOn(message);
    };
  }

  /** Forgets what waits: the connection that brought it is gone. */
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
  async loadOlder(limit: number, signal: AbortSignal): Promise<Message[]> {
    const until = this.#cursor;
    const hasSeen = this.#oldest !== undefined;
    let before = this.#oldest;
    while (true) {
      const page = await this.#options.archive.page({ before, limit }, signal);
      // Where nothing was seen yet, the newest messages are about to come live.
      const older = hasSeen ? page : page.filter(({ cursor }) => cursor <= (until ?? ""));
      if (older.length > 0) this.#oldest = older[0].cursor;
      if (older.length > 0 || page.length === 0) return older;
      before = page[0].cursor;
    }
  }

  #handOn(message: Message): void {
    if (this.#cursor !== undefined && message.cursor <= this.#cursor) return;
    this.#cursor = message.cursor;
    this.#oldest ??= message.cursor;
    this.#options.onMessage(message);
  }
}

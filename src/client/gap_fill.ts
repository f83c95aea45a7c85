/**
 * Messages that a resumed connection did not bring.
 *
 * @module
 */

import { PAGE_MAX } from "../protocol/mod.ts";
import type { HistoryClient } from "./history_client.ts";
import type { LogRecord, StoredMessage } from "./room_state.ts";

/** Live messages that wait while older ones are read; with more, they are read as well. */
const HELD_MAX = 1_000;

/** How {@linkcode GapFill} behaves. */
export interface GapFillOptions {
  /** Reads the missing messages. */
  readonly history: HistoryClient;
  /** The place after which they are missing. */
  readonly after: string;
  /** The place up to which they are missing. */
  readonly until: string;
  /** Called with each of them, in the log's order. */
  readonly deliver: (record: LogRecord) => void;
  /** Called before the first of them, where the log no longer holds what stood before it. */
  readonly onGap: () => void;
}

/**
 * Fills the gap between what a client has seen and what is live: reads it over HTTP, while what
 * comes live waits. Keeps a bounded number of messages, however long it takes.
 */
export class GapFill {
  readonly #options: GapFillOptions;
  /** The place up to which the log must be read. */
  #until: string;
  #held: LogRecord[] = [];

  /** @param options From where to where, and what to call. */
  constructor(options: GapFillOptions) {
    this.#options = options;
    this.#until = options.until;
  }

  /** The messages that came live after those that were read, and maybe some that were. */
  get held(): readonly LogRecord[] {
    return this.#held;
  }

  /**
   * Keeps a record that came live.
   *
   * @param record The record.
   */
  hold(record: LogRecord): void {
    if (this.#held.length >= HELD_MAX) {
      this.#until = this.#held[this.#held.length - 1].cursor;
      this.#held = [];
    }
    this.#held.push(record);
  }

  /**
   * Reads what is missing and delivers it.
   *
   * @param signal Ends it.
   * @returns True where nothing can have been lost, false where the log may begin too late.
   * @throws {ChatError} Where the server refused, or did not answer.
   * @throws The signal's reason, once it is aborted.
   */
  async fill(signal: AbortSignal): Promise<boolean> {
    const { history, deliver, onGap } = this.#options;
    let { after } = this.#options;
    let isWhole: boolean | undefined;
    while (after < this.#until) {
      const until = this.#until;
      const page = await history.page({ after, limit: PAGE_MAX }, signal);
      if (isWhole === undefined) {
        isWhole = await this.#isWhole(page.messages, signal);
        if (!isWhole) onGap();
      }
      for (const record of page.records) {
        // The application may close the connection when it is handed a message.
        signal.throwIfAborted();
        deliver(record);
      }
      // A page is bounded in bytes, too: a short one need not be the last.
      after = page.newer === undefined ? page.records.at(-1)?.cursor ?? until : page.newer ?? until;
    }
    return isWhole ?? true;
  }

  /** Whether the log still holds what stood just before the first missing message. */
  async #isWhole(
    [first]: readonly StoredMessage[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { history, after } = this.#options;
    const { messages: [previous] } = await history.page(
      { before: first?.cursor, limit: 1 },
      signal,
    );
    return previous !== undefined && previous.cursor <= after;
  }
}

/**
 * Counting of what a user has not read, over HTTP.
 *
 * @module
 */

import { PAGE_MAX } from "../protocol/mod.ts";
import { ChatError } from "./chat_error.ts";
import type { HistoryClient } from "./history_client.ts";
import type { StoredMessage } from "./room_state.ts";
import type { UnreadTotal } from "./unread_total.ts";

/** What stands for more than 99. */
export const UNREAD_MAX = 100;
/** Pages of a log that are read for one count: of a longer one the beginning counts. */
const PAGES_MAX = 3;

/** A piece of a log. */
export interface LogRange {
  /** The place after which it begins. */
  readonly after: string;
  /** The place before which it ends. */
  readonly before: string;
}

/** How {@linkcode UnreadCount} behaves. */
export interface UnreadCountOptions {
  /** Reads messages. */
  readonly history: Pick<HistoryClient, "page">;
  /** Aborted when the client has ended. */
  readonly closing: AbortSignal;
  /** Milliseconds before it is tried again where the server could not be reached. */
  readonly retryMs: number;
  /** Tells whether a message counts. */
  readonly isNews: (message: StoredMessage) => boolean;
  /** Tells whether a message mentions the user. */
  readonly isMention: (message: StoredMessage) => boolean;
  /** Gives what is to be counted, at the time when it is. */
  readonly range: () => LogRange;
  /** Called with the result, unless it was stopped or started again meanwhile. */
  readonly onCount: (total: UnreadTotal) => void;
}

/** Counts what the connection does not bring: the last count that was started is the one that holds. */
export class UnreadCount {
  readonly #options: UnreadCountOptions;
  #run = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param options What to count. */
  constructor(options: UnreadCountOptions) {
    this.#options = options;
    options.closing.addEventListener("abort", () => this.stop());
  }

  /** Counts; a count that is under way is given up for it. Those of one turn are one. */
  start(): void {
    this.stop();
    const { signal } = this.#run = new AbortController();
    queueMicrotask(() => void this.#try(signal));
  }

  /** Gives a count up. */
  stop(): void {
    this.#run.abort();
    clearTimeout(this.#timer);
  }

  async #try(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      const total = await this.#count(signal);
      if (!signal.aborted) this.#options.onCount(total);
    } catch (error) {
      if (signal.aborted || error instanceof ChatError && !error.temporary) return;
      this.#timer = setTimeout(() => void this.#try(signal), this.#options.retryMs);
    }
  }

  async #count(signal: AbortSignal): Promise<UnreadTotal> {
    const { history, isNews, isMention, range } = this.#options;
    const { after, before } = range();
    let [unread, mentions] = [0, 0];
    let first: string | undefined;
    let next: string | null | undefined = after;
    for (let pages = 0; typeof next === "string" && pages < PAGES_MAX; pages++) {
      const page = await history.page({ after: next, limit: PAGE_MAX }, signal);
      for (const message of page.messages) {
        if (message.cursor >= before || unread === UNREAD_MAX) {
          return { unread, mentions, first };
        }
        if (!isNews(message)) continue;
        unread++;
        first ??= message.cursor;
        if (isMention(message)) mentions++;
      }
      next = page.newer;
    }
    return { unread, mentions, first };
  }
}

/**
 * What becomes of a message that repeats another.
 *
 * @module
 */

import type { Problem } from "../protocol/mod.ts";
import type { LogRecord } from "../store/entry.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { FirstMessage } from "./deduplication_window.ts";
import type { PublishResult } from "./publish_result.ts";
import type { RecentMessages } from "./recent_messages.ts";

/** How {@linkcode DuplicateResults} behaves. */
export interface DuplicateResultsOptions {
  /** The name of the room. */
  readonly room: string;
  /** Its newest messages. */
  readonly recent: Pick<RecentMessages, "get">;
  /** The rooms' logs. */
  readonly log: Pick<RoomLog, "get">;
  /** Receives operational events. Must not throw. */
  readonly logger: Logger;
  /** The hub's counters. */
  readonly metrics: Metrics;
}

/** What a sender sent again. */
export interface SentAgain {
  /** Its `ref`; undefined where the store repeated a write by itself. */
  readonly ref?: string;
  /** The hash of what was sent. */
  readonly hash?: number;
}

/** Finds the results of messages that repeat another. */
export class DuplicateResults {
  readonly #options: DuplicateResultsOptions;

  /** @param options Where the first messages are. */
  constructor(options: DuplicateResultsOptions) {
    this.#options = options;
  }

  /**
   * Finds a result: the first one's message, also where it has left memory, or `ref_reused` where
   * that said something else.
   *
   * @param first The message that is repeated.
   * @param sent What its sender sent again.
   * @param answer Called exactly once: at once where the first one is in memory.
   */
  find(first: FirstMessage, sent: SentAgain, answer: (result: PublishResult) => void): void {
    const { metrics, recent } = this.#options;
    const { hash, ref } = sent;
    if (hash !== undefined && first.hash !== undefined && hash !== first.hash) {
      return answer({ status: "refused", problem: refReused(ref) });
    }
    metrics.repeats++;
    const kept = recent.get(first.cursor);
    if (kept) return answer({ status: "duplicate", record: kept });
    void this.#read(first.cursor).then((record) => {
      if (record) return answer({ status: "duplicate", record });
      const message = "The message was stored before, and cannot be read now";
      answer({ status: "refused", problem: { code: "unavailable", message, ref } });
    });
  }

  /** Reads a record from the log; undefined where that fails. */
  async #read(cursor: string): Promise<LogRecord | undefined> {
    const { log, logger, metrics, room } = this.#options;
    try {
      return await log.get(room, cursor);
    } catch (error) {
      metrics.readFailures++;
      logger("error", "read_failed", { room, error });
      return undefined;
    }
  }
}

/**
 * Makes the problem of a `ref` that another message of the same sender has.
 *
 * @param ref The `ref`.
 * @returns The problem.
 */
export function refReused(ref: string | undefined): Problem {
  return { code: "ref_reused", message: 'Another message of yours has this "ref" already', ref };
}

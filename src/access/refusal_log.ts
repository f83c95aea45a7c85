/**
 * Log lines about limits that were reached.
 *
 * @module
 */

import type { Logger } from "../telemetry/logger.ts";

/** Milliseconds between two lines about one limit. */
const PAUSE_MS = 60_000;
/** Limits whose last line is remembered; there are some ten of them. */
const LIMITS_MAX = 100;

/** The options of {@linkcode RefusalLog}. */
export interface RefusalLogOptions {
  /** Receives the lines. */
  readonly logger: Logger;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/**
 * Logs `limit_reached` at most once a minute for each limit, with the address that reached it and
 * how often it has been reached since the line before.
 *
 * @example
 * ```ts
 * import { RefusalLog } from "./refusal_log.ts";
 *
 * const refusals = new RefusalLog({ logger: console.log });
 * refusals.add("address", "192.0.2.1"); // warn limit_reached { limit: "address", … }
 * ```
 */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #limits = new Map<string, { loggedAt: number; count: number }>();

  /**
   * Creates the log.
   *
   * @param options What receives the lines.
   */
  constructor({ logger, now = () => performance.now() }: RefusalLogOptions) {
    this.#logger = logger;
    this.#now = now;
  }

  /**
   * Adds a refusal.
   *
   * @param limit The limit that was reached: one of few names, never one from outside.
   * @param address The address or network that reached it, if that is known.
   */
  add(limit: string, address: string | undefined): void {
    let last = this.#limits.get(limit);
    if (!last) {
      if (this.#limits.size >= LIMITS_MAX) return;
      this.#limits.set(limit, last = { loggedAt: -Infinity, count: 0 });
    }
    last.count++;
    if (this.#now() - last.loggedAt < PAUSE_MS) return;
    this.#logger("warn", "limit_reached", { limit, address, times: last.count });
    Object.assign(last, { loggedAt: this.#now(), count: 0 });
  }
}

/**
 * Calls of foreign code that must not disturb what calls it.
 *
 * @module
 */

import { guardLogger, type Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";

/** Where {@linkcode Guard} reports to. */
export interface GuardOptions {
  /** Receives operational events; may throw. */
  readonly logger: Logger;
  /** The hub's counters. */
  readonly metrics: Metrics;
}

/**
 * Runs callbacks and fan-outs of an embedding program so that one that throws stops
 * nothing: what it throws is counted, and logged the first time in a row.
 *
 * @example
 * ```ts
 * import { jsonLogger, Metrics } from "@hubbub/hub";
 * import { Guard } from "./guard.ts";
 *
 * const metrics = new Metrics();
 * const guard = new Guard({ logger: jsonLogger(), metrics });
 * guard.run("answer_failed", () => {
 *   throw new Error("nobody asked");
 * });
 * console.log(metrics.hookFailures); // 1
 * ```
 */
export class Guard {
  /** The logger: one that throws is counted. */
  readonly logger: Logger;
  readonly #metrics: Metrics;
  /** Events of what goes on failing: they were logged the first time. */
  readonly #failing = new Set<string>();

  /**
   * Creates a guard that has seen no failure.
   *
   * @param options Where it reports to.
   */
  constructor({ logger, metrics }: GuardOptions) {
    this.logger = guardLogger(logger, metrics);
    this.#metrics = metrics;
  }

  /**
   * Runs foreign code.
   *
   * @param event The name of the event where it throws.
   * @param action The code.
   * @returns Whether it did not throw.
   */
  run(event: string, action: () => void): boolean {
    try {
      action();
    } catch (error) {
      this.failed(event, error);
      return false;
    }
    if (this.#failing.size > 0) this.#failing.delete(event);
    return true;
  }

  /**
   * Counts a failure, and logs it unless the last call failed too.
   *
   * @param event The name of the event.
   * @param error What was thrown.
   */
  failed(event: string, error: unknown): void {
    this.#metrics.hookFailures++;
    if (this.#failing.has(event)) return;
    this.#failing.add(event);
    this.logger("error", event, { error });
  }
}

/**
 * Whether foreign code gave a promise, or anything else with a `then`.
 *
 * @param value What it gave.
 * @returns Whether it can be waited for.
 */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}

/**
 * A bound on how long the hook that authorizes may take.
 *
 * @module
 */

import type { AuthorizeTarget } from "./authorization.ts";
import { type HttpError, httpError, retryAfter } from "./http_error.ts";
import { isThenable } from "../telemetry/guard.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Milliseconds that the hook has where nothing else is said. */
export const AUTHORIZE_TIMEOUT_MS = 10_000;
/** Milliseconds between two log lines: a hook that hangs does so for every request. */
const LOG_PAUSE_MS = 60_000;

/** The options of {@linkcode AuthorizeDeadline}. */
export interface AuthorizeDeadlineOptions {
  /** Milliseconds that an answer may take. @default {10000} */
  readonly timeoutMs?: number;
  /** The counters. */
  readonly metrics: Pick<Metrics, "authorizeTimeouts">;
  /** Receives the line about answers that came too late. */
  readonly logger: Logger;
}

/**
 * Waits for the hook as long as it may take. What it answers at once needs no timer. Answers that
 * come too late are counted, and logged once a minute with how many they were.
 *
 * @example
 * ```ts
 * import { Metrics } from "@hubbub/hub";
 * import { AuthorizeDeadline } from "./authorize_deadline.ts";
 *
 * const metrics = new Metrics();
 * const deadline = new AuthorizeDeadline({ timeoutMs: 20, metrics, logger() {} });
 * const hanging = () => new Promise<never>(() => {});
 * await deadline.run("lobby", hanging).catch(({ problem }) => {
 *   console.log(problem.code, metrics.authorizeTimeouts); // unavailable 1
 * });
 * ```
 */
export class AuthorizeDeadline {
  readonly #options: AuthorizeDeadlineOptions;
  readonly #waiting = new Set<(error: HttpError) => void>();
  #loggedAt = -Infinity;
  #times = 0;

  /** @param options How long it may take, and what is told of it. */
  constructor(options: AuthorizeDeadlineOptions) {
    this.#options = options;
  }

  /**
   * Calls the hook.
   *
   * @param room The room, if it is about one.
   * @param call Calls it with what it is asked about.
   * @returns What it returns; a promise only where the hook gives one.
   * @throws {HttpError} `unavailable`, where the answer does not come in time; the promise rejects.
   * @throws Whatever the hook throws.
   */
  run<T>(
    room: string | undefined,
    call: (target: AuthorizeTarget) => T | PromiseLike<T>,
  ): T | Promise<T> {
    let controller: AbortController | undefined;
    const answer = call({
      ...(room !== undefined && { room }),
      get signal() {
        return (controller ??= new AbortController()).signal;
      },
    });
    if (!isThenable(answer)) return answer;
    const { timeoutMs = AUTHORIZE_TIMEOUT_MS } = this.#options;
    return new Promise<T>((resolve, reject) => {
      const giveUp = (error: HttpError) => {
        settle();
        reject(error);
        controller?.abort(new DOMException("The answer came too late", "TimeoutError"));
      };
      const timer = setTimeout(() => giveUp(this.#late(room, timeoutMs)), timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        this.#waiting.delete(giveUp);
      };
      this.#waiting.add(giveUp);
      // Asked once: a query of a database may be a thenable that runs each time.
      void Promise.resolve(answer).then(resolve, reject).then(settle);
    });
  }

  /** Waits for nothing any more: the server has stopped. */
  stop(): void {
    const error = httpError("draining", "The server is stopping", retryAfter());
    for (const giveUp of this.#waiting) giveUp(error);
  }

  #late(room: string | undefined, timeoutMs: number): HttpError {
    const { logger, metrics } = this.#options;
    metrics.authorizeTimeouts++;
    this.#times++;
    const now = performance.now();
    if (now - this.#loggedAt >= LOG_PAUSE_MS) {
      logger("error", "authorize_late", { room, timeoutMs, times: this.#times });
      this.#loggedAt = now;
      this.#times = 0;
    }
    return httpError("unavailable", "What you may do could not be found out in time", retryAfter());
  }
}

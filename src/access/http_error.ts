/**
 * Errors of HTTP requests.
 *
 * @module
 */

import type { ErrorCode, Problem } from "../protocol/mod.ts";

/** Seconds after which a client of a stopping, full or failing server should retry. */
const RETRY_AFTER_SECONDS = 2;

/** An error of a request, which is answered in JSON with the status of its code. */
export class HttpError extends Error {
  /** Error code and reason. */
  readonly problem: Problem;
  /** Headers of the response. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * Creates the error.
   *
   * @param problem Error code and reason.
   * @param headers Headers of the response.
   */
  constructor(problem: Problem, headers: Readonly<Record<string, string>> = {}) {
    // Where it was made tells nobody anything, and finding out takes most of the time of a refusal.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(problem.message);
    Error.stackTraceLimit = stackTraceLimit;
    this.problem = problem;
    this.headers = headers;
  }
}

/**
 * Creates the error of a request.
 *
 * @param code Error code.
 * @param message Reason, in a sentence.
 * @param headers Headers of the response.
 * @returns The error, to be thrown.
 */
export function httpError(
  code: ErrorCode,
  message: string,
  headers?: Readonly<Record<string, string>>,
): HttpError {
  return new HttpError({ code, message }, headers);
}

/**
 * Creates the error of a request that a room has refused.
 *
 * @param problem What the room says.
 * @returns The error, to be thrown; it says when to try again, but for what does not pass by itself.
 */
export function problemError(problem: Problem): HttpError {
  const { code, retry_after_ms } = problem;
  const isForGood = (code === "banned" || code === "muted") && retry_after_ms === undefined;
  return new HttpError(problem, isForGood ? {} : retryAfter(retry_after_ms));
}

/**
 * Creates the header `Retry-After`.
 *
 * @param ms Milliseconds to wait. @default {2000}
 * @returns The header, in whole seconds.
 */
export function retryAfter(ms: number = 1000 * RETRY_AFTER_SECONDS): Record<string, string> {
  return { "retry-after": String(Math.max(1, Math.ceil(ms / 1000))) };
}

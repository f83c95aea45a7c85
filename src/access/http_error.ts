/**
 * Requests that are not served, and why.
 *
 * @module
 */

import type { ErrorCode, Problem } from "../protocol/mod.ts";

/** Seconds after which whoever met a stopping, full or failing server should ask again. */
const RETRY_AFTER_SECONDS = 2;

/** Thrown where a request cannot be served; becomes a JSON error with the status of its code. */
export class HttpError extends Error {
  /** What is wrong. */
  readonly problem: Problem;
  /** Headers of the response. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * Makes a refusal.
   *
   * @param problem What is wrong.
   * @param headers Headers of the response.
   */
  constructor(problem: Problem, headers: Readonly<Record<string, string>> = {}) {
    super(problem.message);
    this.problem = problem;
    this.headers = headers;
  }
}

/**
 * Makes a refusal.
 *
 * @param code Which error it is.
 * @param message What is wrong, in a sentence.
 * @param headers Headers of the response.
 * @returns The refusal, to be thrown.
 */
export function httpError(
  code: ErrorCode,
  message: string,
  headers?: Readonly<Record<string, string>>,
): HttpError {
  return new HttpError({ code, message }, headers);
}

/**
 * Makes the header that says when to ask again.
 *
 * @param ms Milliseconds to wait. @default {2000}
 * @returns The header, in whole seconds.
 */
export function retryAfter(ms: number = 1000 * RETRY_AFTER_SECONDS): Record<string, string> {
  return { "retry-after": String(Math.max(1, Math.ceil(ms / 1000))) };
}

/**
 * What can go wrong for a client.
 *
 * @module
 */

import { type ErrorCode, ERRORS, type Problem } from "../protocol/mod.ts";

/**
 * Why something was refused: a code of the protocol; or, where no server was asked, `closed` (the
 * connection has ended for good), `queue_full` (too many messages wait to be sent), or
 * `unreachable` (no answer, or none that makes sense).
 */
export type ChatErrorCode = ErrorCode | "closed" | "queue_full" | "unreachable";

/** What a {@linkcode ChatError} tells beside its message. */
export interface ChatErrorOptions {
  /** For programs. */
  readonly code: ChatErrorCode;
  /** Whether the same may succeed later. */
  readonly temporary: boolean;
  /** Milliseconds after which another try makes sense, where that is known. */
  readonly retryAfterMs?: number;
}

/**
 * Something that a connection was asked for and that did not happen.
 *
 * @example
 * ```ts
 * import { ChatError } from "@hubbub/hub/client";
 *
 * const error = new ChatError("Too many messages", { code: "queue_full", temporary: true });
 * if (error.temporary) console.log(`Try again later: ${error.message}`);
 * ```
 */
export class ChatError extends Error {
  /** Always `ChatError`. */
  override readonly name = "ChatError";
  /** For programs. */
  readonly code: ChatErrorCode;
  /** Whether the same may succeed later. */
  readonly temporary: boolean;
  /** Milliseconds after which another try makes sense, where that is known. */
  readonly retryAfterMs: number | undefined;

  /**
   * Makes an error.
   *
   * @param message What is wrong, in a sentence.
   * @param options The same for programs.
   */
  constructor(message: string, options: ChatErrorOptions) {
    super(message);
    this.code = options.code;
    this.temporary = options.temporary;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * Makes an error of what the server said.
 *
 * @param problem The payload of an `error` envelope, or the `error` of an HTTP answer.
 * @returns The error.
 */
export function errorOf(problem: Problem): ChatError {
  const { code, message, retry_after_ms: retryAfterMs } = problem;
  return new ChatError(message, { code, temporary: isTemporary(code), retryAfterMs });
}

/**
 * Tells whether a request that met with an error may succeed later.
 *
 * @param code The code; one that this version does not know counts as final.
 * @returns True where it may.
 */
export function isTemporary(code: string): boolean {
  return Object.hasOwn(ERRORS, code) && ERRORS[code as ErrorCode].temporary;
}

/**
 * Errors of a client.
 *
 * @module
 */

import { type ErrorCode, ERRORS, type Problem } from "../protocol/mod.ts";

/**
 * Why something was refused: a code of the protocol; a code with which the hub ends a stay in a room
 * (`kicked`, `banned`, `room_deleted`); or, where no server was asked, `closed` (the connection has
 * ended for good, or the room was left), `queue_full` (too many messages wait to be sent),
 * `ref_reused` (a message with that ref and another text waits), or `unreachable` (no answer of the
 * server's own).
 */
export type ChatErrorCode =
  | ErrorCode
  | "kicked"
  | "banned"
  | "room_deleted"
  | "closed"
  | "queue_full"
  | "unreachable";

/** What a {@linkcode ChatError} holds beside its message. */
export interface ChatErrorOptions {
  /** For programs. */
  readonly code: ChatErrorCode;
  /** Whether the same may succeed later. */
  readonly temporary: boolean;
  /** Milliseconds after which another try makes sense, where that is known. */
  readonly retryAfterMs?: number;
}

/**
 * Error of a request or a message that failed.
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
 * Makes an error of the payload of an `error` envelope.
 *
 * @param problem The payload.
 * @returns The error.
 */
export function errorOf(problem: Problem): ChatError {
  const { code, message, retry_after_ms: retryAfterMs } = problem;
  return new ChatError(message, { code, temporary: isTemporary(code), retryAfterMs });
}

/**
 * Tells whether a request that met with an error may succeed later.
 *
 * @param code The code.
 * @returns True where it may; also for a code that this version does not know: nothing says that
 * it is final.
 */
export function isTemporary(code: string): boolean {
  return !isErrorCode(code) || ERRORS[code].temporary;
}

/**
 * Tells whether this version knows an error code.
 *
 * @param code The code.
 * @returns True where it does.
 */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/**
 * Error codes, and the errors that carry them.
 *
 * @module
 */

import type { Ref } from "./identifiers.ts";

/**
 * The error codes, each with its HTTP status and whether the same request may succeed later
 * (`temporary`) or must be changed first.
 *
 * @example
 * ```ts
 * import { ERRORS } from "@hubbub/hub/protocol";
 *
 * console.log(ERRORS.rate_limited); // { status: 429, temporary: true }
 * ```
 */
export const ERRORS = {
  bad_frame: { status: 400, temporary: false },
  unknown_type: { status: 400, temporary: false },
  unknown_field: { status: 400, temporary: false },
  bad_text: { status: 400, temporary: false },
  text_too_long: { status: 413, temporary: false },
  bad_data: { status: 400, temporary: false },
  bad_emoji: { status: 400, temporary: false },
  bad_ref: { status: 400, temporary: false },
  bad_room: { status: 400, temporary: false },
  bad_user: { status: 400, temporary: false },
  bad_query: { status: 400, temporary: false },
  bad_cursor: { status: 400, temporary: false },
  bad_body: { status: 400, temporary: false },
  bad_handshake: { status: 400, temporary: false },
  bad_host: { status: 400, temporary: false },
  unauthorized: { status: 401, temporary: false },
  forbidden: { status: 403, temporary: false },
  not_accepted: { status: 403, temporary: false },
  muted: { status: 403, temporary: false },
  banned: { status: 403, temporary: false },
  not_found: { status: 404, temporary: false },
  room_deleted: { status: 410, temporary: false },
  ref_reused: { status: 409, temporary: false },
  too_many_reactions: { status: 409, temporary: false },
  already_joined: { status: 409, temporary: false },
  not_joined: { status: 409, temporary: false },
  method_not_allowed: { status: 405, temporary: false },
  body_too_large: { status: 413, temporary: false },
  misdirected: { status: 421, temporary: false },
  upgrade_required: { status: 426, temporary: false },
  too_many_rooms: { status: 429, temporary: false },
  rate_limited: { status: 429, temporary: true },
  too_many_connections: { status: 429, temporary: true },
  internal: { status: 500, temporary: true },
  not_supported: { status: 501, temporary: false },
  not_stored: { status: 503, temporary: true },
  draining: { status: 503, temporary: true },
  unavailable: { status: 503, temporary: true },
} as const satisfies Record<string, { status: number; temporary: boolean }>;

/** The name of an error: a key of {@linkcode ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** An error, for programs (`code`) and for people (`message`). */
export interface Problem {
  /** Error code. */
  readonly code: ErrorCode;
  /** Reason, in a sentence. */
  readonly message: string;
  /** The `ref` of the message concerned, if it had one. */
  readonly ref?: Ref;
  /**
   * Milliseconds after which a retry makes sense, if that is known.
   *
   * @minimum 0
   */
  readonly retry_after_ms?: number;
}

/** An error of protocol 2, which says what was refused. */
export interface ProblemV2 extends Problem {
  /** The type of the envelope that was refused; left out where it had none, or no legible one. */
  readonly for?: string;
}

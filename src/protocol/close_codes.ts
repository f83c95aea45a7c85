/**
 * Close codes of WebSocket connections.
 *
 * @module
 */

/**
 * The close codes of the server, and whether a client should reconnect after each. After codes of
 * 4000–4499 it should, after 4500–4999 not until something changes; the others are those of RFC
 * 6455, section 7.4.1.
 *
 * @example
 * ```ts
 * import { CLOSE_CODES } from "@hubbub/hub/protocol";
 *
 * console.log(CLOSE_CODES.tooSlow); // { code: 4008, reconnect: true }
 * ```
 */
export const CLOSE_CODES = {
  goingAway: { code: 1001, reconnect: true },
  tooBig: { code: 1009, reconnect: false },
  internalError: { code: 1011, reconnect: true },
  draining: { code: 4000, reconnect: true },
  tooSlow: { code: 4008, reconnect: true },
  notAllowed: { code: 4501, reconnect: false },
  putOut: { code: 4503, reconnect: false },
  roomDeleted: { code: 4504, reconnect: false },
  tooManyBadFrames: { code: 4509, reconnect: false },
} as const satisfies Record<string, { code: number; reconnect: boolean }>;

/**
 * Whether a client should reconnect after a close.
 *
 * @param code The close code; 0, 1005 and 1006 (no close frame was seen) count as a lost network.
 * @returns True if it should, with backoff.
 *
 * @example
 * ```ts
 * import { shouldReconnect } from "@hubbub/hub/protocol";
 *
 * shouldReconnect(4008); // true: it was too slow and may resume
 * shouldReconnect(4501); // false: it is not allowed in
 * ```
 */
export function shouldReconnect(code: number): boolean {
  for (const known of Object.values(CLOSE_CODES)) if (known.code === code) return known.reconnect;
  return code < 4500;
}

/**
 * Codes and reasons of a close.
 *
 * @module
 */

import { CLOSE_CODES, shouldReconnect } from "../protocol/mod.ts";

/** UTF-8 bytes that the reason of a close may have (RFC 6455, section 5.5). */
const REASON_MAX_BYTES = 123;

/**
 * Tells whether a close ends a connection for good.
 *
 * @param code The close code.
 * @param reason The reason.
 * @returns True where the server said so. A frame that is too big for the server closes with a
 * reason; without one a proxy has closed, whose limits are smaller.
 */
export function isFinalClose(code: number, reason: string): boolean {
  return !shouldReconnect(code) && !(code === CLOSE_CODES.tooBig.code && reason === "");
}

/**
 * Checks what a client gives when it closes, also where there is no socket to check it.
 *
 * @param code The close code.
 * @param reason The reason.
 * @throws {DOMException} Where WebSocket takes no such code or reason.
 */
export function checkClose(code: number, reason: string): void {
  if (code !== 1000 && !(Number.isInteger(code) && code >= 3000 && code <= 4999)) {
    const message = `Cannot close with code ${code}: it must be 1000, or 3000 to 4999`;
    throw new DOMException(message, "InvalidAccessError");
  }
  if (new TextEncoder().encode(reason).length <= REASON_MAX_BYTES) return;
  const message = `Cannot close: the reason is longer than ${REASON_MAX_BYTES} bytes`;
  throw new DOMException(message, "SyntaxError");
}

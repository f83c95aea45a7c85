/**
 * Subprotocols of WebSocket.
 *
 * @module
 */

/** The subprotocol with one envelope in each text frame; the default if a client offers none. */
export const PROTOCOL_V1 = "hubbub.v1";

/** The subprotocol with one or more envelopes in each text frame, separated by `\n`. */
export const PROTOCOL_V1_LINES = "hubbub.v1.lines";

/**
 * The subprotocol of version 2, with many rooms on one connection: one or more envelopes in each
 * text frame, separated by `\n`.
 */
export const PROTOCOL_V2 = "hubbub.v2";

/** A subprotocol of version 1. */
export type Subprotocol = typeof PROTOCOL_V1 | typeof PROTOCOL_V1_LINES;

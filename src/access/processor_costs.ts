/**
 * What work costs the processor.
 *
 * @module
 */

/**
 * Milliseconds of a request: the connection it may have come on, its head, its handler, its answer.
 * Found with profiles of `deno task abuse`, as what the hub's thread took in all, by how much there was.
 */
export const REQUEST_MS = 0.8;
/** The same for a request that is refused by a limit. */
export const REFUSAL_MS = 0.2;
/** Milliseconds of the opening and the end of a WebSocket. */
export const SOCKET_MS = 0.7;
/**
 * Milliseconds for each byte of an answer that was read from the store: decoded, folded, encoded and
 * sent. Of text full of escapes, which takes fourteen times as long as plain text: 315 kB took 9 ms,
 * and 20 where all of it was edited.
 */
export const ANSWER_MS_PER_BYTE = 3e-5;
/** Milliseconds of finding where one of a user's rooms ends, for the order of all of them. */
export const OVERVIEW_HEAD_MS = 0.05;
/** Milliseconds of a room in the answer about a user's rooms. */
export const OVERVIEW_ROOM_MS = 1.5;
/** Milliseconds of a frame, and of each UTF-16 code unit in it: it may hold many envelopes. */
const FRAME_MS = 0.1;
const FRAME_MS_PER_UNIT = 15e-5;
/** Milliseconds of a join, and of each message of history that it asks for. */
const JOIN_MS = 0.4;
const HISTORY_MS_PER_MESSAGE = 0.02;

/**
 * What a join costs.
 *
 * @param history Messages of history that it asks for.
 * @returns Milliseconds.
 */
export function joinCostMs(history: number): number {
  return JOIN_MS + HISTORY_MS_PER_MESSAGE * history;
}

/**
 * What a frame costs.
 *
 * @param length Its length in UTF-16 code units, or in bytes.
 * @returns Milliseconds.
 */
export function frameCostMs(length: number): number {
  return FRAME_MS + FRAME_MS_PER_UNIT * length;
}

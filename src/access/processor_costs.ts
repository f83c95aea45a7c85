/**
 * What work costs the processor beyond what can be measured where it is begun.
 *
 * @module
 */

/**
 * Milliseconds of a request besides its handler: the connection it may have come on, its head, its
 * answer. Measured with `deno task abuse`, as what the hub's thread took in all, by how much there was.
 */
export const REQUEST_MS = 0.5;
/** The same for a request that is refused by a limit. */
export const REFUSAL_MS = 0.2;
/** Milliseconds of the opening and the end of a WebSocket. */
export const SOCKET_MS = 0.7;
/** Milliseconds for each byte of an answer that was read from the store: decoded, encoded, sent. */
export const ANSWER_MS_PER_BYTE = 4e-6;
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

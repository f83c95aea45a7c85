/**
 * How a room is joined.
 *
 * @module
 */

import { checkBoolean, checkInteger } from "../protocol/checks.ts";
import { HISTORY_DEFAULT, HISTORY_MAX } from "../protocol/mod.ts";

/** Messages of a room that are kept, where nothing else is set. */
export const KEEP_DEFAULT = 1_000;

/** Options of `ChatClient.room()`. */
export interface RoomOptions {
  /** Messages of history for a newcomer, at most 100. @default {10} */
  readonly history?: number;
  /**
   * Whether the user is shown as here, and sees who else is and who types. Without, the room costs
   * less: for a list of rooms.
   *
   * @default {true}
   */
  readonly presence?: boolean;
  /**
   * Stored messages that the snapshot keeps, the newest ones; with {@linkcode Room.loadOlder} it
   * keeps as many more as were loaded.
   *
   * @default {1000}
   */
  readonly keep?: number;
}

/** Options that were checked, with nothing left out. */
export interface CheckedRoomOptions extends Required<RoomOptions> {
  /** Begin after this place, rather than with history. @default {history} */
  readonly after?: string;
}

/**
 * Checks options, and adds what is left out.
 *
 * @param options The options.
 * @returns All of them.
 * @throws {TypeError} Where one is of another type.
 * @throws {RangeError} Where a number is out of range.
 */
export function roomOptionsOf(options: RoomOptions): CheckedRoomOptions {
  const { history = HISTORY_DEFAULT, presence = true, keep = KEEP_DEFAULT } = options;
  checkInteger("history", history, { max: HISTORY_MAX });
  checkBoolean("presence", presence);
  checkInteger("keep", keep, { min: 1 });
  return { history, presence, keep };
}

/**
 * The contract of what a store keeps of users: the rooms they were in, and how far they have read.
 *
 * @module
 */

import { commitOf, cursorAt, ENTRY_MAX_RECORDS, TAG_MAX } from "./cursor.ts";

/** Rooms whose marks one call may move. */
export const MARKS_MAX = 500;

/** How far a user has read a room: the commit of the newest record that was read. */
export type ReadMark = string;

/**
 * The rooms that users were in, with their read marks. One mark a user and room, which only ever grows,
 * whichever connection moves it, in whichever order. It counts for whole commits, and may come back a little greater
 * than it was set: it then counts for commits of the same moment too, but never for a commit that was
 * made after the mark was.
 *
 * Every method rejects with a `StoreTimeoutError` where the database does not answer in time.
 */
export interface UserRooms {
  /**
   * Writes rooms down for a user, and moves their marks, but for those that are past that already.
   *
   * @param user The user.
   * @param marks By room, up to where the user has read it. At most {@linkcode MARKS_MAX}.
   */
  mark(user: string, marks: ReadonlyMap<string, ReadMark>): Promise<void>;
  /**
   * Reads the rooms of a user.
   *
   * @param user The user.
   * @returns By room, the mark; sorted by the rooms' names.
   */
  list(user: string): Promise<ReadonlyMap<string, ReadMark>>;
  /**
   * Forgets rooms of a user, with their marks.
   *
   * @param user The user.
   * @param rooms The rooms; those that are not written down are passed over.
   */
  forget(user: string, rooms: Iterable<string>): Promise<void>;
}

/**
 * Makes the mark of a place.
 *
 * @param cursor The cursor of the newest record that was read.
 * @returns The mark of its commit.
 */
export function markOf(cursor: string): ReadMark {
  return commitOf(cursor);
}

/**
 * Gives the place after which everything is unread.
 *
 * @param mark A mark.
 * @returns A cursor that is greater than that of every record of the mark's commit, and names none.
 */
export function placeAfter(mark: ReadMark): string {
  return cursorAt(mark, 2 * ENTRY_MAX_RECORDS - 1, TAG_MAX);
}

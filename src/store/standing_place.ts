/**
 * Places that a log still knows.
 *
 * @module
 */

import type { RoomLog } from "./room_log.ts";

/**
 * Tells whether a log is still the one in which a place stood.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param cursor A place that stood in its log.
 * @returns False where the database was put back to an earlier state; true where the record is there,
 * and where the room was deleted since.
 * @throws Whatever the store rejects with.
 */
export async function isOfThisLog(
  log: Pick<RoomLog, "has" | "meta">,
  room: string,
  cursor: string,
): Promise<boolean> {
  return await log.has(room, cursor) || (await log.meta(room)).from > cursor;
}

/**
 * Where the logs of rooms end.
 *
 * @module
 */

import type { RoomLog } from "../store/room_log.ts";
import type { WatchedRoom } from "./watched_room.ts";

/** What a look at rooms found. */
export interface Heads {
  /** By room, the cursor of its newest record. */
  readonly heads: ReadonlyMap<string, string>;
  /** Whether a room stands at a place that its log has not: the database was put back. */
  readonly isLost: boolean;
}

/**
 * Reads where the logs of rooms end.
 *
 * @param log The logs.
 * @param rooms The rooms.
 * @returns What was found.
 * @throws Whatever the store rejects with.
 */
export async function readHeads(
  log: Pick<RoomLog, "heads" | "isLost">,
  rooms: Iterable<WatchedRoom>,
): Promise<Heads> {
  const stood = [...rooms].map(({ name, cursor }) => ({ name, cursor }));
  const read = await log.heads(stood.map(({ name }) => name));
  const heads = new Map(stood.map(({ name }, index) => [name, read[index]]));
  // Where a log does not end where its room stands, it may be another one: the place must be there.
  const lost = await Promise.all(stood.map(({ name, cursor }) => {
    return heads.get(name) !== cursor && log.isLost(name, cursor);
  }));
  return { heads, isLost: lost.includes(true) };
}

/**
 * The state of a room, whether it is in memory or not.
 *
 * @module
 */

import type { Presence } from "../cluster/presence.ts";
import type { RoomState } from "../protocol/mod.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { RoomTable } from "./room_table.ts";

/**
 * Reads where a room stands and who is in it.
 *
 * @param room The room's name.
 * @param hub The hub's rooms, who is in them, and their logs.
 * @returns The state.
 * @throws Whatever the store rejects with where the room cannot be read.
 */
export async function readRoomState(
  room: string,
  { rooms, presence, log }: {
    readonly rooms: RoomTable;
    readonly presence: Presence;
    readonly log: Pick<RoomLog, "head">;
  },
): Promise<RoomState> {
  const found = rooms.find(room);
  // Brought into memory for as long as the others take to tell who is there.
  const shared = found ?? (presence.isShared ? rooms.obtain(room) : undefined);
  using _hold = shared?.hold();
  const known = shared && presence.open(room);
  await found?.open();
  await known;
  const cursor = found?.cursor ?? await log.head(room);
  const users = presence.users(room);
  return { room, cursor, users, typing: shared?.typing.users() ?? [] };
}

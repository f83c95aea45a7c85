/**
 * The list of a user's rooms, in a component.
 *
 * @module
 */

// @ts-types="npm:@types/react@^19"
import { useSyncExternalStore } from "npm:react@^19";
import type { RoomListSnapshot } from "../client/mod.ts";
import { useChatClient } from "./chat_context.ts";

/** What is shown where a page is made on a server. */
const AT_FIRST: RoomListSnapshot = Object.freeze({
  status: "idle",
  rooms: Object.freeze([]),
  error: undefined,
});

/**
 * Gives the rooms that the user has been in, with what is unread in each, live.
 *
 * @returns The list of now: `{status, rooms, error}`.
 * @throws {Error} Where there is no {@linkcode ChatProvider} above.
 *
 * @example
 * ```ts
 * import { useRooms } from "@hubbub/hub/react";
 * import { createElement } from "react";
 *
 * export function Channels({ open }: { open: (room: string) => void }) {
 *   const channels = useRooms().rooms.map(({ room, unread }) => {
 *     const badge = unread > 0 && createElement("b", {}, unread > 99 ? "99+" : unread);
 *     return createElement("li", { key: room, onClick: () => open(room) }, room, badge);
 *   });
 *   return createElement("ul", {}, channels);
 * }
 * ```
 */
export function useRooms(): RoomListSnapshot {
  const { rooms } = useChatClient();
  return useSyncExternalStore(rooms.subscribe, () => rooms.snapshot, () => AT_FIRST);
}

/**
 * A room, in a component.
 *
 * @module
 */

// @ts-types="npm:@types/react@^19"
import { useSyncExternalStore } from "npm:react@^19";
import type { JsonObject, Room, RoomOptions, RoomSnapshot } from "../client/mod.ts";
import { useChatClient } from "./chat_context.ts";

/** A room, and its state. */
export interface RoomInUse<Data extends JsonObject = JsonObject> {
  /** The room, to send to: the same object in each rendering. */
  readonly room: Room<Data>;
  /** Its state of now. */
  readonly snapshot: RoomSnapshot<Data>;
}

/** What is shown where a page is made on a server. */
const AT_FIRST: RoomSnapshot = Object.freeze({
  status: "idle",
  messages: Object.freeze([]),
  typing: Object.freeze([]),
  users: Object.freeze([]),
  userCount: 0,
  names: new Map<string, string>(),
  hasOlder: false,
  unread: 0,
  mentions: 0,
  firstUnread: undefined,
  role: undefined,
  muted: undefined,
  error: undefined,
});

/**
 * Joins a room for as long as the component is there, and gives its state. However many components
 * use it, it is joined once; it is left with the last of them.
 *
 * @param name The room's name.
 * @param options How it is joined; those of the first call that has any hold.
 * @returns The room, and its state of now.
 * @throws {TypeError} Where the name is none, or an option of another type.
 * @throws {RangeError} Where a number is out of range.
 * @throws {Error} Where there is no {@linkcode ChatProvider} above.
 *
 * @example
 * ```ts
 * import { useRoom } from "@hubbub/hub/react";
 * import { createElement } from "react";
 *
 * export function Messages({ name }: { name: string }) {
 *   const { room, snapshot: { messages } } = useRoom(name, { history: 50 });
 *   const items = messages.map((message) => {
 *     const onClick = () => room.react(message, "👍");
 *     return createElement("li", { key: message.ref ?? message.cursor, onClick }, message.text);
 *   });
 *   return createElement("ul", {}, items);
 * }
 * ```
 */
export function useRoom<Data extends JsonObject = JsonObject>(
  name: string,
  options?: RoomOptions,
): RoomInUse<Data> {
  const room = useChatClient().room<Data>(name, options);
  const snapshot = useSyncExternalStore(
    room.subscribe,
    () => room.snapshot,
    () => AT_FIRST as RoomSnapshot<Data>,
  );
  return { room, snapshot };
}

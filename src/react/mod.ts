"use client";

/**
 * Hooks for React 18 and later: a room, the list of rooms with what is unread in each, and who is
 * typing, live in components.
 *
 * @example A channel list and a room
 * ```ts
 * import { createClient } from "@hubbub/hub/client";
 * import { ChatProvider, useRoom, useRooms } from "@hubbub/hub/react";
 * import { createElement } from "react";
 * import { renderToString } from "react-dom/server";
 *
 * function Channels() {
 *   const { rooms } = useRooms();
 *   return createElement("ul", {}, rooms.map(({ room, unread }) => {
 *     return createElement("li", { key: room }, `${room} ${unread}`);
 *   }));
 * }
 *
 * function Lobby() {
 *   const { snapshot: { messages, status } } = useRoom("lobby");
 *   return createElement("p", {}, `${messages.length} messages, ${status}`);
 * }
 *
 * const client = createClient("http://localhost:8000", { user: "ann" });
 * const page = createElement(ChatProvider, { client }, createElement(Channels), createElement(Lobby));
 * console.log(renderToString(page)); // <ul></ul><p>0 messages, idle</p>
 * client.close();
 * ```
 *
 * @module
 */

export { ChatProvider, type ChatProviderProps, useChatClient } from "./chat_context.ts";
export { useConnection } from "./use_connection.ts";
export { type RoomInUse, useRoom } from "./use_room.ts";
export { useRooms } from "./use_rooms.ts";
export { type TypingInUse, useTyping } from "./use_typing.ts";

/**
 * Client for browsers, Deno and Node: `createClient` for many rooms on one connection, as snapshots
 * for a view; `connect` for one room, as events. It reconnects by itself, resumes where it was, and neither
 * loses nor doubles a message on the way, in or out. It gives up only where the server itself says
 * that another try is in vain.
 *
 * @example Chat
 * ```ts
 * import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
 * import { connect } from "@hubbub/hub/client";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using server = createServer(new Hub(new KvRoomLog(kv)));
 * await using http = Deno.serve({ hostname: "127.0.0.1", port: 0 }, server.fetch);
 * const url = `http://127.0.0.1:${http.addr.port}`;
 *
 * await using chat = connect(url, { room: "lobby", user: "ann" });
 * const stored = chat.send("hello");
 * for await (const message of chat) {
 *   console.log(message.user, message.text);
 *   if (message.cursor === (await stored).cursor) break;
 * }
 * ```
 *
 * @module
 */

import { ChatClient, type ClientOptions } from "./chat_client.ts";
import { ChatConnection } from "./chat_connection.ts";
import type { ConnectOptions } from "./chat_events.ts";

export { ChatClient, ChatConnection };
export type { ClientOptions, ConnectOptions };
export type { ClientSnapshot } from "./chat_client.ts";
export { ChatError, type ChatErrorCode, type ChatErrorOptions } from "./chat_error.ts";
export type {
  ChangedMessage,
  ChatEvents,
  ConnectionOptions,
  ConnectionState,
  JoinedRoom,
  SendOptions,
  UserLists,
} from "./chat_events.ts";
export { ChatTarget } from "./chat_target.ts";
export {
  type MessageEdit,
  type MessageName,
  type PagePlace,
  Room,
  type RoomDraft,
} from "./room.ts";
export type { Arrived, RoomObserver } from "./room_observer.ts";
export type { ListedRoom } from "./listed_room.ts";
export { RoomList, type RoomListSnapshot } from "./room_list.ts";
export { RoomSanctions, type SanctionDraft } from "./room_sanctions.ts";
export type { Muted } from "./room_standing.ts";
export type { RoomOptions } from "./room_options.ts";
export type {
  MessageStatus,
  PendingChange,
  RoomMessage,
  RoomSnapshot,
  RoomStatus,
  StoredMessage,
} from "./room_state.ts";
export type { UnsentStorage } from "./unsent_store.ts";
export type { SocketConstructor, SocketLike } from "./socket_like.ts";
export type {
  ChangeKind,
  ErrorCode,
  JsonObject,
  Limits,
  LimitsV2,
  MessageChange,
  PresentUser,
} from "../protocol/mod.ts";
export type {
  Problem,
  ProblemV2,
  Reaction,
  Role,
  Sanction,
  SanctionKind,
} from "../protocol/mod.ts";

/**
 * Opens a connection for many rooms.
 *
 * @param url The server's base, with `http:`, `https:`, `ws:` or `wss:`; its path is kept, with or
 * without a slash at its end.
 * @param options Who connects, and how the connection behaves.
 * @returns The client, at once: its `snapshot` tells how far it has come.
 * @throws {TypeError} Where the URL or the user is none, or there is no WebSocket.
 * @throws {RangeError} Where a number is out of range.
 *
 * @example
 * ```ts
 * import { createClient } from "@hubbub/hub/client";
 *
 * const client = createClient("https://chat.example.com", { user: "ann" });
 * const lobby = client.room("lobby", { history: 50 });
 * const unsubscribe = lobby.subscribe(() => {
 *   const { status, messages, typing } = lobby.snapshot;
 *   console.log(status, messages.length, typing);
 * });
 * lobby.typing();
 * unsubscribe(); // leaves the room
 * client.close();
 * ```
 */
export function createClient(url: string | URL, options: ClientOptions = {}): ChatClient {
  return new ChatClient(url, options);
}

/**
 * Joins a room and stays in it: the short form of {@linkcode createClient} for one room, as events.
 *
 * @param url The server's base, with `http:`, `https:`, `ws:` or `wss:`; its path is kept, with or
 * without a slash at its end.
 * @param options The room, the user, and how the connection behaves.
 * @returns The connection, at once: its `state` tells how far it has come.
 * @throws {TypeError} Where the URL, the room or the user is none, or there is no WebSocket.
 * @throws {RangeError} Where a number is out of range.
 *
 * @example
 * ```ts
 * import { connect } from "@hubbub/hub/client";
 *
 * const token = () => fetch("/token").then((response) => response.text());
 * const chat = connect("https://chat.example.com", { room: "lobby", token });
 * chat.addEventListener("state", ({ detail }) => console.log(detail.status));
 * chat.addEventListener("message", ({ detail }) => console.log(detail.user, detail.text));
 * chat.close();
 * ```
 */
export function connect(url: string | URL, options: ConnectOptions): ChatConnection {
  return new ChatConnection(url, options);
}

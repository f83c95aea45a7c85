/**
 * Client for browsers, Deno and Node. It reconnects by itself, resumes where it was, and neither
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
 *   if (message.id === (await stored).id) break;
 * }
 * ```
 *
 * @module
 */

import { ChatConnection } from "./chat_connection.ts";
import type { ConnectOptions } from "./chat_events.ts";

export { ChatConnection };
export { ChatError, type ChatErrorCode, type ChatErrorOptions } from "./chat_error.ts";
export type { ChatEvents, ConnectionState, SendOptions, UserLists } from "./chat_events.ts";
export { ChatTarget } from "./chat_target.ts";
export type { ConnectOptions };
export type { SocketConstructor, SocketLike } from "./socket_like.ts";
export type {
  ErrorCode,
  JoinedEnvelope,
  Limits,
  Message,
  PresenceEnvelope,
} from "../protocol/mod.ts";
export type { Problem, TypingStatusEnvelope } from "../protocol/mod.ts";

/**
 * Joins a room and stays in it.
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

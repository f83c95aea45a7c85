/**
 * A durable, ordered chat hub. Every message of a room is kept in Deno KV before anyone sees it;
 * all members see the same messages in the same order, with no gap and no double, also across
 * reconnects.
 *
 * @example A chat server
 * ```ts
 * import { createServer, Hub, RoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:"); // a path, or nothing on Deno Deploy
 * const chat = createServer(new Hub(new RoomLog(kv)));
 * const http = Deno.serve({ hostname: "127.0.0.1", port: 0 }, chat.fetch);
 * console.log(`The chat page is at http://127.0.0.1:${http.addr.port}/`);
 *
 * await chat.drain(); // stores what was taken, and tells members to come back
 * await http.shutdown();
 * ```
 *
 * @example With routes, users and rules of one's own
 * ```ts
 * import { createServer, Hub, RoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * const hub = new Hub(new RoomLog(kv), {
 *   moderate: ({ text }) => text.includes("spam") ? { refused: "No spam, please" } : { text },
 * });
 * await using chat = createServer(hub, {
 *   authorize: (request) => {
 *     const user = request.headers.get("x-user"); // say, set by a proxy that knows the user
 *     return user ? { user } : { denied: "Please log in" };
 *   },
 * });
 * const handler = (request: Request, info?: Deno.ServeHandlerInfo<Deno.NetAddr>) => {
 *   if (new URL(request.url).pathname === "/") return new Response("My own start page");
 *   return chat.fetch(request, info); // /rooms/…, /r/…, /health, /metrics
 * };
 * const body = JSON.stringify({ text: "hello" });
 * const headers = { "x-user": "ann" };
 * const url = "http://localhost/rooms/lobby/messages";
 * const response = await handler(new Request(url, { method: "POST", body, headers }));
 * console.log(response.status, await response.json()); // 201 { id: "01…", … }
 * ```
 *
 * @module
 */

export type { ConnectionInfo } from "./address.ts";
export type { EntryLimits } from "./admission.ts";
export { type Authorize, type Denial, type Pass, tokenAuthorizer, tokenOf } from "./auth.ts";
export type { TokenOptions } from "./auth.ts";
export { type Configuration, readConfiguration, VARIABLES } from "./configuration.ts";
export { describeEntry } from "./configuration.ts";
export type { Entry, LogRecord } from "./entry.ts";
export { type MetricsSnapshot, renderMetrics } from "./exposition.ts";
export type { SampledMetric, SampledValue } from "./exposition.ts";
export { BroadcastChannelFanout, type Fanout } from "./fanout.ts";
export { Frame } from "./frame.ts";
export type { Histogram } from "./histogram.ts";
export { Hub, type HubOptions, type RoomState } from "./hub.ts";
export { type ReadOptions, type Repeat, RoomLog, type RoomLogOptions } from "./log.ts";
export type { KeySetOptions } from "./key_set.ts";
export { jsonLogger, type JsonLoggerOptions, type Level, type Logger } from "./logger.ts";
export { Metrics, type Tally } from "./metrics.ts";
export type { Moderate, Sender, Verdict } from "./moderation.ts";
export type { JoinOptions } from "./newcomers.ts";
export type { Outcome } from "./outbox.ts";
export type {
  AlivePacket,
  AskPacket,
  ByePacket,
  MessagesPacket,
  Packet,
  PresencePacket,
  RosterPacket,
  TypingPacket,
} from "./packet.ts";
export type { Draft, Limits, Message, Problem } from "./protocol.ts";
export type { Member, Seat, SeatState } from "./seat.ts";
export { createServer, type Server, type ServerOptions } from "./server.ts";

/**
 * A durable, ordered chat hub. Every message of a room is kept in Deno KV before anyone sees it;
 * all members see the same messages in the same order, with no gap and no double, also across
 * reconnects.
 *
 * @example A chat server
 * ```ts ignore
 * import { createServer, Hub, RoomLog } from "@hubbub/hub";
 *
 * const kv = await Deno.openKv();
 * const hub = new Hub(new RoomLog(kv));
 * const server = createServer(hub);
 * Deno.serve({ port: 8000 }, server.fetch);
 * ```
 *
 * @module
 */

export type { ConnectionInfo } from "./address.ts";
export type { EntryLimits } from "./admission.ts";
export { type Authorize, type Denial, type Pass, tokenAuthorizer } from "./auth.ts";
export type { TokenOptions } from "./auth.ts";
export { type Configuration, readConfiguration, VARIABLES } from "./configuration.ts";
export { describeEntry } from "./configuration.ts";
export type { Entry, LogRecord } from "./entry.ts";
export { type MetricsSnapshot, renderMetrics } from "./exposition.ts";
export type { SampledMetric, SampledValue } from "./exposition.ts";
export {
  type AlivePacket,
  type AskPacket,
  BroadcastChannelFanout,
  type ByePacket,
  type Fanout,
  type MessagesPacket,
  type Packet,
  type PresencePacket,
  type RosterPacket,
  type TypingPacket,
} from "./fanout.ts";
export { Frame } from "./frame.ts";
export type { Histogram } from "./histogram.ts";
export { Hub, type HubOptions, type RoomState } from "./hub.ts";
export { type ReadOptions, type Repeat, RoomLog, type RoomLogOptions } from "./log.ts";
export type { KeySetOptions } from "./key_set.ts";
export { jsonLogger, type JsonLoggerOptions, type Level, type Logger } from "./logger.ts";
export { Metrics, type Tally } from "./metrics.ts";
export type { Moderate, Sender, Verdict } from "./moderation.ts";
export type { Outcome } from "./outbox.ts";
export type { Draft, Limits, Message, Problem } from "./protocol.ts";
export type { JoinOptions } from "./room.ts";
export type { Member, Seat, SeatState } from "./seat.ts";
export { createServer, type Server, type ServerOptions } from "./server.ts";

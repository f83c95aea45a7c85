/**
 * A durable, ordered chat hub. Every message of a room is kept in Deno KV before anyone sees it;
 * all members see the same messages in the same order, with no gap and no double, also across
 * reconnects.
 *
 * @example A chat server
 * ```ts
 * import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:"); // a path, or nothing on Deno Deploy
 * const chat = createServer(new Hub(new KvRoomLog(kv)));
 * const http = Deno.serve({ hostname: "127.0.0.1", port: 0 }, chat.fetch);
 * console.log(`The chat page is at http://127.0.0.1:${http.addr.port}/`);
 *
 * await chat.drain(); // stores what was taken, and tells members to come back
 * await http.shutdown();
 * ```
 *
 * @example With routes, users and rules of one's own
 * ```ts
 * import { createServer, Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * const hub = new Hub(new KvRoomLog(kv), {
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

export { BroadcastChannelFanout } from "./cluster/broadcast_channel_fanout.ts";
export type { Fanout, FanoutHub } from "./cluster/fanout.ts";
export type { ConnectionInfo } from "./access/client_address.ts";
export type { ConnectionLimitSettings } from "./access/connection_limit_settings.ts";
export {
  type Authorization,
  type AuthorizationDenied,
  type Authorize,
  type AuthorizeTarget,
} from "./access/authorization.ts";
export { type TokenAuthorize, tokenAuthorizer, type TokenOptions } from "./access/token_auth.ts";
export type { KeySetTokenOptions, SecretTokenOptions, TokenClaims } from "./access/token_auth.ts";
export type { IssuerKeysOptions } from "./access/issuer_keys.ts";
export { tokenOf } from "./access/request_token.ts";
export { createServer, type Server } from "./http/server.ts";
export type { ServerOptions } from "./http/server_options.ts";
export { EnvelopeBatch, type EnvelopeBatchOptions } from "./hub/envelope_batch.ts";
export type { EnvelopesV2, StatusChange } from "./hub/envelope_batch.ts";
export { Hub } from "./hub/hub.ts";
export type { ErasureProgress, HubDeletions } from "./hub/hub_deletions.ts";
export type { HubSanctions } from "./hub/hub_sanctions.ts";
export type { HubHooks, Stay } from "./hub/hooks.ts";
export type { HubOptions } from "./hub/hub_options.ts";
export type { JoinOptions } from "./hub/joining.ts";
export type { Moderate, ModerateOptions, Sender, Verdict } from "./hub/moderation.ts";
export type { ChangeOptions, ChangeResult } from "./hub/publish_result.ts";
export type { Past, PublishOptions, PublishResult } from "./hub/publish_result.ts";
export type { Member, Subscription, SubscriptionState } from "./hub/member.ts";
export type { ReaderMarks } from "./hub/read_marks.ts";
export type {
  ChangeDraft,
  ChangeKind,
  Cursor,
  DeleteDraft,
  Draft,
  EditDraft,
  Emoji,
  ErrorCode,
  JsonObject,
  Limits,
  Message,
  MessageChange,
  MessageExtras,
  MessageText,
  Problem,
  Reaction,
  ReactionDraft,
  Ref,
  Role,
  RoomName,
  RoomRole,
  RoomState,
  Sanction,
  SanctionBody,
  SanctionKind,
  UserName,
} from "./protocol/mod.ts";
export type { LogEntry, LogRecord } from "./store/entry.ts";
export { KvRoomLog } from "./store/kv/kv_room_log.ts";
export type { KvRoomLogOptions } from "./store/kv/kv_room_log_options.ts";
export type { BudgetedAppend, CommitBudget } from "./store/commit_budget.ts";
export type { ChangeRecord, ControlRecord, MessageChangeRecord } from "./store/change.ts";
export type { StoredBase, StoredChange, StoredControl } from "./store/change.ts";
export type { StoredMessageChange } from "./store/change.ts";
export { MessageState } from "./store/message_state.ts";
export type { RefHash } from "./store/ref_hash.ts";
export type {
  ChangeClaim,
  ChangeEntry,
  ChangeWrites,
  StateItem,
  StateWrite,
} from "./store/change_entry.ts";
export type { ChangesOptions, MessageStates, StatesOptions } from "./store/read_options.ts";
export type { Compaction } from "./store/compaction.ts";
export type { Growth } from "./store/growth.ts";
export type { RoomLog } from "./store/room_log.ts";
export { PlaceLostError } from "./store/place_lost.ts";
export type { ReadOptions } from "./store/read_options.ts";
export type { ErasedCounts, OnErased, RoomMeta } from "./store/room_meta.ts";
export type { StoreEvent } from "./store/store_event.ts";
export type { ReadMark, UserRooms } from "./store/user_rooms.ts";
export { jsonLogger, type JsonLoggerOptions, type Level, type Logger } from "./telemetry/logger.ts";
export { type ConnectionCounts, Metrics, type WaitingCounts } from "./telemetry/metrics.ts";
export { type MetricsSnapshot, renderMetrics } from "./telemetry/prometheus.ts";

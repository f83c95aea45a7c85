/**
 * The wire protocol, versions 1 and 2: envelopes, names, limits, error codes and close codes.
 *
 * Runs in browsers, Deno and Node alike and imports nothing but its own parts, so that a client and
 * the server cannot disagree.
 *
 * @example Read what a client sent
 * ```ts
 * import { decodeClientEnvelope } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeClientEnvelope('{"type":"chat_message","payload":{"text":"hello"}}');
 * if (decoded.ok) console.log(decoded.envelope.type);
 * else console.log(decoded.error.code, decoded.error.message);
 * ```
 *
 * @module
 */

export { PROTOCOL_V1, PROTOCOL_V1_LINES, PROTOCOL_V2 } from "./subprotocol.ts";
export type { Subprotocol } from "./subprotocol.ts";
export { decodeRoom, decodeUser } from "./names.ts";
export type { Cursor, Emoji, MessageText, Ref, RoomName, UserName } from "./identifiers.ts";
export { decodeDraft } from "./message.ts";
export type { Draft, Message, MessageExtras } from "./message.ts";
export { findMentions } from "./mentions.ts";
export { decodeCursor } from "./message_fields.ts";
export type { DecodeOptions } from "./message_fields.ts";
export { decodeData } from "./json_object.ts";
export type { JsonObject } from "./json_object.ts";
export { decodeDelete, decodeEdit, decodeEmoji, decodeReaction } from "./change.ts";
export type {
  ChangeDraft,
  ChangeFields,
  ChangeKind,
  DeleteDraft,
  EditDraft,
  MessageChange,
  Reaction,
  ReactionDraft,
} from "./change.ts";
export { decodeClientEnvelope } from "./client_envelope.ts";
export type {
  AuthenticateEnvelope,
  ClientEnvelope,
  PingEnvelope,
  SendEnvelope,
  SendTypingEnvelope,
} from "./client_envelope.ts";
export { decodeClientEnvelopeV2 } from "./client_decoder_v2.ts";
export type { DecodedClientEnvelopeV2 } from "./client_decoder_v2.ts";
export type {
  AuthenticateEnvelopeV2,
  ClientEnvelopeV2,
  DeleteEnvelopeV2,
  EditEnvelopeV2,
  JoinEnvelopeV2,
  JoinPayloadV2,
  LeaveEnvelopeV2,
  PingEnvelopeV2,
  ReactEnvelopeV2,
  SendEnvelopeV2,
  SendReadEnvelopeV2,
  SendTypingEnvelopeV2,
} from "./client_envelope_v2.ts";
export { decodeServerEnvelope } from "./server_envelope.ts";
export type {
  ChatMessageEnvelope,
  DrainingEnvelope,
  ErrorEnvelope,
  JoinedEnvelope,
  MessageChangedEnvelope,
  PongEnvelope,
  PresenceEnvelope,
  ServerEnvelope,
  TypingStatusEnvelope,
  UserErasedEnvelope,
} from "./server_envelope.ts";
export { decodeServerEnvelopeV2 } from "./server_envelope_v2.ts";
export type {
  ChatMessageEnvelopeV2,
  DrainingEnvelopeV2,
  ErrorEnvelopeV2,
  JoinedEnvelopeV2,
  LeftCode,
  LeftEnvelopeV2,
  MessageChangedEnvelopeV2,
  MessageV2,
  PongEnvelopeV2,
  PresenceEnvelopeV2,
  PresentUser,
  ReadEnvelopeV2,
  RoleEnvelopeV2,
  ServerEnvelopeV2,
  TypingStatusEnvelopeV2,
  UserErasedEnvelopeV2,
  WelcomeEnvelopeV2,
} from "./server_envelope_v2.ts";
export type { Role, RoomRole } from "./role.ts";
export type {
  ErrorBody,
  HealthBody,
  MessageBody,
  MessagePage,
  PatchBody,
  PostBody,
  RoomState,
} from "./http_body.ts";
export type {
  ImportBody,
  ImportedMessage,
  ImportResult,
  RoomList,
  SanctionList,
} from "./operator_body.ts";
export type { ReadBody, ReadResult, UnreadCounts, UserRoom, UserRoomList } from "./user_body.ts";
export { encodeEnvelope } from "./envelope.ts";
export type { Decoded } from "./decoded.ts";
export { decodeSanction } from "./sanction.ts";
export type { Sanction, SanctionBody, SanctionKind } from "./sanction.ts";
export { ERRORS } from "./problem.ts";
export type { ErrorCode, Problem, ProblemV2 } from "./problem.ts";
export { CLOSE_CODES, shouldReconnect } from "./close_codes.ts";
export {
  CURSOR_MAX_LENGTH,
  DATA_MAX_BYTES,
  DATA_MAX_DEPTH,
  DEDUPLICATION_WINDOW,
  EMOJI_MAX_BYTES,
  FRAME_MAX_LENGTH,
  HISTORY_DEFAULT,
  HISTORY_MAX,
  PAGE_CHANGES_MAX,
  PAGE_DEFAULT,
  PAGE_MAX,
  REACTION_KINDS_MAX,
  REACTION_USERS_LISTED_MAX,
  REACTIONS_MAX,
  REF_MAX_LENGTH,
  ROOMS_MAX_DEFAULT,
  TEXT_MAX_BYTES_DEFAULT,
  TOKEN_MAX_LENGTH,
  TYPING_TIMEOUT_MS,
  USERS_LISTED_MAX,
} from "./limits.ts";
export type { Limits, LimitsV2 } from "./limits.ts";
export { decodeImported, type Imported } from "./imported_message.ts";

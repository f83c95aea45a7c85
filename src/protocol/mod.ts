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
export type { Cursor, MessageText, Ref, RoomName, UserName } from "./identifiers.ts";
export { decodeDraft } from "./message.ts";
export type { DecodeOptions, Draft, Message } from "./message.ts";
export { decodeClientEnvelope } from "./client_envelope.ts";
export type {
  AuthenticateEnvelope,
  ClientEnvelope,
  PingEnvelope,
  SendEnvelope,
  SendTypingEnvelope,
} from "./client_envelope.ts";
export { decodeClientEnvelopeV2 } from "./client_envelope_v2.ts";
export type {
  AuthenticateEnvelopeV2,
  ClientEnvelopeV2,
  DecodedClientEnvelopeV2,
  JoinEnvelopeV2,
  JoinPayloadV2,
  LeaveEnvelopeV2,
  PingEnvelopeV2,
  SendEnvelopeV2,
  SendTypingEnvelopeV2,
} from "./client_envelope_v2.ts";
export { decodeServerEnvelope } from "./server_envelope.ts";
export type {
  ChatMessageEnvelope,
  DrainingEnvelope,
  ErrorEnvelope,
  JoinedEnvelope,
  PongEnvelope,
  PresenceEnvelope,
  ServerEnvelope,
  TypingStatusEnvelope,
} from "./server_envelope.ts";
export { decodeServerEnvelopeV2 } from "./server_envelope_v2.ts";
export type {
  ChatMessageEnvelopeV2,
  DrainingEnvelopeV2,
  ErrorEnvelopeV2,
  JoinedEnvelopeV2,
  LeftCode,
  LeftEnvelopeV2,
  MessageV2,
  PongEnvelopeV2,
  PresenceEnvelopeV2,
  PresentUser,
  Role,
  RoleEnvelopeV2,
  RoomRole,
  ServerEnvelopeV2,
  TypingStatusEnvelopeV2,
  WelcomeEnvelopeV2,
} from "./server_envelope_v2.ts";
export type { ErrorBody, HealthBody, MessagePage, PostBody, RoomState } from "./http_body.ts";
export { encodeEnvelope } from "./envelope.ts";
export type { Decoded } from "./decoded.ts";
export { ERRORS } from "./problem.ts";
export type { ErrorCode, Problem, ProblemV2 } from "./problem.ts";
export { CLOSE_CODES, shouldReconnect } from "./close_codes.ts";
export {
  CURSOR_MAX_LENGTH,
  DEDUPLICATION_WINDOW,
  FRAME_MAX_LENGTH,
  HISTORY_DEFAULT,
  HISTORY_MAX,
  PAGE_DEFAULT,
  PAGE_MAX,
  REF_MAX_LENGTH,
  ROOMS_MAX_DEFAULT,
  TEXT_MAX_BYTES_DEFAULT,
  TOKEN_MAX_LENGTH,
  TYPING_TIMEOUT_MS,
  USERS_LISTED_MAX,
} from "./limits.ts";
export type { Limits, LimitsV2 } from "./limits.ts";

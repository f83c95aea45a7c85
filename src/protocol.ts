/**
 * The wire protocol, version 1: envelopes, names, limits, error codes and close codes.
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

export { PROTOCOL_V1, PROTOCOL_V1_LINES } from "./protocol/subprotocol.ts";
export type { Subprotocol } from "./protocol/subprotocol.ts";
export { decodeRoom, decodeUser } from "./protocol/names.ts";
export { decodeDraft } from "./protocol/message.ts";
export type { DecodeOptions, Draft, Message } from "./protocol/message.ts";
export { decodeClientEnvelope } from "./protocol/client_envelope.ts";
export type {
  AuthenticateEnvelope,
  ClientEnvelope,
  PingEnvelope,
  SendEnvelope,
  SendTypingEnvelope,
} from "./protocol/client_envelope.ts";
export { decodeServerEnvelope } from "./protocol/server_envelope.ts";
export type {
  ChatMessageEnvelope,
  DrainingEnvelope,
  ErrorEnvelope,
  JoinedEnvelope,
  PongEnvelope,
  PresenceEnvelope,
  ServerEnvelope,
  TypingStatusEnvelope,
} from "./protocol/server_envelope.ts";
export { encodeEnvelope } from "./protocol/envelope.ts";
export type { Decoded } from "./protocol/decoded.ts";
export { ERRORS } from "./protocol/problem.ts";
export type { ErrorCode, Problem } from "./protocol/problem.ts";
export { CLOSE_CODES, shouldReconnect } from "./protocol/close_codes.ts";
export {
  FRAME_MAX_LENGTH,
  HISTORY_DEFAULT,
  HISTORY_MAX,
  PAGE_DEFAULT,
  PAGE_MAX,
  REF_MAX_LENGTH,
  REPEAT_WINDOW,
  TEXT_MAX_BYTES_DEFAULT,
  TOKEN_MAX_LENGTH,
  TYPING_TIMEOUT_MS,
} from "./protocol/limits.ts";
export type { Limits } from "./protocol/limits.ts";

/**
 * Envelopes from the hub, as far as the client relies on them.
 *
 * @module
 */

import { type Decoded, decodeServerEnvelopeV2 } from "../protocol/mod.ts";
import type { DrainingEnvelopeV2, PongEnvelopeV2, ServerEnvelopeV2 } from "../protocol/mod.ts";
import { areLimits, areTexts, isListOf, isTextList, UNUSABLE } from "./envelope_check.ts";

/** An envelope about the connection itself. */
export type ConnectionEnvelope = DrainingEnvelopeV2 | PongEnvelopeV2;

/** An envelope about rooms, or about what the user may do on the connection. */
export type HubEnvelope = Exclude<ServerEnvelopeV2, ConnectionEnvelope>;

/** An envelope about a room. */
export type EnvelopeOfRoom = Extract<HubEnvelope, { readonly room?: string }>;

/**
 * Decodes an envelope, and checks that it has what the client relies on. Never throws.
 *
 * @param text Its JSON text.
 * @returns The envelope, or what is wrong with it.
 */
export function decodeHubEnvelope(text: string): Decoded<"envelope", ServerEnvelopeV2> {
  const decoded = decodeServerEnvelopeV2(text);
  return decoded.ok && !isUsable(decoded.envelope) ? UNUSABLE : decoded;
}

/** Whether an envelope has what the client relies on. */
function isUsable(envelope: ServerEnvelopeV2): boolean {
  const payload = envelope.payload as Readonly<Record<string, unknown>>;
  switch (envelope.type) {
    case "welcome":
      return areTexts(payload.user) && areLimits(payload.limits);
    case "chat_message":
      return areTexts(payload.cursor, payload.user) && isNumber(payload.at) &&
        (payload.deleted === true || areTexts(payload.text));
    case "message_changed":
      return areTexts(payload.cursor, payload.message, payload.kind, payload.user) &&
        isNumber(payload.at);
    case "joined":
      return areTexts(payload.cursor) && isNumber(payload.user_count) &&
        isListOf(payload.users, isPresentUser) && isTextList(payload.typing);
    case "presence":
      return isListOf(payload.joined, isPresentUser) && isTextList(payload.left);
    case "typing_status":
    case "user_erased":
      return areTexts(payload.user);
    case "read":
      return areTexts(payload.cursor) && isNumber(payload.unread) && isNumber(payload.mentions);
    case "left":
    case "error":
      return areTexts(payload.code, payload.message);
    case "role":
      return areTexts(payload.role);
    case "draining":
    case "pong":
      return true;
  }
}

function isNumber(value: unknown): boolean {
  return typeof value === "number";
}

function isPresentUser(value: unknown): boolean {
  return typeof value === "object" && value !== null && "user" in value && areTexts(value.user);
}

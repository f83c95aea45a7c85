/**
 * Protocol 2, as a connection speaks it.
 *
 * @module
 */

import { decodeServerEnvelopeV2, PROTOCOL_V2 } from "../protocol/mod.ts";
import type { ServerEnvelopeV2 } from "../protocol/mod.ts";
import { areLimits, areTexts, isListOf, isTextList, UNUSABLE } from "./envelope_check.ts";
import type { ConnectionEnvelope, Wire } from "./wire.ts";

/** An envelope about rooms, or about what the user may do on the connection. */
export type HubEnvelope = Exclude<ServerEnvelopeV2, ConnectionEnvelope>;

/** Protocol 2: many rooms. */
export const WIRE_V2: Wire<HubEnvelope> = {
  protocols: [PROTOCOL_V2],
  isLines: () => true,
  decode(text) {
    const decoded = decodeServerEnvelopeV2(text);
    return decoded.ok && !isUsable(decoded.envelope) ? UNUSABLE : decoded;
  },
};

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
      return areTexts(payload.user);
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

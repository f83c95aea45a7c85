/**
 * Protocol 1, as a connection speaks it.
 *
 * @module
 */

import { decodeServerEnvelope, PROTOCOL_V1, PROTOCOL_V1_LINES } from "../protocol/mod.ts";
import type { ServerEnvelope } from "../protocol/mod.ts";
import { areLimits, areTexts, isTextList, UNUSABLE } from "./envelope_check.ts";
import type { ConnectionEnvelope, Wire } from "./wire.ts";

/** An envelope about the room; the others are about the connection. */
export type RoomEnvelope = Exclude<ServerEnvelope, ConnectionEnvelope>;

/** Protocol 1: one room. */
export const WIRE_V1: Wire<RoomEnvelope> = {
  protocols: [PROTOCOL_V1_LINES, PROTOCOL_V1],
  isLines: (protocol) => protocol === PROTOCOL_V1_LINES,
  decode(text) {
    const decoded = decodeServerEnvelope(text);
    return decoded.ok && !isUsable(decoded.envelope) ? UNUSABLE : decoded;
  },
};

/** Whether an envelope has what the client relies on. */
function isUsable(envelope: ServerEnvelope): boolean {
  const payload = envelope.payload as Readonly<Record<string, unknown>>;
  switch (envelope.type) {
    case "chat_message":
      return areTexts(payload.id, payload.cursor, payload.user, payload.text);
    case "message_changed":
      return areTexts(payload.cursor, payload.message, payload.kind, payload.user);
    case "joined":
      return areTexts(payload.cursor, payload.user) && isTextList(payload.users) &&
        isTextList(payload.typing) && areLimits(payload.limits);
    case "presence":
    case "typing_status":
      return areTexts(payload.user);
    case "error":
      return areTexts(payload.code, payload.message);
    case "draining":
    case "pong":
      return true;
  }
}

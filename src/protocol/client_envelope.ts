/**
 * Envelopes from a client to the server.
 *
 * @module
 */

import { type Decoded, isObject, refuse } from "./decoded.ts";
import { TOKEN_MAX_LENGTH } from "./limits.ts";
import { decodeDraft, type Draft } from "./message.ts";
import type { DecodeOptions } from "./message_fields.ts";
import { isTextWithin } from "./text_length.ts";

/** A chat message on its way to the server. */
export interface SendEnvelope {
  /** Which envelope this is. */
  readonly type: "chat_message";
  /** `ref` is echoed in the stored message and makes a repeat recognisable. */
  readonly payload: Draft;
}

/** The start (`true`) or end (`false`) of typing on its way to the server. */
export interface SendTypingEnvelope {
  /** Which envelope this is. */
  readonly type: "typing_status";
  /** Whether the sender is typing. */
  readonly payload: { readonly status: boolean };
}

/** A fresh token on its way to the server, sent before the current one expires. */
export interface AuthenticateEnvelope {
  /** Which envelope this is. */
  readonly type: "authenticate";
  /** A token of the same user. If it is refused, an `error` says so, and the old one holds. */
  readonly payload: {
    /**
     * The token.
     *
     * @minLength 1
     * @maxLength 8192
     */
    readonly token: string;
  };
}

/** A heartbeat for clients that cannot send pings of WebSocket, which browsers cannot. */
export interface PingEnvelope {
  /** Which envelope this is. */
  readonly type: "ping";
  /** An empty object. */
  readonly payload?: Record<string, never>;
}

/** An envelope from a client to the server. */
export type ClientEnvelope =
  | SendEnvelope
  | SendTypingEnvelope
  | AuthenticateEnvelope
  | PingEnvelope;

/**
 * Decodes an envelope from a client. Never throws. Members of the payload that the protocol
 * does not know are ignored, so that newer clients can talk to older servers.
 *
 * @param text The JSON text of one envelope.
 * @param options The limit on the text of a message.
 * @returns The envelope with known members only, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeClientEnvelope } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeClientEnvelope('{"type":"typing_status","payload":{"status":"yes"}}');
 * if (!decoded.ok) console.log(decoded.error.message); // "status" must be true or false
 * ```
 */
export function decodeClientEnvelope(
  text: string,
  options: DecodeOptions = {},
): Decoded<"envelope", ClientEnvelope> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("bad_frame", "The frame is not JSON");
  }
  if (!isObject(value)) return refuse("bad_frame", "An envelope must be a JSON object");
  const { type, payload } = value;
  if (typeof type !== "string") return refuse("bad_frame", '"type" must be a string');
  switch (type) {
    case "chat_message": {
      const decoded = decodeDraft(payload, options);
      return decoded.ok ? { ok: true, envelope: { type, payload: decoded.draft } } : decoded;
    }
    case "typing_status": {
      if (!isObject(payload)) return refuse("bad_frame", '"payload" must be an object');
      const { status } = payload;
      if (typeof status !== "boolean") {
        return refuse("bad_frame", '"status" must be true or false');
      }
      return { ok: true, envelope: { type, payload: { status } } };
    }
    case "authenticate": {
      if (!isObject(payload)) return refuse("bad_frame", '"payload" must be an object');
      const { token } = payload;
      if (!isTextWithin(token, TOKEN_MAX_LENGTH)) {
        const message = `"token" must be a string of 1 to ${TOKEN_MAX_LENGTH} characters`;
        return refuse("bad_frame", message);
      }
      return { ok: true, envelope: { type, payload: { token } } };
    }
    case "ping":
      return { ok: true, envelope: { type, payload: {} } };
    default: {
      const message = '"type" must be "chat_message", "typing_status", "authenticate" or "ping"';
      return refuse("unknown_type", message);
    }
  }
}

/**
 * Envelopes from the server to a client.
 *
 * @module
 */

import { type Decoded, parseEnvelope, refuse } from "./decoded.ts";
import type { Cursor, RoomName, UserName } from "./identifiers.ts";
import type { Limits } from "./limits.ts";
import type { MessageChange } from "./change.ts";
import type { Message } from "./message.ts";
import type { Problem } from "./problem.ts";

/** A stored message, in the history or live. To its sender it is the acknowledgement. */
export interface ChatMessageEnvelope {
  /** Which envelope this is. */
  readonly type: "chat_message";
  /** The message. */
  readonly payload: Message;
}

/** A stored change of a message that was shown before. */
export interface MessageChangedEnvelope {
  /** Which envelope this is. */
  readonly type: "message_changed";
  /** The change. */
  readonly payload: MessageChange;
}

/** Everything that a user wrote in the room before this, and the user's reactions, is gone. */
export interface UserErasedEnvelope {
  /** Which envelope this is. */
  readonly type: "user_erased";
  /** The user. */
  readonly payload: { readonly user: UserName };
}

/** Another user began or stopped typing. */
export interface TypingStatusEnvelope {
  /** Which envelope this is. */
  readonly type: "typing_status";
  /** Who, and whether they are typing now. */
  readonly payload: { readonly user: UserName; readonly status: boolean };
}

/** The end of the history: what follows is live. */
export interface JoinedEnvelope {
  /** Which envelope this is. */
  readonly type: "joined";
  /** The state of the room and of the member in it. */
  readonly payload: {
    readonly room: RoomName;
    /** The member's own name; empty for one that only reads. */
    readonly user: UserName | "";
    /** The place in the log up to which the member has everything, also in an empty room. */
    readonly cursor: Cursor;
    /** False if `after` could not be honoured in full: the history is then the newest part. */
    readonly recovered: boolean;
    /** The users in the room, sorted, the member included. */
    readonly users: readonly UserName[];
    /** The other users who are typing now. */
    readonly typing: readonly UserName[];
    readonly limits: Limits;
  };
}

/** A user joined with its first connection, or left with its last. */
export interface PresenceEnvelope {
  /** Which envelope this is. */
  readonly type: "presence";
  /** The user, and which of the two. */
  readonly payload: { readonly user: UserName; readonly status: "joined" | "left" };
}

/** A refusal of something that the client sent, or a problem of its connection. */
export interface ErrorEnvelope {
  /** Which envelope this is. */
  readonly type: "error";
  /** What is wrong; `ref` names the message concerned. */
  readonly payload: Problem;
}

/** The server is about to stop: reconnect later. */
export interface DrainingEnvelope {
  /** Which envelope this is. */
  readonly type: "draining";
  /** Milliseconds to wait before that, different for each connection. */
  readonly payload: {
    /**
     * Milliseconds to wait before that.
     *
     * @asType integer
     * @minimum 0
     */
    readonly reconnect_after_ms: number;
  };
}

/** The answer to a `ping`. */
export interface PongEnvelope {
  /** Which envelope this is. */
  readonly type: "pong";
  /** An empty object. */
  readonly payload: Record<string, never>;
}

/** An envelope from the server to a client. */
export type ServerEnvelope =
  | ChatMessageEnvelope
  | MessageChangedEnvelope
  | UserErasedEnvelope
  | TypingStatusEnvelope
  | JoinedEnvelope
  | PresenceEnvelope
  | ErrorEnvelope
  | DrainingEnvelope
  | PongEnvelope;

/**
 * Decodes an envelope from the server. Never throws; the payload is not checked.
 *
 * @param text The JSON text of one envelope: a frame, or one line of it with `hubbub.v1.lines`.
 * @returns The envelope, or what is wrong with it: `unknown_type` for one of a newer server.
 *
 * @example
 * ```ts
 * import { decodeServerEnvelope } from "@hubbub/hub/protocol";
 *
 * const text = '{"type":"typing_status","payload":{"user":"ann","status":true}}';
 * const decoded = decodeServerEnvelope(text);
 * if (decoded.ok && decoded.envelope.type === "typing_status") {
 *   console.log(decoded.envelope.payload.user);
 * }
 * ```
 */
export function decodeServerEnvelope(text: string): Decoded<"envelope", ServerEnvelope> {
  const parsed = parseEnvelope(text);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  switch (value.type) {
    case "chat_message":
    case "message_changed":
    case "user_erased":
    case "typing_status":
    case "joined":
    case "presence":
    case "error":
    case "draining":
    case "pong":
      return { ok: true, envelope: value as unknown as ServerEnvelope };
    default:
      return refuse("unknown_type", "The envelope is of a type that this version does not know");
  }
}

/**
 * Envelopes from the server to a client, version 2: many rooms on one connection.
 *
 * @module
 */

import type { MessageChange } from "./change.ts";
import { type Decoded, parseEnvelope, refuse } from "./decoded.ts";
import type { Cursor, MessageText, Ref, RoomName, UserName } from "./identifiers.ts";
import type { LimitsV2 } from "./limits.ts";
import type { MessageExtras } from "./message.ts";
import type { ProblemV2 } from "./problem.ts";
import type { Role } from "./role.ts";
import type { UnreadCounts } from "./user_body.ts";

/** A stored message, as protocol 2 writes it. */
export interface MessageV2 extends MessageExtras {
  /** Place in the room's log, and the name of the message: opaque text that sorts like the log. */
  readonly cursor: Cursor;
  /** User that sent it, as authorized. */
  readonly user: UserName;
  /** Text; left out where it was deleted. */
  readonly text?: MessageText;
  /**
   * Time at which the server accepted it: milliseconds since the epoch.
   *
   * @asType integer
   * @minimum 0
   */
  readonly at: number;
  /** Name to show beside the user, as authorized when it was sent. */
  readonly name?: UserName;
  /** Deduplication key, if its sender gave one; on the connections of its sender alone. */
  readonly ref?: Ref;
  /**
   * Time of the last edit: milliseconds since the epoch.
   *
   * @asType integer
   * @minimum 0
   */
  readonly edited_at?: number;
}

/** A user in a room. */
export interface PresentUser {
  /** The user. */
  readonly user: UserName;
  /** Name to show beside it, as authorized. */
  readonly name?: UserName;
}

/** Why a stay in a room ended. */
export type LeftCode = "left" | "kicked" | "banned" | "forbidden" | "room_deleted" | "too_slow";

/** The first envelope on a connection. */
export interface WelcomeEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "welcome";
  /** What holds for the connection. */
  readonly payload: {
    /** The user, as the rooms show it. */
    readonly user: UserName;
    /** Name to show beside it, as authorized. */
    readonly name?: UserName;
    /** The version of the protocol. */
    readonly protocol: 2;
    /** What the connection may do. */
    readonly limits: LimitsV2;
  };
}

/** A stored message, in the history or live. To its sender it is the acknowledgement. */
export interface ChatMessageEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "chat_message";
  /** The room. */
  readonly room: RoomName;
  /** The message. */
  readonly payload: MessageV2;
}

/** A stored change of a message. To its sender it is the acknowledgement. */
export interface MessageChangedEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "message_changed";
  /** The room. */
  readonly room: RoomName;
  /** The change. */
  readonly payload: MessageChange;
}

/** The end of the history of a room: what follows is live. */
export interface JoinedEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "joined";
  /** The room. */
  readonly room: RoomName;
  /** The state of the room and of the member in it. */
  readonly payload: {
    /** The place in the log up to which the member has everything, also in an empty room. */
    readonly cursor: Cursor;
    /** False if `after` could not be honoured in full: the history is then the newest part. */
    readonly recovered: boolean;
    /**
     * How many users are in the room, the member included where it is shown as here.
     *
     * @asType integer
     * @minimum 0
     */
    readonly user_count: number;
    /**
     * The first 500 of them, sorted by name; none without presence.
     *
     * @maxItems 500
     */
    readonly users: readonly PresentUser[];
    /** The other users who are typing now; none without presence. */
    readonly typing: readonly UserName[];
    /** The place up to which the user has read the room, where the server knows its users. */
    readonly read?: Cursor;
    /** What the member may do in the room. */
    readonly role: Role;
  };
}

/** Another connection of the user, or a program, has moved the user's read mark of a room. */
export interface ReadEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "read";
  /** The room. */
  readonly room: RoomName;
  /** Where it is now, and what is behind it. */
  readonly payload: UnreadCounts & {
    /** The place up to which the user has read the room. */
    readonly cursor: Cursor;
  };
}

/** What the member may do in the room has changed: after a fresh token. */
export interface RoleEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "role";
  /** The room. */
  readonly room: RoomName;
  /** What the member may do from now on. */
  readonly payload: { readonly role: Role };
}

/** The end of a stay in a room: nothing more of it comes. */
export interface LeftEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "left";
  /** The room. */
  readonly room: RoomName;
  /** Why. */
  readonly payload: {
    /** The reason, for programs. */
    readonly code: LeftCode;
    /** The reason, in a sentence. */
    readonly message: string;
  };
}

/** Everything that a user wrote in a room before this, and the user's reactions, is gone. */
export interface UserErasedEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "user_erased";
  /** The room. */
  readonly room: RoomName;
  /** The user. */
  readonly payload: { readonly user: UserName };
}

/** Another user began or stopped typing. */
export interface TypingStatusEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "typing_status";
  /** The room. */
  readonly room: RoomName;
  /** Who, and whether they are typing now. */
  readonly payload: { readonly user: UserName; readonly status: boolean };
}

/** Users joined a room with their first connection, or left it with their last. */
export interface PresenceEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "presence";
  /** The room. */
  readonly room: RoomName;
  /** The users; nobody is in two lists. */
  readonly payload: {
    /** Who joined. */
    readonly joined: readonly PresentUser[];
    /** Who left. */
    readonly left: readonly UserName[];
    /** Who stays, and has another display name, or none, from now on. */
    readonly renamed?: readonly PresentUser[];
  };
}

/** A refusal of something that the client sent. */
export interface ErrorEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "error";
  /** The room, where it concerns one. */
  readonly room?: RoomName;
  /** What is wrong, and with what; `ref` names the message concerned. */
  readonly payload: ProblemV2;
}

/** The server is about to stop: reconnect later. */
export interface DrainingEnvelopeV2 {
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
export interface PongEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "pong";
  /** An empty object. */
  readonly payload: Record<string, never>;
}

/** An envelope from the server to a client, version 2. */
export type ServerEnvelopeV2 =
  | WelcomeEnvelopeV2
  | ChatMessageEnvelopeV2
  | MessageChangedEnvelopeV2
  | JoinedEnvelopeV2
  | RoleEnvelopeV2
  | LeftEnvelopeV2
  | UserErasedEnvelopeV2
  | TypingStatusEnvelopeV2
  | PresenceEnvelopeV2
  | ReadEnvelopeV2
  | ErrorEnvelopeV2
  | DrainingEnvelopeV2
  | PongEnvelopeV2;

/**
 * Decodes an envelope from the server, version 2. Never throws. Of the payload it checks that it is
 * an object, of `room` that it is text where the envelope concerns one.
 *
 * @param text The JSON text of one envelope: one line of a frame.
 * @returns The envelope, or what is wrong with it: `unknown_type` for one of a newer server.
 *
 * @example
 * ```ts
 * import { decodeServerEnvelopeV2 } from "@hubbub/hub/protocol";
 *
 * const text = '{"type":"typing_status","room":"lobby","payload":{"user":"ann","status":true}}';
 * const decoded = decodeServerEnvelopeV2(text);
 * if (decoded.ok && decoded.envelope.type === "typing_status") {
 *   console.log(decoded.envelope.room, decoded.envelope.payload.user);
 * }
 * ```
 */
export function decodeServerEnvelopeV2(text: string): Decoded<"envelope", ServerEnvelopeV2> {
  const parsed = parseEnvelope(text);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  switch (value.type) {
    case "chat_message":
    case "message_changed":
    case "joined":
    case "role":
    case "left":
    case "user_erased":
    case "typing_status":
    case "presence":
    case "read":
      if (typeof value.room !== "string") return refuse("bad_frame", '"room" must be a string');
      break;
    case "error":
      if (value.room !== undefined && typeof value.room !== "string") {
        return refuse("bad_frame", '"room" must be a string');
      }
      break;
    case "welcome":
    case "draining":
    case "pong":
      break;
    default:
      return refuse("unknown_type", "The envelope is of a type that this version does not know");
  }
  return { ok: true, envelope: value as unknown as ServerEnvelopeV2 };
}

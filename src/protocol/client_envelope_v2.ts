/**
 * Envelopes from a client to the server, version 2: many rooms on one connection.
 *
 * @module
 */

import type { DeleteDraft, EditDraft, ReactionDraft } from "./change.ts";
import type { Cursor, RoomName } from "./identifiers.ts";
import type { Draft } from "./message.ts";

/** How a room is joined. */
export interface JoinPayloadV2 {
  /**
   * The cursor after which the messages come first, each once: 1 to 64 characters.
   *
   * @minLength 1
   * @maxLength 64
   */
  readonly after?: string;
  /**
   * How many messages of history come at most, a whole number from 0 to 100.
   *
   * @asType integer
   * @minimum 0
   * @maximum 100
   * @default {10}
   */
  readonly history?: number;
  /**
   * Whether the member is shown as here, and told who else is and who types.
   *
   * @default {true}
   */
  readonly presence?: boolean;
}

/** A join of a room. */
export interface JoinEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "join";
  /** The room. */
  readonly room: RoomName;
  /** How. */
  readonly payload?: JoinPayloadV2;
}

/** The end of a stay in a room. */
export interface LeaveEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "leave";
  /** The room. */
  readonly room: RoomName;
  /** An empty object. */
  readonly payload?: Record<string, never>;
}

/** A chat message on its way to the server. */
export interface SendEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "chat_message";
  /** The room. */
  readonly room: RoomName;
  /** `ref` makes a repeat recognisable, and is echoed to the sender's connections. */
  readonly payload: Draft;
}

/** An edit of a message: one's own, or any by a moderator. */
export interface EditEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "edit_message";
  /** The room. */
  readonly room: RoomName;
  /** Which message, and what becomes of it. */
  readonly payload: EditDraft;
}

/** The deletion of a message: one's own, or any by a moderator. */
export interface DeleteEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "delete_message";
  /** The room. */
  readonly room: RoomName;
  /** Which message. */
  readonly payload: DeleteDraft;
}

/** A reaction to a message, or the end of one. */
export interface ReactEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "react";
  /** The room. */
  readonly room: RoomName;
  /** Which message, and how. */
  readonly payload: ReactionDraft;
}

/** The start (`true`) or end (`false`) of typing on its way to the server. */
export interface SendTypingEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "typing_status";
  /** The room. */
  readonly room: RoomName;
  /** Whether the sender is typing. */
  readonly payload: { readonly status: boolean };
}

/** One's own read mark of a room on its way to the server. It never goes back. */
export interface SendReadEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "read";
  /** The room. */
  readonly room: RoomName;
  /** The newest message that was read. */
  readonly payload: { readonly cursor: Cursor };
}

/** A fresh token on its way to the server, sent before the current one expires. */
export interface AuthenticateEnvelopeV2 {
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
export interface PingEnvelopeV2 {
  /** Which envelope this is. */
  readonly type: "ping";
  /** An empty object. */
  readonly payload?: Record<string, never>;
}

/** An envelope from a client to the server, version 2. */
export type ClientEnvelopeV2 =
  | JoinEnvelopeV2
  | LeaveEnvelopeV2
  | SendEnvelopeV2
  | EditEnvelopeV2
  | DeleteEnvelopeV2
  | ReactEnvelopeV2
  | SendTypingEnvelopeV2
  | SendReadEnvelopeV2
  | AuthenticateEnvelopeV2
  | PingEnvelopeV2;

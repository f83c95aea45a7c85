/**
 * State of a room, as a view shows it.
 *
 * @module
 */

import type { ChangeKind, JsonObject, MessageBody, MessageChange } from "../protocol/mod.ts";
import type { MessageV2, Reaction, Role } from "../protocol/mod.ts";
import type { ChatError } from "./chat_error.ts";
import type { Muted } from "./room_standing.ts";

/**
 * How far a member is in a room: nobody asked for it (`idle`), the hub is letting the member in or
 * what was missed is being read (`joining`), messages arrive as they are stored (`live`), another
 * try comes by itself (`waiting`), or the hub wants none (`closed`).
 */
export type RoomStatus = "idle" | "joining" | "live" | "waiting" | "closed";

/**
 * What became of a message: it is stored (`sent`), on its way (`sending`), waits to be sent
 * (`waiting`), or was refused (`failed`), so that it can be sent again or discarded.
 */
export type MessageStatus = "sent" | "sending" | "waiting" | "failed";

/**
 * A change of a message by the user that is not stored yet: it waits to be sent, is on its way, or was
 * refused. Until then the message is shown as if it were stored; one that failed is not.
 */
export interface PendingChange {
  /** What it does. */
  readonly kind: ChangeKind;
  /** What became of it. */
  readonly status: Exclude<MessageStatus, "sent">;
  /** Its name. */
  readonly ref: string;
  /** An edit's new text. */
  readonly text?: string;
  /** An edit's new data; null takes it away. */
  readonly data?: JsonObject | null;
  /** What a reaction shows. */
  readonly emoji?: string;
  /** Whether the user reacts so from now on. */
  readonly reacts?: boolean;
  /** Why it failed. */
  readonly error?: ChatError;
}

/** A message of a room, never changed: another object takes its place. */
export interface RoomMessage<Data extends JsonObject = JsonObject> {
  /** What became of it. */
  readonly status: MessageStatus;
  /** Its place in the room's log, and its name; undefined until it is stored. */
  readonly cursor?: string;
  /** Who sent it. */
  readonly user: string;
  /** The name to show beside it, where the sender had one. */
  readonly name?: string;
  /** Text; empty where it was deleted. */
  readonly text: string;
  /**
   * Time at which the server accepted it, in milliseconds since the epoch; until it is stored, the
   * time at which it was sent, by the clock of this machine.
   */
  readonly at: number;
  /** The ref of one's own message, the same before and after it is stored. */
  readonly ref?: string;
  /** What a program added to it. */
  readonly data?: Data;
  /** Cursor of the message that it answers. */
  readonly replyTo?: string;
  /** Time of the last edit, in milliseconds since the epoch. */
  readonly editedAt?: number;
  /** True where it was deleted. */
  readonly deleted?: true;
  /** The reactions to it, in the order of their first use. */
  readonly reactions?: readonly Reaction[];
  /** Cursor of the last change that is folded into it. */
  readonly changed?: string;
  /** The user's own changes of it that are not stored. */
  readonly changes?: readonly PendingChange[];
  /** Why it failed. */
  readonly error?: ChatError;
}

/** A message that is stored. */
export interface StoredMessage<Data extends JsonObject = JsonObject> extends RoomMessage<Data> {
  /** It is stored. */
  readonly status: "sent";
  /** Its place in the room's log, and its name. */
  readonly cursor: string;
}

/** A record of a room's log: a message, or a change of an earlier one. */
export type LogRecord = StoredMessage | MessageChange;

/** The state of a room, never changed: each change makes another one. */
export interface RoomSnapshot<Data extends JsonObject = JsonObject> {
  /** How far the member is. */
  readonly status: RoomStatus;
  /**
   * The messages: a piece of the room's log without a gap, up to what was stored last, then one's
   * own that are not stored yet. A message that did not change is the same object.
   */
  readonly messages: readonly RoomMessage<Data>[];
  /** The other users who are typing, sorted. */
  readonly typing: readonly string[];
  /** The users in the room, sorted; in a very large one, some of them. */
  readonly users: readonly string[];
  /** How many users are in the room. */
  readonly userCount: number;
  /** Names to show beside those of users, by user, for those of `users` that have one. */
  readonly names: ReadonlyMap<string, string>;
  /** Whether there may be messages before the first one. */
  readonly hasOlder: boolean;
  /**
   * Messages of others after the user's read mark that are not deleted: 0 to 100, 100 meaning more
   * than 99. What stands in a room when the user comes first counts as read.
   */
  readonly unread: number;
  /** Those of them that mention the user, 0 to 100. */
  readonly mentions: number;
  /** Cursor of the first of them; it may stand before the first of `messages`. */
  readonly firstUnread: string | undefined;
  /** What the user may do in the room, once the hub has told. */
  readonly role: Role | undefined;
  /** Why the user may not send for a while, as the last refusal said; undefined while nothing did. */
  readonly muted: Muted | undefined;
  /** Why the hub wants no further try, or the last one failed. */
  readonly error: ChatError | undefined;
}

/**
 * Tells whether a record of the log is a change.
 *
 * @param record The record.
 * @returns True where it is.
 */
export function isChange(record: LogRecord): record is MessageChange {
  return "kind" in record;
}

/**
 * Makes a message of one that came over the connection.
 *
 * @param message The message.
 * @param user The user's own name.
 * @returns The message, with its status.
 */
export function storedMessage(message: MessageV2, user: string): StoredMessage {
  const { text = "", reply_to: replyTo, edited_at: editedAt, reactions, ...rest } = message;
  return {
    ...rest,
    text,
    ...(replyTo !== undefined && { replyTo }),
    ...(editedAt !== undefined && { editedAt }),
    ...(reactions && { reactions: reactions.map((reaction) => ownReaction(reaction, user)) }),
    status: "sent",
  };
}

/**
 * Makes a message of one that came over HTTP.
 *
 * @param message The message.
 * @param user The user's own name.
 * @returns The message, with its status.
 */
export function messageOfPage(message: MessageBody, user: string): StoredMessage {
  const { id: _id, room: _room, sent_at: sentAt, edited_at: editedAt, ...rest } = message;
  const edited_at = editedAt === undefined ? undefined : Date.parse(editedAt);
  return storedMessage({ ...rest, at: Date.parse(sentAt), edited_at }, user);
}

/** Over HTTP the server may not know who reads. */
function ownReaction(reaction: Reaction, user: string): Reaction {
  return reaction.mine || !reaction.users.includes(user) ? reaction : { ...reaction, mine: true };
}

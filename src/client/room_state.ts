/**
 * State of a room, as a view shows it.
 *
 * @module
 */

import type { Message, MessageV2 } from "../protocol/mod.ts";
import type { ChatError } from "./chat_error.ts";

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

/** A message of a room, never changed: another object takes its place. */
export interface RoomMessage {
  /** What became of it. */
  readonly status: MessageStatus;
  /** Its place in the room's log, and its name; undefined until it is stored. */
  readonly cursor?: string;
  /** Who sent it. */
  readonly user: string;
  /** Text. */
  readonly text: string;
  /**
   * Time at which the server accepted it, in milliseconds since the epoch; until it is stored, the
   * time at which it was sent, by the clock of this machine.
   */
  readonly at: number;
  /** The ref of one's own message, the same before and after it is stored. */
  readonly ref?: string;
  /** Why it failed. */
  readonly error?: ChatError;
}

/** A message that is stored. */
export interface StoredMessage extends RoomMessage {
  /** It is stored. */
  readonly status: "sent";
  /** Its place in the room's log, and its name. */
  readonly cursor: string;
}

/** The state of a room, never changed: each change makes another one. */
export interface RoomSnapshot {
  /** How far the member is. */
  readonly status: RoomStatus;
  /**
   * The messages: a piece of the room's log without a gap, up to what was stored last, then one's
   * own that are not stored yet. A message that did not change is the same object.
   */
  readonly messages: readonly RoomMessage[];
  /** The other users who are typing, sorted. */
  readonly typing: readonly string[];
  /** The users in the room, sorted; in a very large one, some of them. */
  readonly users: readonly string[];
  /** How many users are in the room. */
  readonly userCount: number;
  /** Whether there may be messages before the first one. */
  readonly hasOlder: boolean;
  /** Why the hub wants no further try, or the last one failed. */
  readonly error: ChatError | undefined;
}

/**
 * Makes a message of one that came over the connection.
 *
 * @param message The message.
 * @returns The message, with its status.
 */
export function storedMessage({ cursor, user, text = "", at, ref }: MessageV2): StoredMessage {
  const message = { cursor, user, text, at, status: "sent" } as const;
  return ref === undefined ? message : { ...message, ref };
}

/**
 * Makes a message of one that came over HTTP, in protocol 1.
 *
 * @param message The message.
 * @returns The message, with its status.
 */
export function messageOfPage({ cursor, user, text, sent_at, ref }: Message): StoredMessage {
  return storedMessage({ cursor, user, text, at: Date.parse(sent_at), ref });
}

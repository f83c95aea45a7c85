/**
 * Events and options of a connection.
 *
 * @module
 */

import type { JsonObject, LimitsV2, MessageChange, ProblemV2, Role } from "../protocol/mod.ts";
import type { RoomMessage, StoredMessage } from "./room_state.ts";
import type { SocketConstructor } from "./socket_like.ts";

/** State of a connection. */
export type ConnectionState =
  /** It is being opened, or gets what it has missed. */
  | { readonly status: "connecting" }
  /** Messages arrive as they are stored. */
  | { readonly status: "live" }
  /**
   * It was lost, for a `reason` that people can read. The next try is `retryInMs` milliseconds
   * after this state was told; `retryAt` is the same as milliseconds since the epoch, and wrong
   * where the clock is set meanwhile.
   */
  | {
    readonly status: "waiting";
    readonly retryAt: number;
    readonly retryInMs: number;
    readonly reason: string;
  }
  /** It has ended for good: by `close()`, or because the server wants no further try. */
  | { readonly status: "closed"; readonly code: number; readonly reason: string };

/** Users of a room, as lists that are never changed. */
export interface UserLists {
  /** The users in the room, sorted; in a very large one, some of them. */
  readonly users: readonly string[];
  /** How many users are in the room. */
  readonly userCount: number;
  /** The other users who are typing, sorted. */
  readonly typingUsers: readonly string[];
}

/** A change of a message, and what it led to. */
export interface ChangedMessage {
  /** The change. */
  readonly change: MessageChange;
  /** The message as it is then; undefined where it is not among those that are kept. */
  readonly message: StoredMessage | undefined;
}

/** The state of a room, and of the member in it, as the server lets the member in. */
export interface JoinedRoom {
  /** The room's name. */
  readonly room: string;
  /** The member's own name. */
  readonly user: string;
  /** The place in the log up to which the member has everything. */
  readonly cursor: string;
  /** Whether nothing is missing before that; false tells that messages may be lost. */
  readonly recovered: boolean;
  /** The users in the room, sorted; in a very large one, some of them. */
  readonly users: readonly string[];
  /** How many users are in the room. */
  readonly userCount: number;
  /** The other users who are typing. */
  readonly typing: readonly string[];
  /** What the member may do in the room. */
  readonly role: Role;
  /** What the connection may do. */
  readonly limits: LimitsV2;
}

/** The events of a connection, by type. */
export interface ChatEvents {
  /** The state, after each change. */
  readonly state: CustomEvent<ConnectionState>;
  /** The next message of the room's log: history first, then what is live; each one once. */
  readonly message: CustomEvent<StoredMessage>;
  /** The next change of a message, in the log's order between the messages; each one once. */
  readonly change: CustomEvent<ChangedMessage>;
  /**
   * `messages` has changed: once a turn, however much of it did. What shows them listens to this
   * one.
   */
  readonly messages: CustomEvent<readonly RoomMessage[]>;
  /** The history, or what was missed, is complete; `recovered: false` tells that some may be lost. */
  readonly joined: CustomEvent<JoinedRoom>;
  /** A user who came or went. */
  readonly presence: CustomEvent<{ readonly user: string; readonly status: "joined" | "left" }>;
  /**
   * `users` or `typingUsers` have changed: once a turn, however many came and went in it. What
   * shows them listens to this one.
   */
  readonly users: CustomEvent<UserLists>;
  /** Another user who began or stopped typing. */
  readonly typing: CustomEvent<{ readonly user: string; readonly status: boolean }>;
  /**
   * A refusal by the server. With a `ref` it is about a message: a final one rejects the promise of
   * its `send()`, after a temporary one the message is sent again.
   */
  readonly problem: CustomEvent<ProblemV2>;
}

/** Who connects, and how the connection behaves. */
export interface ConnectionOptions {
  /** The name of the user, where the server asks for no token. */
  readonly user?: string;
  /**
   * The token, of any characters. A function is called for each connection and each request; what
   * is refused of it counts as stale for 5 minutes, and the function is called again.
   */
  readonly token?: string | (() => string | Promise<string>);
  /** Messages that may wait to be sent and acknowledged, in each room. @default {1000} */
  readonly queueLimit?: number;
  /**
   * Whether cookies go along when pages of history are read: `include` for a server of another
   * origin whose sessions are cookies. The WebSocket sends them in any case.
   *
   * @default {"same-origin"}
   */
  readonly credentials?: "include" | "omit" | "same-origin";
  /** Closes the connection when it is aborted. */
  readonly signal?: AbortSignal;
  /** How long to wait before a try: from 0 to a limit that doubles with each. */
  readonly reconnect?: {
    /** The first limit, in milliseconds. @default {500} */
    readonly minDelayMs?: number;
    /** The last limit, in milliseconds; no wait is longer, whatever asks for it. @default {30000} */
    readonly maxDelayMs?: number;
  };
  /**
   * Milliseconds of silence after which the connection is tested; it is replaced where there is no
   * answer within as long again, or 5 s if that is less. A token and an upgrade may take twice as
   * long, or 10 s if that is less.
   *
   * @default {20000}
   */
  readonly quietMs?: number;
  /** The class to use, for Node 20 that of npm's `ws`. @default {globalThis.WebSocket} */
  readonly WebSocket?: SocketConstructor;
  /** The function to use. @default {globalThis.fetch} */
  readonly fetch?: typeof fetch;
}

/** Options of `connect()`. */
export interface ConnectOptions extends ConnectionOptions {
  /** The room to join. */
  readonly room: string;
  /** Messages of history for a newcomer, at most 100. @default {10} */
  readonly history?: number;
  /** Begin after this cursor, kept from an earlier connection, rather than with history. */
  readonly after?: string;
}

/** Options of `ChatConnection.send()`. */
export interface SendOptions {
  /**
   * Name of the message, at most 128 characters, unique among its sender's: the same message sent
   * again with it is stored once. Should be random, so that nobody can guess it.
   *
   * @default {128 random bits}
   */
  readonly ref?: string;
  /** What a program adds to the message: at most 4 KiB of JSON and 32 levels. */
  readonly data?: JsonObject;
  /** Cursor of the message that it answers. */
  readonly replyTo?: string;
  /** Rejects when it is aborted; a message that was sent already may be stored all the same. */
  readonly signal?: AbortSignal;
}

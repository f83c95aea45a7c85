/**
 * What a connection tells, and what it is told.
 *
 * @module
 */

import type {
  JoinedEnvelope,
  Message,
  PresenceEnvelope,
  Problem,
  TypingStatusEnvelope,
} from "../protocol/mod.ts";

/** How a connection stands. */
export type ConnectionState =
  /** It asks to be let in, or gets what it has missed. */
  | { readonly status: "connecting" }
  /** Everything that is said arrives at once. */
  | { readonly status: "live" }
  /** It was lost: the next try is at `retryAt`, in milliseconds since the epoch. */
  | { readonly status: "waiting"; readonly retryAt: number; readonly reason: string }
  /** It has ended for good: by `close()`, or because the server wants no further try. */
  | { readonly status: "closed"; readonly code: number; readonly reason: string };

/** The events of a connection, by type. */
export interface ChatEvents {
  /** The state has changed. */
  readonly state: CustomEvent<ConnectionState>;
  /** The next message of the room's log: history first, then what is live; each one once. */
  readonly message: CustomEvent<Message>;
  /** The history, or what was missed, is complete; `recovered: false` tells that some may be lost. */
  readonly joined: CustomEvent<JoinedEnvelope["payload"]>;
  /** A user came or went. */
  readonly presence: CustomEvent<PresenceEnvelope["payload"]>;
  /** Another user began or stopped typing. */
  readonly typing: CustomEvent<TypingStatusEnvelope["payload"]>;
  /**
   * The server refused something. With a `ref` it is a message: one that is final rejects the
   * promise of its `send()`, one that is temporary will be sent again.
   */
  readonly problem: CustomEvent<Problem>;
}

/** How a connection behaves. */
export interface ConnectOptions {
  /** The room to join. */
  readonly room: string;
  /** Who one is, where the server asks for no token. */
  readonly user?: string;
  /** What lets one in; a function is asked again for each connection and each request. */
  readonly token?: string | (() => string | Promise<string>);
  /** Messages of history for a newcomer, at most 100. @default {10} */
  readonly history?: number;
  /** Begin after this cursor, kept from an earlier connection, rather than with history. */
  readonly after?: string;
  /** Messages that may wait to be sent and acknowledged. @default {1000} */
  readonly queueLimit?: number;
  /** Closes the connection when it is aborted. */
  readonly signal?: AbortSignal;
  /** How long to wait before a try, at most: doubles from `minDelayMs` to `maxDelayMs`. */
  readonly reconnect?: {
    /** @default {500} */
    readonly minDelayMs?: number;
    /** @default {30000} */
    readonly maxDelayMs?: number;
  };
  /**
   * Milliseconds of silence after which the connection is tested; it is replaced where there is no
   * answer within as long again, or 5 s if that is less.
   *
   * @default {20000}
   */
  readonly quietMs?: number;
  /** The class to use. @default {globalThis.WebSocket} */
  readonly WebSocket?: typeof WebSocket;
  /** The function to use. @default {globalThis.fetch} */
  readonly fetch?: typeof fetch;
}

/** What `ChatConnection.send()` may be told. */
export interface SendOptions {
  /** One's own name for the message, unique among one's messages, at most 128 characters. */
  readonly ref?: string;
  /** Gives the message up; one that was sent already may be stored all the same. */
  readonly signal?: AbortSignal;
}

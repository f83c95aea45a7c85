/**
 * Limits and defaults of the protocol.
 *
 * @module
 */

/** Messages in the history of a new member that asks for no number. */
export const HISTORY_DEFAULT = 10;
/** The most messages that a new member may ask for. */
export const HISTORY_MAX = 100;
/** Messages in a page of `GET /rooms/{room}/messages` without a `limit`. */
export const PAGE_DEFAULT = 50;
/** The most messages in a page of `GET /rooms/{room}/messages`. */
export const PAGE_MAX = 100;
/**
 * The messages of a room among which a repeated `ref` is recognised: those of the last two minutes,
 * by their `sent_at`, within bounds in number and in UTF-16 code units.
 */
export const DEDUPLICATION_WINDOW = {
  /** Milliseconds by which a message may be older than the newest one. */
  ms: 120_000,
  /** The most messages. */
  maxMessages: 10_000,
  /** UTF-16 code units of envelopes that they may have together. */
  maxLength: 4 * 1024 * 1024,
  /** So many of the newest messages are always among them. */
  minMessages: 256,
} as const;
/** Milliseconds without a sign of typing after which a user is no longer shown as typing. */
export const TYPING_TIMEOUT_MS = 3000;
/** The longest `ref`, in characters (code points). */
export const REF_MAX_LENGTH = 128;
/** UTF-8 bytes of JSON in the `data` of a message. */
export const DATA_MAX_BYTES = 4096;
/** Objects and lists within each other in the `data` of a message, itself counted. */
export const DATA_MAX_DEPTH = 32;
/** UTF-8 bytes of the `emoji` of a reaction. */
export const EMOJI_MAX_BYTES = 32;
/** Different reactions that a message may have. */
export const REACTION_KINDS_MAX = 20;
/** Reactions that a message may have, of all users together. */
export const REACTIONS_MAX = 1_000;
/** Users that a message lists for each of its reactions; `count` is the number of all. */
export const REACTION_USERS_LISTED_MAX = 50;
/** Changes in a page of `GET /rooms/{room}/messages`. */
export const PAGE_CHANGES_MAX = 1_000;
/** The longest token, in characters (code points). */
export const TOKEN_MAX_LENGTH = 8192;
/** UTF-8 bytes of text in a message, if the server sets no other limit. */
export const TEXT_MAX_BYTES_DEFAULT = 4096;
/** UTF-16 code units in a frame from a client; a longer one closes the connection. */
export const FRAME_MAX_LENGTH = 64 * 1024;
/** Rooms that a connection of protocol 2 may be in, if the server sets no other limit. */
export const ROOMS_MAX_DEFAULT = 200;
/** Users that `joined` of protocol 2 lists at most; `user_count` is the number of all. */
export const USERS_LISTED_MAX = 500;
/** The longest `after`, in characters (code points); cursors are shorter. */
export const CURSOR_MAX_LENGTH = 64;

/** Limits of a member, as sent in `joined`. */
export interface Limits {
  /**
   * UTF-8 bytes of text in one message.
   *
   * @asType integer
   * @minimum 0
   */
  readonly text_max_bytes: number;
  /**
   * Milliseconds after which typing ends unless it is signalled again.
   *
   * @asType integer
   * @minimum 0
   */
  readonly typing_timeout_ms: number;
  /**
   * Messages a second that a connection may send in the long run; 0 is no limit.
   *
   * @minimum 0
   */
  readonly messages_per_second: number;
  /**
   * Messages that a connection may send at once.
   *
   * @asType integer
   * @minimum 0
   */
  readonly message_burst: number;
}

/** Limits of a connection of protocol 2, as sent in `welcome`. */
export interface LimitsV2 extends Limits {
  /**
   * Rooms that the connection may be in at once.
   *
   * @asType integer
   * @minimum 0
   */
  readonly rooms_max: number;
  /**
   * The most messages of history that a join may ask for.
   *
   * @asType integer
   * @minimum 0
   */
  readonly history_max: number;
}

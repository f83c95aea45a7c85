/**
 * What is read of a log, and how much.
 *
 * @module
 */

import type { StateItem } from "./change_entry.ts";

/** Where and how much to read. */
export interface ReadOptions {
  /** The most records to return. */
  readonly limit: number;
  /** UTF-16 code units of envelopes after which no more are returned. @default {Infinity} */
  readonly maxLength?: number;
  /** The last cursor that may be returned; only for reading forward. @default {undefined} */
  readonly until?: string;
  /** Whether tombstones are left out. @default {false} */
  readonly shownOnly?: boolean;
  /**
   * Whether the place is that of a message, which must still stand there: see `RoomLog.isLost()`.
   * Only for reading forward.
   *
   * @default {false}
   */
  readonly follows?: boolean;
}

/** Which changes to read. */
export interface ChangesOptions {
  /** The most changes to return. */
  readonly limit: number;
  /** The last cursor that may be returned. @default {undefined} to the end */
  readonly until?: string;
  /** Whether the newest ones are returned where there are more, oldest first all the same. @default {false} */
  readonly newest?: boolean;
  /** The same as in {@linkcode ReadOptions}, where the place is that of a change. @default {false} */
  readonly follows?: boolean;
}

/** Which states of messages to read. */
export interface StatesOptions {
  /** The cursor of the first message. */
  readonly from: string;
  /** The cursor of the last message. */
  readonly to: string;
  /** States after which no further message is begun; the first one is read in any case. */
  readonly limit: number;
  /** Whether the last message is the first one to be read. @default {false} */
  readonly reverse?: boolean;
}

/** The states of some messages. */
export interface MessageStates {
  /** By cursor, the states of each message that was ever changed. Each message's are of one moment. */
  readonly messages: ReadonlyMap<string, readonly StateItem[]>;
  /** The cursor of the first message that was not read, for the limit; undefined where all were. */
  readonly next: string | undefined;
  /** The place from which the log counted when they had been read. */
  readonly from: string;
}

/**
 * The contract of a store of room logs.
 *
 * @module
 */

import type { LogEntry, LogRecord } from "./entry.ts";

/** Where and how much to read. */
export interface ReadOptions {
  /** The most records to return. */
  readonly limit: number;
  /** UTF-16 code units of envelopes after which no more are returned; only where one reads forward. */
  readonly maxLength?: number;
  /** The last cursor that may be returned; only where one reads forward. */
  readonly until?: string;
  /** Whether repeats that were struck out are left out. @default {false} */
  readonly shownOnly?: boolean;
}

/** A message that repeats another. */
export interface Duplicate {
  /** The repeat. */
  readonly record: LogRecord;
  /** The message that it repeats. */
  readonly first: LogRecord;
}

/** A store of append-only room logs, whose order is that of its commits. */
export interface RoomLog {
  /** Whether messages expire, so that the beginning of a log may be missing. */
  readonly expires: boolean;
  /**
   * Appends one entry to each of several rooms, all or nothing.
   *
   * @param entries By room, the entry and how many messages it holds. Together they must fit
   * {@linkcode KV_LIMITS}: see {@linkcode entryCost}.
   * @returns The versionstamp of the commit, the same for all rooms.
   * @throws Whatever KV rejects with; then nothing may be taken as stored.
   */
  append(entries: ReadonlyMap<string, LogEntry>): Promise<string>;
  /**
   * Reads the newest records of a room.
   *
   * @param room Its name.
   * @param options How many.
   * @returns Oldest first.
   */
  last(room: string, options: ReadOptions): Promise<LogRecord[]>;
  /**
   * Reads the records just before a place.
   *
   * @param room Its name.
   * @param cursor The place; need not be one of a message.
   * @param options How many.
   * @returns Oldest first; empty at the beginning of the log.
   */
  before(room: string, cursor: string, options: ReadOptions): Promise<LogRecord[]>;
  /**
   * Reads the records just after a place.
   *
   * @param room Its name.
   * @param cursor The place; need not be one of a message.
   * @param options How many, and how far.
   * @returns Oldest first; empty at the end of the log.
   */
  after(room: string, cursor: string, options: ReadOptions): Promise<LogRecord[]>;
  /**
   * Strikes messages out that repeat another, so that no reader sees them again. Isolates may do
   * so at the same time: what is a repeat depends on the log alone.
   *
   * @param room Its name.
   * @param repeats Messages with what they repeat. One whose entry would not fit any more stays.
   * @throws Whatever KV rejects with.
   */
  writeTombstones(room: string, repeats: readonly Duplicate[]): Promise<void>;
  /**
   * Tells whether a room has a message at a place.
   *
   * @param room Its name.
   * @param cursor The place.
   * @returns True where that message exists and has not expired.
   */
  has(room: string, cursor: string): Promise<boolean>;
  /**
   * Reads where the log of a room ends.
   *
   * @param room Its name.
   * @returns The cursor of its newest message; {@linkcode ORIGIN} where it never had one.
   */
  head(room: string): Promise<string>;
  /**
   * Reads where the logs of several rooms end.
   *
   * @param rooms Their names.
   * @returns The cursor of each one's newest message, in the order of the names.
   */
  heads(rooms: readonly string[]): Promise<string[]>;
  /**
   * Watches the bells. What rings often in a short time may be told once.
   *
   * @returns The bells that rang, beginning with all that ever did; cancel it to stop.
   */
  watch(): ReadableStream<number[]>;
  /**
   * Reads one key, to see that the database answers.
   *
   * @param timeoutMs Milliseconds to wait for it.
   * @throws Whatever KV rejects with, or a `TimeoutError`.
   */
  probe(timeoutMs: number): Promise<void>;
  /**
   * Tells whether a record is young enough to be shown.
   *
   * @param record A record of any room.
   * @returns False where it has expired; KV sweeps such keys late.
   */
  keeps(record: LogRecord): boolean;
}

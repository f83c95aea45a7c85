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
  /** UTF-16 code units of envelopes after which no more are returned. @default {Infinity} */
  readonly maxLength?: number;
  /** The last cursor that may be returned; only for reading forward. @default {undefined} */
  readonly until?: string;
  /** Whether tombstones are left out. @default {false} */
  readonly shownOnly?: boolean;
}

/** What one commit can still hold. It is made for one commit, and asked room by room. */
export interface CommitBudget {
  /**
   * How long the entry of one more room may be.
   *
   * @param room A room that the commit has no entry for yet.
   * @returns Bytes; 0 where the commit has no space for another room.
   */
  bytesFor(room: string): number;
  /**
   * Books an entry.
   *
   * @param room The room.
   * @param bytes The length of its entry, at most what `bytesFor` returned.
   */
  add(room: string, bytes: number): void;
}

/** Which rooms grew after a commit. */
export interface Growth {
  /** The newest commit that was looked at; that of the question where there was none. */
  readonly upTo: string;
  /** By room, the newest commit that appended to it. */
  readonly rooms: ReadonlyMap<string, string>;
}

/** What a store reports while it is in use. */
export type StoreEvent =
  /** A record could not be read and was passed over. */
  | { readonly type: "record_damaged"; readonly room: string; readonly cursor: string }
  /** A call was not answered in time. */
  | { readonly type: "store_timeout"; readonly error: Error }
  /** The database was opened again, or could not be. */
  | { readonly type: "store_reopened" }
  | { readonly type: "store_reopen_failed"; readonly error: unknown }
  /** The server answers before a commit is durable: a crash of it may lose what members saw. */
  | { readonly type: "store_not_durable" }
  /** Messages older than the retention were deleted, or could not be. */
  | { readonly type: "store_swept"; readonly rooms: number; readonly entries: number }
  | { readonly type: "store_sweep_failed"; readonly error: unknown };

/**
 * A store of append-only room logs, whose order is that of its commits. Several hubs, in several
 * processes, may use one database through a store object of their own each.
 *
 * **Places.** A commit is 20 lower-case hexadecimal digits; `"0" × 20` is before all of them. A
 * record's cursor is `cursorAt(commit, index, tagOf(id))` of `store/cursor.ts`, where `index` counts
 * the lines of its entry.
 *
 * **What an implementation MUST promise**
 *
 * - Every commit has a greater place than all that could be read when its `append` was called, in
 *   the whole database, whichever hub made it.
 * - What becomes visible later never has a smaller place: who has read a log up to a commit misses
 *   nothing by reading on after it.
 * - A commit is all or nothing, for all of its rooms, and durable when `append` resolves.
 * - A read that begins after `append` resolved sees the commit, on this object and on others.
 * - The entries of a room are given back byte for byte, in the order of their places, until they
 *   are rewritten or expire.
 *
 * **What it does not promise**
 *
 * - A rejected `append` may have been stored, and where it rejects with a `StoreTimeoutError` it may
 *   still be, until that error's `settled` resolves. It may have been stored twice, by a client
 *   that repeats it: the records' ids tell.
 * - Places need not be consecutive. A page of several reads need not be one snapshot.
 * - The database may be put back to an earlier state at any time. Cursors end in a tag so that it
 *   can be noticed.
 *
 * Every method that returns a promise rejects with a `StoreTimeoutError` where the database does not
 * answer within a bounded time. `tests/helpers/room_log_contract.ts` holds an implementation to all
 * of this.
 */
export interface RoomLog {
  /** Bytes that one entry may have. */
  readonly entryMaxBytes: number;
  /**
   * Reads the id of the database, which it gets when it is first asked for.
   *
   * @returns Letters, digits and hyphens: the same for all store objects over the database.
   */
  databaseId(): Promise<string>;
  /**
   * Begins to count what one commit may hold.
   *
   * @returns A budget for one call of {@linkcode append}.
   */
  budget(): CommitBudget;
  /**
   * Appends one entry to each of several rooms, all or nothing.
   *
   * @param entries By room, the entry. Together they must fit into one {@linkcode budget}.
   * @returns The commit, the same for all rooms.
   * @throws Whatever the database rejects with; the entries may have been stored all the same.
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
   * Reads the record at a place.
   *
   * @param room Its name.
   * @param cursor The place, with its tag.
   * @returns The record, or undefined where that very record is not, or is no longer, there.
   */
  get(room: string, cursor: string): Promise<LogRecord | undefined>;
  /**
   * Tells whether everything after a place is still there.
   *
   * @param room Its name.
   * @param cursor The place, with its tag; {@linkcode ORIGIN} is the beginning of the log.
   * @returns True where {@linkcode get} finds a record there; at the origin, where nothing has been
   * removed from the log's beginning.
   */
  has(room: string, cursor: string): Promise<boolean>;
  /**
   * Reads where the log of a room ends.
   *
   * @param room Its name.
   * @returns The cursor of its newest record, also where that has expired; {@linkcode ORIGIN} where
   * it never had one.
   */
  head(room: string): Promise<string>;
  /**
   * Reads where the logs of several rooms end.
   *
   * @param rooms Their names.
   * @returns What {@linkcode head} returns for each, in the order of the names.
   */
  heads(rooms: readonly string[]): Promise<string[]>;
  /**
   * Lists the rooms that ever had a message.
   *
   * @param options How many at most, and the name after which to begin.
   * @returns Their names, each greater than the one before.
   */
  rooms(options: { readonly limit: number; readonly after?: string }): Promise<string[]>;
  /**
   * Rewrites one entry. Nobody else's rewriting is lost: the change is made again on what stands
   * there then.
   *
   * @param room The room.
   * @param commit The commit that holds the entry.
   * @param change Gives the new text of the entry, or the same text; called once or more.
   * @returns Whether the entry was changed: false where it does not exist, where the change is none,
   * and where the new text is longer than {@linkcode entryMaxBytes}.
   */
  rewrite(room: string, commit: string, change: (text: string) => string): Promise<boolean>;
  /**
   * Watches for commits. What happens often in a short time may be told once; what happens while
   * nobody reads the stream is told at the next read.
   *
   * @returns The newest commit at each time, the present one first, even where there is none. The
   * stream fails where the database does, within a bounded time where that does not answer the
   * first question, and ends where it has to be watched anew: then anything may have happened
   * meanwhile. A hub watches anew every second, beside the stream that it has. Cancel it to stop.
   */
  watch(): ReadableStream<string>;
  /**
   * Tells which rooms grew after a commit.
   *
   * @param commit A commit that {@linkcode watch}, {@linkcode append} or this method returned.
   * @param before The commit before which to stop. @default {undefined} it goes to the end
   * @returns Exactly the rooms that grew, or undefined where the store does not reach back to the
   * commit: then any room may have grown.
   */
  grownSince(commit: string, before?: string): Promise<Growth | undefined>;
  /**
   * Tells whether the database answers, and takes writes.
   *
   * @param timeoutMs Milliseconds to wait for it.
   * @throws Whatever is wrong with it, or a `StoreTimeoutError`.
   */
  probe(timeoutMs: number): Promise<void>;
  /**
   * Tells whether a record is to be shown, without reading anything.
   *
   * @param room The room.
   * @param record One of its records.
   * @returns False where it has expired.
   */
  keeps(room: string, record: LogRecord): boolean;
  /**
   * Begins with upkeep: deletes what has expired, and reports.
   *
   * @param listener Receives events. Must not throw.
   * @returns Ends it. What that returns settles when the calls that were made before are answered;
   * it never rejects.
   */
  attach(listener: (event: StoreEvent) => void): () => Promise<void>;
  /**
   * Looks whether a room has something to delete. A hub calls it when it opens a room.
   *
   * @param room The room.
   * @returns Settles when that is done. Never rejects: failures are reported to {@linkcode attach}.
   */
  sweep(room: string): Promise<void>;
}

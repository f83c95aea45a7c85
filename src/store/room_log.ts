/**
 * The contract of a store of room logs.
 *
 * @module
 */

import type { ChangeRecord } from "./change.ts";
import type { StateItem } from "./change_entry.ts";
import type { Compaction } from "./compaction.ts";
import type { CommitBudget } from "./commit_budget.ts";
import type { LogEntry, LogRecord } from "./entry.ts";
import type { Growth } from "./growth.ts";
import type { ChangesOptions, MessageStates, ReadOptions, StatesOptions } from "./read_options.ts";
import type { OnErased, RoomMeta } from "./room_meta.ts";
import type { StoreEvent } from "./store_event.ts";
import type { UserRooms } from "./user_rooms.ts";

/**
 * A store of append-only room logs, whose order is that of its commits. Several hubs, in several
 * processes, may use one database through a store object of their own each.
 *
 * **Places.** A commit is 20 lower-case hexadecimal digits; `"0" × 20` is before all of them. A
 * record's cursor is `cursorAt(commit, index, tagOf(id))` of `store/cursor.ts`, where `index` counts
 * the lines of its entry: from 0 for messages, from `CHANGES_FROM` for changes. So a commit's changes
 * stand behind its messages.
 *
 * **Changes** are records of the log about earlier messages, or about the room. They are kept apart
 * from messages, so that a page of messages costs the same however many there are. With each come
 * writes of *states*, in the same commit; of each name the last write, in the order of the log, is
 * the state. A store understands neither: it keeps lines, and states by message and name. A change
 * may *claim* a name: a commit is refused as a whole where another change has one of them, whichever
 * hub made it, so that a change that is sent again is made once.
 *
 * **Deleting a room** is a change as well, with `clears`: from its place on the log counts. A read that
 * begins after that commit resolved gives back nothing that stands before it: no records, no changes
 * and no states, and no place there is known to `has`. The keys go behind, by `clear`.
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
  /** The rooms that users were in, and how far they have read. */
  readonly userRooms: UserRooms;
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
   * Appends one entry to each of several rooms, all or nothing, with the states of its changes.
   *
   * @param entries By room, the entry. Together they must fit into one {@linkcode budget}.
   * @returns The commit, the same for all rooms.
   * @throws {ClaimedError} Where changes were made before, and nothing was stored.
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
   * @throws {PlaceLostError} Where they must follow on a record that is lost.
   */
  after(room: string, cursor: string, options: ReadOptions): Promise<LogRecord[]>;
  /**
   * Reads the message at a place.
   *
   * @param room Its name.
   * @param cursor The place, with its tag.
   * @returns The record, or undefined where that very record is not, or is no longer, there.
   */
  get(room: string, cursor: string): Promise<LogRecord | undefined>;
  /**
   * Reads the changes just after a place: those of messages that are kept, and control records.
   *
   * @param room Its name.
   * @param cursor The place; need not be one of a record.
   * @param options How many, and how far.
   * @returns Oldest first; empty at the end of the log.
   * @throws {PlaceLostError} Where they must follow on a change that is lost.
   */
  changes(room: string, cursor: string, options: ChangesOptions): Promise<ChangeRecord[]>;
  /**
   * Reads the states of messages: all that became visible before the call, and perhaps more.
   *
   * @param room Its name.
   * @param options Of which messages.
   * @returns The states of those that were ever changed.
   */
  states(room: string, options: StatesOptions): Promise<MessageStates>;
  /**
   * Reads the states of the room itself, which control records set.
   *
   * @param room Its name.
   * @returns The states that stand.
   */
  controls(room: string): Promise<StateItem[]>;
  /**
   * Tells what a room ever had besides messages.
   *
   * @param room Its name.
   * @returns True for what became visible before the call.
   */
  meta(room: string): Promise<RoomMeta>;
  /**
   * Erases what a deleted message said: from its entry, its states and the edits of it, whatever
   * their place. Its `deleted` and `changed` states stay, and the places of all records. A second
   * call does it again, for an edit that came later.
   *
   * @param room The room.
   * @param message The cursor of the message.
   */
  erase(room: string, message: string): Promise<void>;
  /**
   * Deletes what stands before the place from which a room's log counts, in bounded steps. What is
   * cut off, by a crash too, goes on by itself where the store is attached to.
   *
   * @param room The room.
   */
  clear(room: string): Promise<void>;
  /**
   * Erases what a user wrote before the last record with `erases` of the user, in bounded steps: the
   * messages and what became of them, and the user's reactions. The places of all records stay. What
   * is cut off goes on by itself where the store is attached to; until it is done, and a while longer,
   * {@linkcode RoomMeta.erasing} tells of it.
   *
   * @param room The room.
   * @param user The user.
   * @param onStep Called after each step. Must not throw.
   */
  eraseUser(room: string, user: string, onStep?: OnErased): Promise<void>;
  /**
   * Tells whether everything after a place is still there.
   *
   * @param room Its name.
   * @param cursor The place, with its tag; {@linkcode ORIGIN} is the beginning of the log.
   * @returns True where a record, a message or a change, stands there; at the origin, where nothing has been
   * removed from the log's beginning, and the room was never deleted.
   */
  has(room: string, cursor: string): Promise<boolean>;
  /**
   * Tells whether a record that was read before is gone although nobody removed it, as it is where
   * the database was put back to an earlier state.
   *
   * @param room Its name.
   * @param cursor The place of the record, with its tag; nothing can be lost at {@linkcode ORIGIN}.
   * @returns False where it stands there, where what stands there cannot be read, and where it may
   * have been removed: by retention, or with its room.
   */
  isLost(room: string, cursor: string): Promise<boolean>;
  /**
   * Reads where the log of a room ends.
   *
   * @param room Its name.
   * @returns The cursor of its newest record, a message or a change, also where that has expired; {@linkcode ORIGIN} where
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
   * Lists the rooms that ever had a record; those that were deleted, where they have a message since.
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
   * @param until A later commit, which {@linkcode append} returned: what grew before it is told.
   * @default {undefined} it goes to the end
   * @returns Exactly the rooms that grew, or undefined where the store does not reach back to the
   * commit, or where one of the two is not, or no longer, the one that was read or written: then any
   * room may have grown, and the database may have been put back. What was just appended is reached.
   */
  grownSince(commit: string, until?: string): Promise<Growth | undefined>;
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
   * Gives back the space of what was erased, so that no byte of it is left in the database's file.
   *
   * A call while one is at work waits for that one.
   *
   * @returns What it came to; undefined where the database does that by itself, or has no file that is
   * known.
   */
  compact(): Promise<Compaction | undefined>;
  /**
   * Looks whether a room has something to delete. A hub calls it when it opens a room.
   *
   * @param room The room.
   * @returns Settles when that is done. Never rejects: failures are reported to {@linkcode attach}.
   */
  sweep(room: string): Promise<void>;
}

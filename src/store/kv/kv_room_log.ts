/**
 * Room logs in Deno KV.
 *
 * @module
 */

import { checkInteger, TIMER_MAX_MS } from "../../protocol/checks.ts";
import type { ChangeRecord } from "../change.ts";
import type { StateItem } from "../change_entry.ts";
import type { CommitBudget } from "../commit_budget.ts";
import { isCursor, isOfChange, ORIGIN } from "../cursor.ts";
import type { Compaction } from "../compaction.ts";
import { StoreTimeoutError } from "../deadline.ts";
import type { LogEntry, LogRecord } from "../entry.ts";
import type { Growth } from "../growth.ts";
import type { RoomLog } from "../room_log.ts";
import type { ChangesOptions, MessageStates, ReadOptions } from "../read_options.ts";
import type { StatesOptions } from "../read_options.ts";
import type { OnErased, RoomMeta } from "../room_meta.ts";
import { SteadyClock } from "../steady_clock.ts";
import type { StoreEvent } from "../store_event.ts";
import type { UserRooms } from "../user_rooms.ts";
import { untilWritten } from "./checked_write.ts";
import { KvKeys } from "./keys.ts";
import { createKvUpkeep, type KvUpkeep } from "./kv_upkeep.ts";
import { KvUserRooms } from "./kv_user_rooms.ts";
import { KvChanges } from "./kv_changes.ts";
import { explainRefusal, hasClaims } from "./kv_claims.ts";
import { KvExpiry } from "./kv_expiry.ts";
import { KvFeed } from "./kv_feed.ts";
import { KvFile } from "./kv_file.ts";
import { KvHandle } from "./kv_handle.ts";
import { KvPlaces } from "./kv_places.ts";
import { KvProbe } from "./kv_probe.ts";
import { headOf, type HeadValue, KvReader } from "./kv_reader.ts";
import { KvRoomMeta } from "./kv_room_meta.ts";
import type { KvRoomLogOptions } from "./kv_room_log_options.ts";
import { KV_LIMITS, KvCommitBudget, prefixBytes } from "./limits.ts";

/** Milliseconds that a call may take where nothing else is said. */
const TIMEOUT_MS = 10_000;

/**
 * The logs of all rooms in one Deno KV. An append reads nothing, and checks nothing but the names of
 * changes: the database gives the order. An entry is what one room got in one commit: JSON lines in UTF-8.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * const log = new KvRoomLog(kv, { prefix: ["chat"], retentionMs: 30 * 24 * 60 * 60 * 1000 });
 * await using hub = new Hub(log);
 * await hub.publish("lobby", "ann", { text: "hello" });
 * const [newest] = await log.last("lobby", { limit: 1 });
 * console.log(newest.user, newest.cursor);
 * ```
 */
export class KvRoomLog implements RoomLog {
  /** Bytes that one entry may have. */
  readonly entryMaxBytes: number = KV_LIMITS.valueBytes;
  /** The rooms that users were in, and how far they have read. */
  readonly userRooms: UserRooms;
  readonly #keys: KvKeys;
  readonly #prefixBytes: number;
  readonly #handle: KvHandle;
  readonly #feed: KvFeed;
  readonly #expiry: KvExpiry;
  readonly #places: KvPlaces;
  readonly #reader: KvReader;
  readonly #changes: KvChanges;
  readonly #meta: KvRoomMeta;
  readonly #upkeep: KvUpkeep;
  readonly #probe: KvProbe;
  /** Whether a database is known to last: one in the memory of a test needs no upkeep. */
  readonly #isOfService: boolean;
  readonly #file: KvFile;
  readonly #listeners = new Set<(event: StoreEvent) => void>();

  /**
   * Makes the logs of a database.
   *
   * @param kv The database, which stays the caller's to close.
   * @param options How long messages are kept, and how long the database may take.
   * @throws {RangeError} Where a number is out of range, or the prefix too long.
   */
  constructor(kv: Deno.Kv, options: KvRoomLogOptions = {}) {
    const { retentionMs, timeoutMs = TIMEOUT_MS, prefix = [], reopen, file } = options;
    checkInteger("retentionMs", retentionMs, { min: 1 });
    checkInteger("timeoutMs", timeoutMs, { min: 1, max: TIMER_MAX_MS });
    this.#prefixBytes = prefixBytes(prefix);
    this.#isOfService = file !== undefined || reopen !== undefined;
    const keys = this.#keys = new KvKeys(prefix);
    const onEvent = (event: StoreEvent) => this.#emit(event);
    const fenceKey = keys.fence(crypto.randomUUID());
    const handle = this.#handle = new KvHandle(kv, { timeoutMs, reopen, fenceKey, onEvent });
    const elapsed = options.elapsed ?? (() => performance.now());
    const clock = new SteadyClock(options.now ?? Date.now, elapsed);
    const meta = this.#meta = new KvRoomMeta({ handle, keys });
    const expiry = this.#expiry = new KvExpiry({ handle, keys, meta, clock, retentionMs });
    this.#feed = new KvFeed(handle, keys);
    this.userRooms = new KvUserRooms({ handle, keys });
    const onDamaged = (room: string, cursor: string) =>
      onEvent({ type: "record_damaged", room, cursor });
    const places = this.#places = new KvPlaces({ handle, keys, expiry, meta });
    const forReading = { handle, keys, expiry, meta, places, onDamaged };
    this.#reader = new KvReader(forReading);
    const changes = this.#changes = new KvChanges(forReading);
    const rooms = (options: { limit: number; after?: string }) => this.rooms(options);
    const forUpkeep = { handle, keys, meta, expiry, changes, clock, file, elapsed, rooms, onEvent };
    this.#upkeep = createKvUpkeep(forUpkeep);
    this.#file = new KvFile({ path: file, elapsed });
    this.#probe = new KvProbe({ handle, key: keys.probe, file: this.#file, elapsed });
  }

  /** Reads the id of the database. */
  async databaseId(): Promise<string> {
    const key = this.#keys.id;
    return await untilWritten(async () => {
      const known = await this.#handle.call("get", (kv) => kv.get<unknown>(key));
      if (typeof known.value === "string") return known.value;
      const id = crypto.randomUUID();
      const { ok } = await this.#handle.call("write the id", (kv) => {
        return kv.atomic().check(known).set(key, id).commit();
      });
      return ok ? id : undefined;
    });
  }

  /** Begins to count what one commit may hold. */
  budget(): CommitBudget {
    return new KvCommitBudget(this.#prefixBytes, this.#handle.isFenced);
  }

  /** Appends one entry to each of several rooms, all or nothing. */
  async append(entries: ReadonlyMap<string, LogEntry>): Promise<string> {
    const looking = this.#file.lookSometimes();
    if (looking) await looking;
    // Messages alone check nothing: with several isolates on SQLite "database is locked" is thrown.
    const explain = hasClaims(entries)
      ? (kv: Deno.Kv) => explainRefusal(kv, this.#keys, entries)
      : undefined;
    const commit = await this.#handle.commit((atomic, kv) => {
      const heads = new Map<string, HeadValue>();
      for (const [room, entry] of entries) {
        const key = [...this.#keys.log(room), kv.commitVersionstamp()];
        if (entry.count > 0) atomic.set(key, entry.bytes);
        if (entry.changes) this.#changes.compose(atomic, kv, room, entry.changes);
        heads.set(room, headOf(entry));
      }
      this.#feed.compose(atomic, kv, heads);
      return atomic;
    }, explain);
    this.#feed.committed(commit);
    return commit;
  }

  /** Reads the newest records of a room. */
  async last(room: string, options: ReadOptions): Promise<LogRecord[]> {
    return await this.#reader.before(room, options);
  }

  /** Reads the records just before a place. */
  async before(room: string, cursor: string, options: ReadOptions): Promise<LogRecord[]> {
    return await this.#reader.before(room, options, cursor);
  }

  /** Reads the records just after a place. */
  async after(room: string, cursor: string, options: ReadOptions): Promise<LogRecord[]> {
    return await this.#reader.after(room, options, cursor);
  }

  /** Reads the message at a place. */
  async get(room: string, cursor: string): Promise<LogRecord | undefined> {
    const isOfMessage = isCursor(cursor) && !isOfChange(cursor);
    return isOfMessage ? await this.#reader.get(room, cursor) : undefined;
  }

  /** Reads the changes just after a place. */
  async changes(room: string, cursor: string, options: ChangesOptions): Promise<ChangeRecord[]> {
    return await this.#changes.changes(room, cursor, options);
  }

  /** Reads the states of messages. */
  async states(room: string, options: StatesOptions): Promise<MessageStates> {
    return await this.#changes.states(room, options);
  }

  /** Reads the states of the room itself. */
  async controls(room: string): Promise<StateItem[]> {
    return await this.#changes.controls(room);
  }

  /** Tells what a room has besides messages. */
  async meta(room: string): Promise<RoomMeta> {
    return await this.#meta.read(room);
  }

  /** Erases what a deleted message said. */
  async erase(room: string, message: string): Promise<void> {
    await this.#upkeep.eraser.erase(room, message);
  }

  /** Deletes what stands before the place from which a room's log counts. */
  async clear(room: string): Promise<void> {
    await this.#upkeep.tasks.run({ kind: "clear", room, user: "" });
  }

  /** Erases what a user wrote before the last record that says so. */
  async eraseUser(room: string, user: string, onStep?: OnErased): Promise<void> {
    await this.#upkeep.tasks.run({ kind: "erase_user", room, user }, onStep);
  }

  /** Tells whether everything after a place is still there. */
  async has(room: string, cursor: string): Promise<boolean> {
    if (cursor === ORIGIN) return await this.#reader.isWhole(room);
    if (isCursor(cursor) && isOfChange(cursor)) return await this.#changes.has(room, cursor);
    return await this.get(room, cursor) !== undefined;
  }

  /** Tells whether a record that was read before is gone although nobody removed it. */
  async isLost(room: string, cursor: string): Promise<boolean> {
    return await this.#places.isLost(room, cursor);
  }

  /** Reads where the log of a room ends. */
  async head(room: string): Promise<string> {
    return (await this.#reader.heads([room]))[0];
  }

  /** Reads where the logs of several rooms end. */
  async heads(rooms: readonly string[]): Promise<string[]> {
    return rooms.length === 0 ? [] : await this.#reader.heads(rooms);
  }

  /** Lists the rooms that ever had a record, and were not deleted since. */
  async rooms(options: { readonly limit: number; readonly after?: string }): Promise<string[]> {
    return await this.#reader.rooms(options.limit, options.after);
  }

  /** Rewrites one entry. */
  async rewrite(room: string, commit: string, change: (text: string) => string): Promise<boolean> {
    const key = [...this.#keys.log(room), commit];
    return await this.#upkeep.eraser.rewrite(key, change, KV_LIMITS.valueBytes);
  }

  /** Watches for commits. */
  watch(): ReadableStream<string> {
    return this.#feed.watch();
  }

  /** Tells which rooms grew after a commit. */
  async grownSince(commit: string, until?: string): Promise<Growth | undefined> {
    return await this.#feed.grownSince(commit, until);
  }

  /** Tells whether the database answers, and takes writes. */
  async probe(timeoutMs: number): Promise<void> {
    await this.#probe.run(timeoutMs);
  }

  /** Tells whether a record is to be shown, without reading anything. */
  keeps(room: string, record: LogRecord): boolean {
    return this.#expiry.keeps(room, record);
  }

  /** Begins with upkeep: deletes what has expired, and reports. */
  attach(listener: (event: StoreEvent) => void): () => Promise<void> {
    this.#listeners.add(listener);
    this.#upkeep.start({ isOfService: this.#isOfService });
    return async () => {
      const isLast = this.#listeners.delete(listener) && this.#listeners.size === 0;
      if (isLast) this.#upkeep.stop();
      const answered = this.#handle.answered();
      if (isLast) this.#handle.close();
      await answered;
    };
  }

  /** Gives back the space of what was erased. */
  async compact(): Promise<Compaction | undefined> {
    return await this.#upkeep.compactor.compact();
  }

  /** Looks whether a room has something to delete. */
  async sweep(room: string): Promise<void> {
    try {
      const entries = await this.#upkeep.sweeper.look(room);
      if (entries > 0) this.#emit({ type: "store_swept", rooms: 1, entries });
    } catch (error) {
      // What timed out was reported.
      if (error instanceof StoreTimeoutError) return;
      this.#emit({ type: "store_sweep_failed", error });
    }
  }

  #emit(event: StoreEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

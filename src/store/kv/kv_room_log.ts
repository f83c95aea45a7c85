/**
 * Room logs in Deno KV.
 *
 * @module
 */

import { checkInteger, TIMER_MAX_MS } from "../../protocol/checks.ts";
import { isCursor, ORIGIN, tagOf } from "../cursor.ts";
import { StoreTimeoutError } from "../deadline.ts";
import type { LogEntry, LogRecord } from "../entry.ts";
import type { CommitBudget, Growth, ReadOptions, RoomLog, StoreEvent } from "../room_log.ts";
import { SteadyClock } from "../steady_clock.ts";
import { untilWritten } from "./checked_write.ts";
import { KvKeys } from "./keys.ts";
import { KvExpiry } from "./kv_expiry.ts";
import { KvFeed } from "./kv_feed.ts";
import { KvHandle } from "./kv_handle.ts";
import { KvProbe } from "./kv_probe.ts";
import { type HeadValue, KvReader } from "./kv_reader.ts";
import { KvSweeper } from "./kv_sweeper.ts";
import { KV_LIMITS, KvCommitBudget, prefixBytes } from "./limits.ts";

/** Milliseconds that a call may take where nothing else is said. */
const TIMEOUT_MS = 10_000;

/** How {@linkcode KvRoomLog} behaves. */
export interface KvRoomLogOptions {
  /**
   * Milliseconds for which messages are kept. What it says now is what counts, also for messages
   * that were stored under another.
   *
   * @default {undefined} for ever
   */
  readonly retentionMs?: number;
  /**
   * What stands before every key, so that logs can live in a database with other things in it.
   *
   * @default {[]}
   */
  readonly prefix?: Deno.KvKey;
  /** Milliseconds that the database has to answer a call. @default {10000} */
  readonly timeoutMs?: number;
  /**
   * Opens the database again, for one that is reached by URL: its client would repeat a call that
   * is not answered for ever. What it opens is closed by the log.
   *
   * @default {undefined} the same handle is used on
   */
  readonly reopen?: () => Promise<Deno.Kv>;
  /**
   * The database's file, so that {@linkcode RoomLog.probe} notices where that was deleted or
   * replaced while it is open.
   *
   * @default {undefined}
   */
  readonly file?: string;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly elapsed?: () => number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The logs of all rooms in one Deno KV. An append reads nothing and checks nothing: the database
 * gives the order. An entry is what one room got in one commit: JSON lines in UTF-8.
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
  readonly #keys: KvKeys;
  readonly #prefixBytes: number;
  readonly #handle: KvHandle;
  readonly #feed: KvFeed;
  readonly #expiry: KvExpiry;
  readonly #reader: KvReader;
  readonly #sweeper: KvSweeper;
  readonly #probe: KvProbe;
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
    const keys = this.#keys = new KvKeys(prefix);
    const onEvent = (event: StoreEvent) => this.#emit(event);
    const fenceKey = keys.fence(crypto.randomUUID());
    const handle = this.#handle = new KvHandle(kv, { timeoutMs, reopen, fenceKey, onEvent });
    const elapsed = options.elapsed ?? (() => performance.now());
    const clock = new SteadyClock(options.now ?? Date.now, elapsed);
    const expiry = this.#expiry = new KvExpiry({ handle, keys, clock, retentionMs });
    this.#feed = new KvFeed(handle, keys);
    this.#reader = new KvReader({
      handle,
      keys,
      expiry,
      onDamaged: (room, cursor) => onEvent({ type: "record_damaged", room, cursor }),
    });
    const rooms = (options: { limit: number; after?: string }) => this.rooms(options);
    this.#sweeper = new KvSweeper({ handle, keys, expiry, clock, rooms, onEvent });
    this.#probe = new KvProbe({ handle, key: keys.probe, file, elapsed });
  }

  /** Reads the id of the database. */
  async databaseId(): Promise<string> {
    const key = this.#keys.id;
    return await untilWritten(async () => {
      const known = await this.#handle.call("get", (kv) => kv.get<string>(key));
      if (known.value !== null) return known.value;
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
    const commit = await this.#handle.commit((atomic, kv) => {
      // No check, sum or min here: with several isolates on SQLite they throw "database is locked".
      for (const [room, { bytes, count, lastId }] of entries) {
        const head: HeadValue = [count - 1, tagOf(lastId)];
        atomic.set([...this.#keys.log(room), kv.commitVersionstamp()], bytes);
        atomic.set(this.#keys.head(room), head);
      }
      this.#feed.compose(atomic, kv, entries.keys());
      return atomic;
    });
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

  /** Reads the record at a place. */
  async get(room: string, cursor: string): Promise<LogRecord | undefined> {
    return isCursor(cursor) ? await this.#reader.get(room, cursor) : undefined;
  }

  /** Tells whether everything after a place is still there. */
  async has(room: string, cursor: string): Promise<boolean> {
    if (cursor === ORIGIN) return await this.#reader.isWhole(room);
    return await this.get(room, cursor) !== undefined;
  }

  /** Reads where the log of a room ends. */
  async head(room: string): Promise<string> {
    return (await this.#reader.heads([room]))[0];
  }

  /** Reads where the logs of several rooms end. */
  async heads(rooms: readonly string[]): Promise<string[]> {
    return rooms.length === 0 ? [] : await this.#reader.heads(rooms);
  }

  /** Lists the rooms that ever had a message. */
  async rooms(options: { readonly limit: number; readonly after?: string }): Promise<string[]> {
    return await this.#reader.rooms(options.limit, options.after);
  }

  /** Rewrites one entry. */
  async rewrite(room: string, commit: string, change: (text: string) => string): Promise<boolean> {
    const key = [...this.#keys.log(room), commit];
    return await untilWritten(async () => {
      const entry = await this.#handle.call("get", (kv) => kv.get<Uint8Array>(key));
      if (!(entry.value instanceof Uint8Array)) return false;
      const text = decoder.decode(entry.value);
      const changed = change(text);
      const bytes = encoder.encode(changed);
      if (changed === text || bytes.length > KV_LIMITS.valueBytes) return false;
      const { ok } = await this.#handle.call("rewrite", (kv) => {
        return kv.atomic().check(entry).set(key, bytes).commit();
      });
      return ok ? true : undefined;
    });
  }

  /** Watches for commits. */
  watch(): ReadableStream<string> {
    return this.#feed.watch();
  }

  /** Tells which rooms grew after a commit. */
  async grownSince(commit: string, before?: string): Promise<Growth | undefined> {
    return await this.#feed.grownSince(commit, before);
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
    this.#sweeper.start();
    return async () => {
      const isLast = this.#listeners.delete(listener) && this.#listeners.size === 0;
      if (isLast) this.#sweeper.stop();
      const answered = this.#handle.answered();
      if (isLast) this.#handle.close();
      await answered;
    };
  }

  /** Looks whether a room has something to delete. */
  async sweep(room: string): Promise<void> {
    try {
      const entries = await this.#sweeper.look(room);
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

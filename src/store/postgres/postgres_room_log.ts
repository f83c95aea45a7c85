/**
 * Room logs in PostgreSQL.
 *
 * @module
 */

import { checkInteger, TIMER_MAX_MS } from "../../protocol/checks.ts";
import { isCursor, ORIGIN, tagOf } from "../cursor.ts";
import { StoreTimeoutError } from "../deadline.ts";
import type { LogEntry, LogRecord } from "../entry.ts";
import type { CommitBudget } from "../commit_budget.ts";
import type { Growth } from "../growth.ts";
import type { ReadOptions, RoomLog } from "../room_log.ts";
import type { StoreEvent } from "../store_event.ts";
import { WithoutChanges } from "../without_changes.ts";
import { SteadyClock } from "../steady_clock.ts";
import { ENTRY_MAX_BYTES, PostgresCommitBudget } from "./limits.ts";
import { parsePostgresAddress, type PostgresAddress } from "./postgres_address.ts";
import type { PostgresRoomLogOptions } from "./postgres_options.ts";
import { PostgresPool } from "./postgres_pool.ts";
import { numberOf, PostgresReader } from "./postgres_reader.ts";
import { PostgresSweeper } from "./postgres_sweeper.ts";
import { PostgresWatch } from "./postgres_watch.ts";

/** Milliseconds that a call may take where nothing else is said. */
const TIMEOUT_MS = 10_000;
const REWRITE_ATTEMPTS = 100;
/** Milliseconds between two writes of health checks, so that a full disk shows. */
const WRITE_EVERY_MS = 10_000;
/** What stands between the bodies of a commit: JSON holds no such character. */
const SEPARATOR = "\x01";

const decoder = new TextDecoder();

/**
 * The logs of all rooms in one PostgreSQL: the store for several machines. A commit is one call of
 * one function, which takes a lock, a number and all of its entries, and holds the lock until that
 * is durable.
 *
 * @example
 * ```ts
 * import { Hub } from "@hubbub/hub";
 * import { PostgresFanout, PostgresRoomLog } from "@hubbub/hub/postgres";
 *
 * const [url] = Deno.args; // such as postgres://hubbub@db.example.com/hubbub?sslmode=verify-full
 * if (url) {
 *   await using log = await PostgresRoomLog.open(url);
 *   await using hub = new Hub(log, { fanout: new PostgresFanout(url) });
 *   await hub.publish("lobby", "ann", { text: "hello" });
 * }
 * ```
 */
export class PostgresRoomLog extends WithoutChanges implements RoomLog {
  /** Bytes that one entry may have. */
  readonly entryMaxBytes: number = ENTRY_MAX_BYTES;
  readonly #pool: PostgresPool;
  readonly #schema: string;
  readonly #reader: PostgresReader;
  readonly #watch: PostgresWatch;
  readonly #sweeper: PostgresSweeper;
  readonly #elapsed: () => number;
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  /** What is told to who attaches first: it was found when the database was opened. */
  readonly #found: StoreEvent[] = [];
  #writtenAt = -Infinity;

  private constructor(
    address: PostgresAddress,
    listen: PostgresAddress | undefined,
    options: PostgresRoomLogOptions,
  ) {
    const { retentionMs, timeoutMs = TIMEOUT_MS, schema = "hubbub" } = options;
    checkInteger("retentionMs", retentionMs, { min: 1 });
    checkInteger("timeoutMs", timeoutMs, { min: 1, max: TIMER_MAX_MS });
    if (!/^[a-z_][a-z0-9_]{0,39}$/.test(schema)) {
      throw new TypeError(`Cannot use schema "${schema}": it must be a-z, 0-9 and _, 40 at most`);
    }
    super();
    this.#schema = schema;
    const onEvent = (event: StoreEvent) => this.#emit(event);
    const pool = this.#pool = new PostgresPool({
      address,
      schema,
      timeoutMs,
      isPooled: listen !== undefined,
      onEvent,
    });
    this.#elapsed = options.elapsed ?? (() => performance.now());
    const clock = new SteadyClock(options.now ?? Date.now, this.#elapsed);
    const onDamaged = (room: string, cursor: string) =>
      onEvent({ type: "record_damaged", room, cursor });
    this.#reader = new PostgresReader({ pool, schema, clock, retentionMs, onDamaged });
    this.#watch = new PostgresWatch({ pool, schema, address: listen ?? address });
    const rooms = (options: { limit: number; after?: string }) => this.rooms(options);
    const { expiry } = this.#reader;
    this.#sweeper = new PostgresSweeper({ pool, schema, expiry, clock, rooms, onEvent });
  }

  /**
   * Connects to a database, and brings its tables up to date.
   *
   * @param url Its address, such as `postgres://user:password@host/database?sslmode=verify-full`.
   * @param options How long messages are kept, and how long the database may take.
   * @returns The logs in it.
   * @throws {TypeError} Where the address is none; the message holds no password.
   * @throws {RangeError} Where a number is out of range.
   * @throws Whatever the database rejects with.
   */
  static async open(url: string, options: PostgresRoomLogOptions = {}): Promise<PostgresRoomLog> {
    const { listen } = options;
    const address = parsePostgresAddress(url);
    const log = new PostgresRoomLog(
      address,
      listen === undefined ? undefined : parsePostgresAddress(listen),
      options,
    );
    try {
      await log.#pool.enter();
      await log.#check();
    } catch (error) {
      await log.close();
      throw error;
    }
    return log;
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.#sweeper.stop();
    await Promise.all([this.#watch.close(), this.#pool.close()]);
  }

  /** Does the same as {@linkcode PostgresRoomLog.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Reads the id of the database. */
  async databaseId(): Promise<string> {
    const [row] = await this.#query<{ value: string }>(
      "get",
      `select value from ${this.#schema}.system where name = 'id'`,
    );
    return row.value;
  }

  /** Begins to count what one commit may hold. */
  budget(): CommitBudget {
    return new PostgresCommitBudget();
  }

  /** Appends one entry to each of several rooms, all or nothing. */
  async append(entries: ReadonlyMap<string, LogEntry>): Promise<string> {
    this.checkNoChanges(entries);
    const all = [...entries.values()];
    const values = [
      [...entries.keys()].join(" "),
      all.map(({ bytes }) => decoder.decode(bytes)).join(SEPARATOR),
      `{${all.map(({ count }) => count - 1).join()}}`,
      `{${all.map(({ lastId }) => tagOf(lastId)).join()}}`,
    ];
    const text = `select ${this.#schema}.append($1, $2, $3, $4, $5, $6) as commit`;
    return await this.#pool.commit(async (sql, writer, generation) => {
      const parameters = [writer, generation, ...values];
      const [row] = await sql.unsafe<{ commit: string }[]>(text, parameters, { prepare: true });
      return row.commit;
    });
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
    for (let attempt = 0; attempt < REWRITE_ATTEMPTS; attempt++) {
      const text = await this.#reader.entry(room, commit);
      if (text === undefined) return false;
      const changed = change(text);
      if (changed === text || new TextEncoder().encode(changed).length > ENTRY_MAX_BYTES) {
        return false;
      }
      const written = await this.#query(
        "rewrite",
        `update ${this.#schema}.entries set body = $3 where room = $1 and place = $2 and body = $4 ` +
          "returning 1 as written",
        [room, numberOf(commit), changed, text],
      );
      if (written.length > 0) return true;
    }
    throw new Error(`Others go on rewriting commit ${commit} of room "${room}"`);
  }

  /** Watches for commits. */
  watch(): ReadableStream<string> {
    return this.#watch.watch();
  }

  /** Tells which rooms grew after a commit. */
  async grownSince(commit: string, before?: string): Promise<Growth | undefined> {
    return await this.#watch.grownSince(commit, before);
  }

  /** Tells whether the database answers, and takes writes. */
  async probe(timeoutMs: number): Promise<void> {
    const isDue = this.#elapsed() - this.#writtenAt >= WRITE_EVERY_MS;
    const text = isDue
      ? `insert into ${this.#schema}.system values ('probe', now()::text) ` +
        "on conflict (name) do update set value = excluded.value"
      : "select 1";
    await this.#pool.call("probe", (sql) => sql.unsafe(text), timeoutMs);
    if (isDue) this.#writtenAt = this.#elapsed();
  }

  /** Tells whether a record is to be shown, without reading anything. */
  keeps(room: string, record: LogRecord): boolean {
    return this.#reader.expiry.keeps(room, record);
  }

  /** Begins with upkeep: deletes what has expired, and reports. */
  attach(listener: (event: StoreEvent) => void): () => Promise<void> {
    this.#listeners.add(listener);
    for (const event of this.#found.splice(0)) listener(event);
    this.#sweeper.start();
    return async () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#sweeper.stop();
      await this.#pool.answered();
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

  /** Looks at what the server is set to. */
  async #check(): Promise<void> {
    const [{ encoding, sync }] = await this.#query<{ encoding: string; sync: string }>(
      "look at settings",
      "select current_setting('server_encoding') as encoding, " +
        "current_setting('synchronous_commit') as sync",
    );
    if (encoding !== "UTF8") {
      throw new Error(`The database is encoded in ${encoding}: messages need UTF8`);
    }
    if (sync === "off") this.#found.push({ type: "store_not_durable" });
  }

  async #query<R extends object>(
    name: string,
    text: string,
    values: (string | number)[] = [],
  ): Promise<R[]> {
    return await this.#pool.call(name, async (sql) => {
      return [...await sql.unsafe<R[]>(text, values, { prepare: true })];
    });
  }

  #emit(event: StoreEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

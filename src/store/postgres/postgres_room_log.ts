/**
 * Room logs in PostgreSQL.
 *
 * @module
 */

import type { ChangeRecord } from "../change.ts";
import type { StateItem } from "../change_entry.ts";
import { isCursor, isOfChange, ORIGIN } from "../cursor.ts";
import { StoreTimeoutError } from "../deadline.ts";
import type { LogEntry, LogRecord } from "../entry.ts";
import type { CommitBudget } from "../commit_budget.ts";
import type { Growth } from "../growth.ts";
import type { RoomLog } from "../room_log.ts";
import type { ChangesOptions, MessageStates, ReadOptions } from "../read_options.ts";
import type { StatesOptions } from "../read_options.ts";
import type { OnErased, RoomMeta } from "../room_meta.ts";
import type { StoreEvent } from "../store_event.ts";
import type { UserRooms } from "../user_rooms.ts";
import { SteadyClock } from "../steady_clock.ts";
import { ENTRY_MAX_BYTES, PostgresCommitBudget } from "./limits.ts";
import { parsePostgresAddress, type PostgresAddress } from "./postgres_address.ts";
import { PostgresChanges } from "./postgres_changes.ts";
import { commitBefore } from "./postgres_claims.ts";
import { valuesOf } from "./postgres_commit.ts";
import { checkPostgresOptions, type PostgresRoomLogOptions } from "./postgres_options.ts";
import { PostgresPool } from "./postgres_pool.ts";
import { PostgresProbe } from "./postgres_probe.ts";
import { PostgresReader } from "./postgres_reader.ts";
import { createPostgresUpkeep, type PostgresUpkeep } from "./postgres_upkeep.ts";
import { PostgresUserRooms } from "./postgres_user_rooms.ts";
import { PostgresWatch } from "./postgres_watch.ts";

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
export class PostgresRoomLog implements RoomLog {
  /** Bytes that one entry may have. */
  readonly entryMaxBytes: number = ENTRY_MAX_BYTES;
  /** The rooms that users were in, and how far they have read. */
  readonly userRooms: UserRooms;
  readonly #pool: PostgresPool;
  readonly #schema: string;
  readonly #reader: PostgresReader;
  readonly #watch: PostgresWatch;
  readonly #changes: PostgresChanges;
  readonly #upkeep: PostgresUpkeep;
  readonly #probe: PostgresProbe;
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  /** What is told to who attaches first: it was found when the database was opened. */
  readonly #found: StoreEvent[] = [];

  private constructor(
    address: PostgresAddress,
    listen: PostgresAddress | undefined,
    options: PostgresRoomLogOptions,
  ) {
    const { retentionMs, schema, timeoutMs } = checkPostgresOptions(options);
    this.#schema = schema;
    const onEvent = (event: StoreEvent) => this.#emit(event);
    const pool = this.#pool = new PostgresPool({
      address,
      schema,
      timeoutMs,
      isPooled: listen !== undefined,
      onEvent,
    });
    this.userRooms = new PostgresUserRooms({ pool, schema });
    const elapsed = options.elapsed ?? (() => performance.now());
    const clock = new SteadyClock(options.now ?? Date.now, elapsed);
    this.#probe = new PostgresProbe({ pool, schema, elapsed });
    const onDamaged = (room: string, cursor: string) =>
      onEvent({ type: "record_damaged", room, cursor });
    this.#reader = new PostgresReader({ pool, schema, clock, retentionMs, onDamaged });
    this.#watch = new PostgresWatch({ pool, schema, address: listen ?? address });
    const rooms = (options: { limit: number; after?: string }) => this.rooms(options);
    const { expiry, places } = this.#reader;
    const forChanges = { pool, schema, expiry, places, onDamaged };
    const changes = this.#changes = new PostgresChanges(forChanges);
    const forUpkeep = { pool, schema, expiry, changes, clock, elapsed, rooms, onEvent };
    this.#upkeep = createPostgresUpkeep(forUpkeep);
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
    const listen = options.listen === undefined ? undefined : parsePostgresAddress(options.listen);
    const log = new PostgresRoomLog(parsePostgresAddress(url), listen, options);
    try {
      log.#found.push(...await log.#pool.enter());
    } catch (error) {
      await log.close();
      throw error;
    }
    return log;
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.#upkeep.stop();
    await Promise.all([this.#watch.close(), this.#pool.close()]);
  }

  /** Does the same as {@linkcode PostgresRoomLog.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Reads the id of the database. */
  async databaseId(): Promise<string> {
    const text = `select value from ${this.#schema}.system where name = 'id'`;
    const [{ value }] = await this.#pool.call("get", async (sql) => [
      ...await sql.unsafe<{ value: string }[]>(text, [], { prepare: true }),
    ]);
    return value;
  }

  /** Begins to count what one commit may hold. */
  budget(): CommitBudget {
    return new PostgresCommitBudget();
  }

  /** Appends one entry to each of several rooms, all or nothing. */
  async append(entries: ReadonlyMap<string, LogEntry>): Promise<string> {
    const values = valuesOf(entries);
    const text = `select ${this.#schema}.append($1, $2, $3, $4, $5, $6, $7) as commit`;
    return await this.#pool.commit(async (sql, writer, generation) => {
      const parameters = [writer, generation, ...values];
      const appending = sql.unsafe<{ commit: string }[]>(text, parameters, { prepare: true });
      return await appending.then(([row]) => row.commit, commitBefore);
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
    return await this.#changes.meta(room);
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

  /** Leaves it to the server, whose autovacuum gives space back. */
  compact(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Tells whether everything after a place is still there. */
  async has(room: string, cursor: string): Promise<boolean> {
    if (cursor === ORIGIN) return await this.#reader.isWhole(room);
    if (isCursor(cursor) && isOfChange(cursor)) return await this.#changes.has(room, cursor);
    return await this.get(room, cursor) !== undefined;
  }

  /** Tells whether a record that was read before is gone although nobody removed it. */
  async isLost(room: string, cursor: string): Promise<boolean> {
    return await this.#reader.places.isLost(room, cursor);
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
    return await this.#upkeep.eraser.rewrite(room, commit, change, ENTRY_MAX_BYTES);
  }

  /** Watches for commits. */
  watch(): ReadableStream<string> {
    return this.#watch.watch();
  }

  /** Tells which rooms grew after a commit. */
  async grownSince(commit: string, until?: string): Promise<Growth | undefined> {
    return await this.#watch.grownSince(commit, until);
  }

  /** Tells whether the database answers, and takes writes. */
  async probe(timeoutMs: number): Promise<void> {
    await this.#probe.run(timeoutMs);
  }

  /** Tells whether a record is to be shown, without reading anything. */
  keeps(room: string, record: LogRecord): boolean {
    return this.#reader.expiry.keeps(room, record);
  }

  /** Begins with upkeep: deletes what has expired, and reports. */
  attach(listener: (event: StoreEvent) => void): () => Promise<void> {
    this.#listeners.add(listener);
    for (const event of this.#found.splice(0)) listener(event);
    this.#upkeep.start();
    return async () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#upkeep.stop();
      await this.#pool.answered();
    };
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

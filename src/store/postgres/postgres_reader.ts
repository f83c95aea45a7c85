/**
 * Reading room logs in PostgreSQL.
 *
 * @module
 */

import { COMMIT_LENGTH, commitOf, cursorAt, ORIGIN, placeOf } from "../cursor.ts";
import { decodeEntry, type LogRecord } from "../entry.ts";
import { PlaceLostError } from "../place_lost.ts";
import type { ReadOptions } from "../read_options.ts";
import { holdsRecord } from "../standing.ts";
import { PostgresExpiry, type PostgresExpiryOptions } from "./postgres_expiry.ts";
import { PostgresPlaces } from "./postgres_places.ts";
import { counted, numberOf } from "./counted_places.ts";
import type { Sql } from "./postgres_pool.ts";

/** Entries that one query brings at most, and the bytes of them after which it brings no more. */
const READ_ENTRIES = 512;
const READ_BYTES = 1024 * 1024;
/** Damaged places that are remembered, so that each is reported once. */
const DAMAGED_MAX = 1_000;
/** A cursor after all others. */
const END = "z".repeat(ORIGIN.length);

/** What {@linkcode PostgresReader} reads. */
export interface PostgresReaderOptions extends PostgresExpiryOptions {
  /** Called once for each record that cannot be read. */
  readonly onDamaged: (room: string, cursor: string) => void;
}

/** An entry as the database gives it. */
interface Row {
  readonly commit: string;
  readonly body: string;
}

/** Reads room logs. */
export class PostgresReader {
  readonly #options: PostgresReaderOptions;
  readonly #damaged = new Set<string>();
  /** What has expired. */
  readonly expiry: PostgresExpiry;
  /** Knows whether records were lost. */
  readonly places: PostgresPlaces;

  /** @param options What to read. */
  constructor(options: PostgresReaderOptions) {
    this.#options = options;
    const expiry = this.expiry = new PostgresExpiry(options);
    this.places = new PostgresPlaces({ ...options, expiry });
  }

  /** Reads the records before a place; without one, the newest. */
  async before(room: string, options: ReadOptions, cursor: string = END): Promise<LogRecord[]> {
    const { limit, shownOnly, maxLength = Infinity } = options;
    if (limit <= 0) return [];
    const first = await this.expiry.first(room);
    const place = placeOf(cursor);
    const found: LogRecord[] = [];
    let length = 0;
    const range = { from: commitOf(first), to: commitOf(cursor), limit };
    await this.#entries("read back", { room, ...range, isBackward: true }, (records) => {
      for (let i = records.length - 1; i >= 0; i--) {
        const record = records[i];
        if (placeOf(record.cursor) >= place || record.cursor < first) continue;
        if (shownOnly && record.repeats) continue;
        found.push(record);
        length += record.envelope.length;
        if (found.length >= limit || length >= maxLength) return false;
      }
      return true;
    });
    return found.reverse();
  }

  /** Reads the records after a place. */
  async after(room: string, options: ReadOptions, cursor: string): Promise<LogRecord[]> {
    const { limit, until, shownOnly, follows = false, maxLength = Infinity } = options;
    if (limit <= 0) return [];
    const first = await this.expiry.first(room);
    const place = placeOf(cursor);
    if (until !== undefined && placeOf(until) <= place) return [];
    const found: LogRecord[] = [];
    let length = 0;
    const from = commitOf(cursor < first ? first : cursor);
    const range = { from, to: commitOf(until ?? END), limit };
    // The record that is followed comes with the first entry, in the same read.
    let isSure = !follows || cursor === ORIGIN || cursor < first;
    await this.#entries("read on", { room, ...range, isBackward: false }, (records, entry) => {
      isSure ||= entry.commit === commitOf(cursor) && holdsRecord(entry.body, room, cursor);
      for (const record of records) {
        if (placeOf(record.cursor) <= place || record.cursor < first) continue;
        if (until !== undefined && record.cursor > until) return false;
        if (shownOnly && record.repeats) continue;
        found.push(record);
        length += record.envelope.length;
        if (found.length >= limit || length >= maxLength) return false;
      }
      return true;
    });
    if (!isSure && await this.places.isLost(room, cursor)) throw new PlaceLostError(room, cursor);
    return found;
  }

  /** Reads the record at a place. */
  async get(room: string, cursor: string): Promise<LogRecord | undefined> {
    if (cursor < await this.expiry.first(room)) return undefined;
    const commit = commitOf(cursor);
    const text = await this.entry(room, commit);
    if (text === undefined) return undefined;
    return this.#decode(room, commit, text).find((record) => record.cursor === cursor);
  }

  /** Reads the entry of a commit. */
  async entry(room: string, commit: string): Promise<string | undefined> {
    const [row] = await this.#query<{ body: string }>(
      "get",
      (schema) =>
        `select body from ${schema}.entries where room = $1 and place = $2 and ${counted(schema)}`,
      [room, numberOf(commit)],
    );
    return row?.body;
  }

  /** Tells whether nothing was removed from the beginning of a log. */
  async isWhole(room: string): Promise<boolean> {
    if (await this.expiry.first(room) !== ORIGIN) return false;
    const [row] = await this.#query<{ whole: boolean }>(
      "get",
      (schema) =>
        `select swept is null and from_place is null as whole from ${schema}.rooms where room = $1`,
      [room],
    );
    return row?.whole ?? true;
  }

  /** Reads where logs end. */
  async heads(rooms: readonly string[]): Promise<string[]> {
    const rows = await this.#query<{ room: string; commit: string; index: number; tag: number }>(
      "read heads",
      (schema) =>
        `select room, ${schema}.commit_of(place) as commit, index, tag from ${schema}.rooms ` +
        `where room = any(string_to_array($1, ' '))`,
      // No name of a room holds a space.
      [rooms.join(" ")],
    );
    const heads = new Map(rows.map(({ room, commit, index, tag }) => {
      return [room, cursorAt(commit, index, tag)];
    }));
    return rooms.map((room) => heads.get(room) ?? ORIGIN);
  }

  /** Lists rooms. */
  async rooms(limit: number, after = ""): Promise<string[]> {
    const rows = await this.#query<{ room: string }>(
      "list rooms",
      (schema) =>
        `select room from ${schema}.rooms as known where room > $1 and (
          from_place is null or exists (
            select from ${schema}.entries
            where entries.room = known.room and entries.place > known.from_place
          )
        ) order by room limit $2`,
      [after, Math.min(limit, 1e9)],
    );
    return rows.map(({ room }) => room);
  }

  async #query<R extends object>(
    name: string,
    text: (schema: string) => string,
    values: (string | number)[],
  ): Promise<R[]> {
    const { pool, schema } = this.#options;
    return await pool.call(name, async (sql) => {
      return [...await sql.unsafe<R[]>(text(schema), values, { prepare: true })];
    });
  }

  /** Hands out entries between two commits, both included, until that was enough. */
  async #entries(
    name: string,
    range: { room: string; from: string; to: string; limit: number; isBackward: boolean },
    visit: (records: LogRecord[], entry: Row) => boolean,
  ): Promise<void> {
    const { pool } = this.#options;
    const { room, isBackward } = range;
    let [from, to] = [BigInt(numberOf(range.from)), BigInt(numberOf(range.to))];
    const limit = Math.min(range.limit, READ_ENTRIES);
    await pool.call(name, async (sql, progress) => {
      while (from <= to) {
        const rows = await this.#page(sql, { room, from, to, limit, isBackward });
        progress();
        for (const row of rows) {
          if (!visit(this.#decode(room, row.commit, row.body), row)) return;
        }
        // Where bytes ended it there is more; where entries did, there may be.
        if (rows.length === 0) return;
        const last = BigInt(`0x${rows[rows.length - 1].commit}`);
        if (isBackward) to = last - 1n;
        else from = last + 1n;
      }
    });
  }

  async #page(
    sql: Sql,
    range: { room: string; from: bigint; to: bigint; limit: number; isBackward: boolean },
  ): Promise<Row[]> {
    const { schema } = this.#options;
    const order = range.isBackward ? "desc" : "asc";
    return [
      ...await sql.unsafe<Row[]>(
        `select ${schema}.commit_of(place) as commit, body from (
          select place, body,
            sum(octet_length(body)) over (order by place ${order}) - octet_length(body) as ahead
          from (
            select place, body from ${schema}.entries
            where room = $1 and place between $2 and $3 and ${counted(schema)}
            order by place ${order} limit $4
          ) as page
        ) as sized where ahead < ${READ_BYTES} order by place ${order}`,
        [range.room, String(range.from), String(range.to), range.limit],
        { prepare: true },
      ),
    ];
  }

  #decode(room: string, commit: string, text: string): LogRecord[] {
    return decodeEntry(text, { room, commit }, (index) => {
      const cursor = cursorAt(commit.padStart(COMMIT_LENGTH, "0"), index, 0);
      const place = `${room} ${cursor}`;
      if (this.#damaged.has(place) || this.#damaged.size >= DAMAGED_MAX) return;
      this.#damaged.add(place);
      this.#options.onDamaged(room, cursor);
    });
  }
}

/**
 * Changes and states in PostgreSQL.
 *
 * @module
 */

import { type ChangeRecord, decodeChanges } from "../change.ts";
import type { StateItem } from "../change_entry.ts";
import { commitOf, cursorAt, placeOf } from "../cursor.ts";
import type { ChangesOptions, MessageStates, StatesOptions } from "../read_options.ts";
import type { RoomMeta } from "../room_log.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import { numberOf, type PostgresExpiry } from "./postgres_reader.ts";

/** Entries that one query brings. */
const READ_ENTRIES = 100;
/** More states than one message, or a page of them, has. */
const STATES_MAX = 1e9;
/** What stands between the parts of a state's name: it sorts before all that they may hold. */
export const PART_END = "\x01";

/** A state as the database gives it. */
interface StateRow {
  readonly message: string;
  readonly name: string | null;
  readonly value: string;
  readonly commit: string;
  readonly index: number;
  readonly tag: number;
}

/** What {@linkcode PostgresChanges} reads. */
export interface PostgresChangesOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
  /** What has expired. */
  readonly expiry: PostgresExpiry;
  /** Called for each record that cannot be read. */
  readonly onDamaged: (room: string, cursor: string) => void;
}

/** Reads changes and states. */
export class PostgresChanges {
  readonly #options: PostgresChangesOptions;

  /** @param options What to read. */
  constructor(options: PostgresChangesOptions) {
    this.#options = options;
  }

  /** As in {@linkcode RoomLog.changes}. */
  async changes(room: string, cursor: string, options: ChangesOptions): Promise<ChangeRecord[]> {
    const { pool, schema, expiry } = this.#options;
    const { limit, until, newest = false } = options;
    const place = placeOf(cursor);
    if (limit <= 0 || (until !== undefined && placeOf(until) <= place)) return [];
    const first = await expiry.first(room);
    let to = until === undefined ? null : numberOf(commitOf(until));
    let from = BigInt(numberOf(commitOf(cursor)));
    const order = newest ? "desc" : "asc";
    const found: ChangeRecord[] = [];
    return await pool.call("read changes", async (sql, progress) => {
      for (;;) {
        const rows = await sql.unsafe<{ commit: string; body: string }[]>(
          `select ${schema}.commit_of(place) as commit, body from ${schema}.changes
          where room = $1 and place >= $2 and ($3::bigint is null or place <= $3::bigint)
          order by place ${order} limit $4`,
          [room, String(from), to, READ_ENTRIES],
          { prepare: true },
        );
        progress();
        for (const { commit, body } of rows) {
          const records = this.#decode(room, commit, body);
          for (const record of newest ? records.reverse() : records) {
            if (placeOf(record.cursor) <= place) continue;
            if (until !== undefined && record.cursor > until) continue;
            if (record.kind !== "control" && record.message < first) continue;
            found.push(record);
            if (found.length >= limit) return newest ? found.reverse() : found;
          }
        }
        if (rows.length < READ_ENTRIES) return newest ? found.reverse() : found;
        const last = BigInt(`0x${rows[rows.length - 1].commit}`);
        if (newest) to = String(last - 1n);
        else from = last + 1n;
      }
    });
  }

  /** Whether a change stands at a place. */
  async has(room: string, cursor: string): Promise<boolean> {
    const commit = commitOf(cursor);
    const [row] = await this.#query<{ body: string }>(
      "get",
      "select body from @.changes where room = $1 and place = $2",
      [room, numberOf(commit)],
    );
    return row !== undefined &&
      this.#decode(room, commit, row.body).some((record) => record.cursor === cursor);
  }

  /** As in {@linkcode RoomLog.meta}. */
  async meta(room: string): Promise<RoomMeta> {
    const [row] = await this.#query<{ changes: boolean; controls: boolean }>(
      "read meta",
      "select has_changes as changes, has_controls as controls from @.rooms where room = $1",
      [room],
    );
    return { hasChanges: row?.changes ?? false, hasControls: row?.controls ?? false };
  }

  /** As in {@linkcode RoomLog.controls}. */
  async controls(room: string): Promise<StateItem[]> {
    const rows = await this.#query<StateRow>(
      "read controls",
      `select message, name, value, @.commit_of(place) as commit, index, tag from @.states
      where room = $1 and message = '' order by name`,
      [room],
    );
    return rows.map(itemOf);
  }

  /** As in {@linkcode RoomLog.states}: one statement, and so one moment for all of them. */
  async states(room: string, options: StatesOptions): Promise<MessageStates> {
    const { from, to, limit, reverse = false } = options;
    const order = reverse ? "desc" : "asc";
    const rows = await this.#query<StateRow>(
      "read states",
      `with sized as materialized (
        select message, name, value, place, index, tag,
          count(*) over (order by message ${order}) - count(*) over (partition by message) as ahead
        from @.states where room = $1 and message between $2 and $3
      ), next as (
        select message from sized where ahead >= $4 order by message ${order} limit 1
      )
      select message, name, value, @.commit_of(place) as commit, index, tag
      from sized where ahead < $4
      union all
      select message, null, '', '', 0, 0 from next
      order by message ${order}, name`,
      [room, from, to, Math.min(limit, STATES_MAX)],
    );
    const messages = new Map<string, StateItem[]>();
    let next: string | undefined;
    for (const row of rows) {
      if (row.name === null) {
        next = row.message;
        continue;
      }
      const items = messages.get(row.message);
      if (items) items.push(itemOf(row));
      else messages.set(row.message, [itemOf(row)]);
    }
    return { messages, next };
  }

  async #query<R extends object>(
    name: string,
    text: string,
    values: (string | number)[],
  ): Promise<R[]> {
    const { pool, schema } = this.#options;
    return await pool.call(name, async (sql) => {
      return [...await sql.unsafe<R[]>(text.replaceAll("@", schema), values, { prepare: true })];
    });
  }

  #decode(room: string, commit: string, text: string): ChangeRecord[] {
    return decodeChanges(text, commit, (index) => {
      this.#options.onDamaged(room, cursorAt(commit, index, 0));
    });
  }
}

function itemOf({ name, value, commit, index, tag }: StateRow): StateItem {
  return { name: name!.split(PART_END), value, cursor: cursorAt(commit, index, tag) };
}

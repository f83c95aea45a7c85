/**
 * Changes and states in PostgreSQL.
 *
 * @module
 */

import { type ChangeRecord, decodeChanges } from "../change.ts";
import type { StateItem } from "../change_entry.ts";
import { commitOf, cursorAt, ORIGIN, placeOf } from "../cursor.ts";
import { PlaceLostError } from "../place_lost.ts";
import type { ChangesOptions, MessageStates, StatesOptions } from "../read_options.ts";
import type { RoomMeta } from "../room_meta.ts";
import { holdsRecord } from "../standing.ts";
import { type FromRow, numberOf, originOf } from "./counted_places.ts";
import type { PostgresPlaces } from "./postgres_places.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import type { PostgresExpiry } from "./postgres_expiry.ts";

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

/** The changes of a commit as the database gives them. */
interface ChangesRow extends FromRow {
  readonly commit: string;
  readonly body: string;
}

/** What a room has besides messages as the database gives it. */
interface MetaRow extends FromRow {
  readonly changes: boolean;
  readonly controls: boolean;
  readonly erasing: string | null;
}

/** What {@linkcode PostgresChanges} reads. */
export interface PostgresChangesOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
  /** What has expired. */
  readonly expiry: PostgresExpiry;
  /** Knows whether records were lost. */
  readonly places: PostgresPlaces;
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
    const { pool, schema, expiry, places } = this.#options;
    const { limit, until, newest = false, follows = false } = options;
    const place = placeOf(cursor);
    if (limit <= 0 || (until !== undefined && placeOf(until) <= place)) return [];
    const first = await expiry.first(room);
    let to = until === undefined ? null : numberOf(commitOf(until));
    let from = BigInt(numberOf(commitOf(cursor)));
    const order = newest ? "desc" : "asc";
    const found: ChangeRecord[] = [];
    let isSure = !follows;
    const read = await pool.call("read changes", async (sql, progress) => {
      for (;;) {
        const rows = await sql.unsafe<ChangesRow[]>(
          `select ${schema}.commit_of(c.place) as commit, c.body,
            ${schema}.commit_of(r.from_place) as "fromCommit",
            r.from_index as "fromIndex", r.from_tag as "fromTag"
          from ${schema}.changes as c left join ${schema}.rooms as r on r.room = $1
          where c.room = $1 and c.place >= $2 and ($3::bigint is null or c.place <= $3::bigint)
            and c.place >= coalesce((select from_place from ${schema}.rooms where room = $1), 0)
          order by c.place ${order} limit $4`,
          [room, String(from), to, READ_ENTRIES],
          { prepare: true },
        );
        progress();
        for (const { commit, body, ...row } of rows) {
          const counted = originOf(row);
          isSure ||= commit === commitOf(cursor) && holdsRecord(body, room, cursor);
          const records = this.#decode(room, commit, body);
          for (const record of newest ? records.reverse() : records) {
            if (placeOf(record.cursor) <= place || record.cursor < counted) continue;
            if (until !== undefined && record.cursor > until) continue;
            if (record.kind !== "control" && record.message < max(first, counted)) continue;
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
    if (!isSure && await places.isLost(room, cursor)) throw new PlaceLostError(room, cursor);
    return read;
  }

  /** Whether a change stands at a place. */
  async has(room: string, cursor: string): Promise<boolean> {
    const commit = commitOf(cursor);
    const [row] = await this.#query<ChangesRow>(
      "get",
      `select '' as commit, c.body, @.commit_of(r.from_place) as "fromCommit",
        r.from_index as "fromIndex", r.from_tag as "fromTag"
      from @.changes as c left join @.rooms as r on r.room = $1
      where c.room = $1 and c.place = $2`,
      [room, numberOf(commit)],
    );
    return row !== undefined && cursor >= originOf(row) &&
      this.#decode(room, commit, row.body).some((record) => record.cursor === cursor);
  }

  /** As in {@linkcode RoomLog.meta}. */
  async meta(room: string): Promise<RoomMeta> {
    const [row] = await this.#query<MetaRow>(
      "read meta",
      `select has_changes as changes, has_controls as controls,
        @.commit_of(from_place) as "fromCommit", from_index as "fromIndex", from_tag as "fromTag",
        (
          select json_agg(json_build_array(who, @.commit_of(e.place), e.index, e.tag))::text
          from @.erasing as e where e.room = $1
        ) as erasing
      from @.rooms where room = $1`,
      [room],
    );
    const erasing = JSON.parse(row?.erasing ?? "[]") as [string, string, number, number][];
    return {
      hasChanges: row?.changes ?? false,
      hasControls: row?.controls ?? false,
      from: row ? originOf(row) : ORIGIN,
      erasing: new Map(erasing.map(([who, ...place]) => [who, cursorAt(...place)])),
    };
  }

  /** As in {@linkcode RoomLog.controls}. */
  async controls(room: string): Promise<StateItem[]> {
    const rows = await this.#query<StateRow>(
      "read controls",
      `select message, name, value, @.commit_of(s.place) as commit, s.index, s.tag
      from @.states as s join @.rooms as r on r.room = $1
      where s.room = $1 and message = ''
        and (from_place is null or (s.place, s.index) > (from_place, from_index))
      order by name`,
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
      union all
      select '', null, '', @.commit_of(from_place), from_index, from_tag
      from @.rooms where room = $1 and from_place is not null
      order by message ${order}, name`,
      [room, from, to, Math.min(limit, STATES_MAX)],
    );
    const messages = new Map<string, StateItem[]>();
    let next: string | undefined;
    let counted = ORIGIN;
    for (const row of rows) {
      if (row.name === null) {
        // No message has no name.
        if (row.message === "") counted = cursorAt(row.commit, row.index, row.tag);
        else next = row.message;
        continue;
      }
      const items = messages.get(row.message);
      if (items) items.push(itemOf(row));
      else messages.set(row.message, [itemOf(row)]);
    }
    for (const message of messages.keys()) if (message < counted) messages.delete(message);
    return { messages, next, from: counted };
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

function max(one: string, other: string): string {
  return one > other ? one : other;
}

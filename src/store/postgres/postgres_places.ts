/**
 * Whether records still stand where they stood, in PostgreSQL.
 *
 * @module
 */

import { commitOf, isOfChange, ORIGIN } from "../cursor.ts";
import { holdsRecord } from "../standing.ts";
import { type FromRow, numberOf, originOf } from "./counted_places.ts";
import type { PostgresExpiry } from "./postgres_expiry.ts";
import type { PostgresPool } from "./postgres_pool.ts";

/** What {@linkcode PostgresPlaces} looks at. */
export interface PostgresPlacesOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
  /** What has expired. */
  readonly expiry: PostgresExpiry;
}

/** What the database knows of a place. */
interface PlaceRow extends FromRow {
  readonly body: string | null;
  readonly swept: string | null;
}

/** Knows whether records were lost: see `RoomLog.isLost()`. */
export class PostgresPlaces {
  readonly #options: PostgresPlacesOptions;

  /** @param options The database. */
  constructor(options: PostgresPlacesOptions) {
    this.#options = options;
  }

  /** As in {@linkcode RoomLog.isLost}. */
  async isLost(room: string, cursor: string): Promise<boolean> {
    if (cursor === ORIGIN) return false;
    const { pool, schema, expiry } = this.#options;
    const commit = commitOf(cursor);
    const table = isOfChange(cursor) ? "changes" : "entries";
    const [row] = await pool.call("get", async (sql) => [
      ...await sql.unsafe<PlaceRow[]>(
        `select e.body, r.swept, ${schema}.commit_of(r.from_place) as "fromCommit",
          r.from_index as "fromIndex", r.from_tag as "fromTag"
        from (select 1) as one
          left join ${schema}.${table} as e on e.room = $1 and e.place = $2
          left join ${schema}.rooms as r on r.room = $1`,
        [room, numberOf(commit)],
        { prepare: true },
      ),
    ]);
    if (row.body !== null) return !holdsRecord(row.body, room, cursor);
    // Retention may have removed it, as this isolate or the database knows; or its room is gone.
    if (row.swept !== null && commit < row.swept) return false;
    if (cursor < originOf(row)) return false;
    return cursor >= await expiry.first(room);
  }
}

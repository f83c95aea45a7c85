/**
 * Where the messages that are kept begin, in PostgreSQL.
 *
 * @module
 */

import { Expiry, type ExpiryOptions } from "../expiry.ts";
import { counted, numberOf } from "./counted_places.ts";
import type { PostgresPool } from "./postgres_pool.ts";

/** Entries that are looked at together for how old they are: mostly the first one is young enough. */
const SCAN_ENTRIES = 8;
const SCAN_ENTRIES_MAX = 512;

/** What {@linkcode PostgresExpiry} reads. */
export interface PostgresExpiryOptions extends ExpiryOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
}

/** Hides what has expired of logs in PostgreSQL. */
export class PostgresExpiry extends Expiry {
  readonly #options: PostgresExpiryOptions;

  /** @param options What is kept, and for how long. */
  constructor(options: PostgresExpiryOptions) {
    super(options);
    this.#options = options;
  }

  /** Reads the entries of a room from a commit on, in order. */
  protected override async scan(
    room: string,
    from: string,
    visit: (commit: string, text: string) => boolean,
  ): Promise<void> {
    const { pool, schema } = this.#options;
    let start = numberOf(from);
    await pool.call("find what expired", async (sql, progress) => {
      for (let limit = SCAN_ENTRIES;; limit = Math.min(2 * limit, SCAN_ENTRIES_MAX)) {
        const rows = await sql.unsafe<{ place: string; commit: string; body: string }[]>(
          `select place, ${schema}.commit_of(place) as commit, body from ${schema}.entries ` +
            `where room = $1 and place >= $2 and ${counted(schema)} order by place limit $3`,
          [room, start, limit],
          { prepare: true },
        );
        progress();
        for (const { commit, body } of rows) if (!visit(commit, body)) return;
        if (rows.length < limit) return;
        start = String(BigInt(rows[rows.length - 1].place) + 1n);
      }
    });
  }
}

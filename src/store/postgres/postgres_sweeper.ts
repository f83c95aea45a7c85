/**
 * Deleting what has expired, in PostgreSQL.
 *
 * @module
 */

import { CHANGES_FROM, cursorAt } from "../cursor.ts";
import { PASS_MS, Sweeper, type SweeperOptions } from "../sweeper.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import { numberOf } from "./counted_places.ts";

/** Entries that one statement deletes: it holds their locks. */
const BATCH = 1_000;

/** What {@linkcode PostgresSweeper} sweeps. */
export interface PostgresSweeperOptions extends SweeperOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
}

/** Deletes the beginnings of logs that have expired from PostgreSQL. */
export class PostgresSweeper extends Sweeper {
  readonly #options: PostgresSweeperOptions;

  /** @param options What to sweep. */
  constructor(options: PostgresSweeperOptions) {
    super(options);
    this.#options = options;
  }

  /** Takes, renews or ends the lease, unless another isolate has it. */
  protected override async writeLease(ms: number, holder: string | undefined): Promise<boolean> {
    const { clock, pool, schema } = this.#options;
    const now = Math.floor(clock.now());
    // What lies further ahead than any lease was written by a clock that was wrong.
    const written = await pool.call("take the lease", (sql) => {
      return sql.unsafe(
        `insert into ${schema}.leases as lease values ('sweep', $1, $2)
        on conflict (name) do update set until = excluded.until, holder = excluded.holder
        where lease.holder = $3 or lease.until <= $4 or lease.until > $5
        returning 1 as written`,
        [String(now + ms), holder ?? null, this.id, String(now), String(now + PASS_MS)],
      );
    });
    return written.length > 0;
  }

  /** Deletes the beginning of a room's log. */
  protected override async remove(room: string, before: string): Promise<number> {
    const { pool, schema } = this.#options;
    const isIncluded = before.endsWith("~");
    const place = numberOf(isIncluded ? before.slice(0, -1) : before);
    // What belongs to messages goes with them; changes stand behind theirs.
    const commit = before.replace("~", "");
    const message = cursorAt(commit, isIncluded ? CHANGES_FROM : 0, 0);
    for (
      const [table, column, end] of [
        ["changes", "place", place],
        ["states", "message", message],
        ["edits", "message", message],
      ] as const
    ) {
      const isPlace = column === "place" && isIncluded;
      const rest = column === "message" ? " and message <> ''" : "";
      await pool.call("delete what expired", (sql) => {
        return sql.unsafe(
          `delete from ${schema}.${table} where room = $1 and ${column} ${
            isPlace ? "<=" : "<"
          } $2${rest}`,
          [room, end],
        );
      });
    }
    let deleted = 0;
    for (;;) {
      // Marked first: where it is cut off, everybody knows that the beginning is not whole.
      const { count } = await pool.call("delete what expired", async (sql) => {
        await sql.unsafe(`update ${schema}.rooms set swept = $2 where room = $1`, [room, before]);
        return await sql.unsafe(
          `delete from ${schema}.entries where room = $1 and place in (
            select place from ${schema}.entries
            where room = $1 and place ${isIncluded ? "<=" : "<"} $2 order by place limit $3
          )`,
          [room, place, BATCH],
        );
      });
      deleted += count;
      if (count < BATCH) return deleted;
    }
  }
}

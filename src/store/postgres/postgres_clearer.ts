/**
 * Deleting what stood in deleted rooms, in PostgreSQL.
 *
 * @module
 */

import { eraseChanges } from "../change.ts";
import { CHANGES_FROM, commitOf, indexOf, ORIGIN } from "../cursor.ts";
import { NOTHING, type StoreTask, type TaskStep } from "../store_tasks.ts";
import type { PostgresChanges } from "./postgres_changes.ts";
import type { PostgresEraser } from "./postgres_eraser.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import { numberOf } from "./counted_places.ts";

/** Rows that one statement deletes: it holds their locks. */
const BATCH = 1_000;

/** What {@linkcode PostgresClearer} deletes from. */
export interface PostgresClearerOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
  /** Knows where logs count from. */
  readonly changes: PostgresChanges;
  /** Rewrites entries. */
  readonly eraser: PostgresEraser;
}

/** Deletes what stands before the place from which a room's log counts. Nobody reads it any more. */
export class PostgresClearer {
  readonly #options: PostgresClearerOptions;

  /** @param options The database. */
  constructor(options: PostgresClearerOptions) {
    this.#options = options;
  }

  /** Deletes the first rows that are found. */
  async step({ room }: StoreTask): Promise<TaskStep> {
    const { changes, eraser } = this.#options;
    const { from } = await changes.meta(room);
    if (from === ORIGIN) return { after: undefined, erased: NOTHING };
    const commit = commitOf(from);
    const place = numberOf(commit);
    for (
      const [table, condition, value] of [
        ["states", "message <> '' and message < $2", from],
        ["edits", "message < $2", from],
        ["erasures", "message < $2", from],
        ["changes", "place < $2", place],
        // Messages of the commit that deleted the room stand before that.
        ["entries", "place <= $2", place],
        ["erasing", "place < $2", place],
        ["states", `message = '' and (place, index) < ($2::bigint, ${indexOf(from)})`, place],
      ] as const
    ) {
      const count = await this.#delete(
        `delete from @.${table} where ctid in (
          select ctid from @.${table} where room = $1 and ${condition} limit ${BATCH}
        )`,
        [room, value],
      );
      if (count > 0) return { after: "", erased: NOTHING };
    }
    await eraser.rewriteChanges(room, commit, (text) => {
      return eraseChanges(text, (position) => CHANGES_FROM + position < indexOf(from));
    });
    return { after: undefined, erased: NOTHING };
  }

  async #delete(text: string, values: string[]): Promise<number> {
    const { pool, schema } = this.#options;
    const { count } = await pool.call("delete what was deleted", (sql) => {
      return sql.unsafe(text.replaceAll("@", schema), values);
    });
    return count;
  }
}

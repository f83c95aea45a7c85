/**
 * Erasing of what users wrote, in PostgreSQL.
 *
 * @module
 */

import { eraseChanges, reactionsOf } from "../change.ts";
import { CHANGES_FROM, commitOf, cursorAt, indexOf, tagOf } from "../cursor.ts";
import { eraseLines, linesOf } from "../entry_line.ts";
import { NOTHING, type StoreTask, type TaskStep } from "../store_tasks.ts";
import { PART_END, type PostgresChanges } from "./postgres_changes.ts";
import type { PostgresEraser } from "./postgres_eraser.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import { counted, numberOf } from "./counted_places.ts";

/** Entries that one step looks at. */
const STEP = 64;
/** How the place of a step begins that is at messages, and at changes. */
const MESSAGES = "m";
const CHANGES = "c";

/** What {@linkcode PostgresUserEraser} erases from. */
export interface PostgresUserEraserOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
  /** The states of messages, and who is being erased. */
  readonly changes: PostgresChanges;
  /** Rewrites entries. */
  readonly eraser: PostgresEraser;
}

/** An entry that may hold something of a user. */
interface Found {
  readonly place: string;
  readonly commit: string;
  readonly body: string;
}

/** Erases what a user wrote in a room, up to the place that says so. */
export class PostgresUserEraser {
  readonly #options: PostgresUserEraserOptions;

  /** @param options The database. */
  constructor(options: PostgresUserEraserOptions) {
    this.#options = options;
  }

  /** Erases what some entries hold: first messages, then reactions. */
  async step({ room, user, after }: StoreTask): Promise<TaskStep> {
    const until = (await this.#options.changes.meta(room)).erasing.get(user);
    if (until === undefined) return { after: undefined, erased: NOTHING };
    const isAtChanges = after.startsWith(CHANGES);
    const rows = await this.#query<Found>(
      `select place, @.commit_of(place) as commit, body from @.${
        isAtChanges ? "changes" : "entries"
      } where room = $1 and place > $2 and place <= $3 and ${counted("@")}
      order by place limit ${STEP}`,
      [room, after.slice(1) || "-1", numberOf(commitOf(until))],
    );
    const erased = { ...NOTHING };
    for (const row of rows) {
      if (isAtChanges) erased.reactions += await this.#eraseReactions(room, user, row, until);
      else erased.messages += await this.#eraseMessages(room, user, row);
    }
    if (rows.length === STEP) {
      return { after: (isAtChanges ? CHANGES : MESSAGES) + rows[STEP - 1].place, erased };
    }
    return { after: isAtChanges ? undefined : CHANGES, erased };
  }

  async #eraseMessages(room: string, user: string, { commit, body }: Found): Promise<number> {
    const { changes, eraser } = this.#options;
    const lines = linesOf(body, user);
    if (lines.size === 0) return 0;
    const cursors = new Set([...lines].map(([index, id]) => cursorAt(commit, index, tagOf(id))));
    const range = { from: cursorAt(commit, 0, 0), to: cursorAt(commit, CHANGES_FROM - 1, 0) + "~" };
    const { messages } = await changes.states(room, { ...range, limit: Infinity });
    // What was changed has states and edits; the others go together.
    for (const message of messages.keys()) {
      if (cursors.has(message)) await eraser.erase(room, message);
    }
    await eraser.rewrite(room, commit, (text) => {
      const isIt = (id: string) => (other: string) => other === id;
      return eraseLines(text, new Map([...lines].map(([index, id]) => [index, isIt(id)])));
    }, Infinity);
    return lines.size;
  }

  async #eraseReactions(
    room: string,
    user: string,
    { commit, body }: Found,
    until: string,
  ): Promise<number> {
    const isBefore = (position: number) =>
      commit < commitOf(until) || CHANGES_FROM + position < indexOf(until);
    const reactions = [...reactionsOf(body, user)].filter(([position]) => isBefore(position));
    if (reactions.length === 0) return 0;
    let count = 0;
    for (const [, { message, emoji = "" }] of reactions) {
      // Somebody of that name may have reacted since.
      const deleted = await this.#query(
        `delete from @.states where room = $1 and message = $2 and name = $3 and place <= $4
        returning 1 as deleted`,
        [room, message, ["reaction", emoji, user].join(PART_END), numberOf(commitOf(until))],
      );
      count += deleted.length;
    }
    const positions = new Set(reactions.map(([position]) => position));
    await this.#options.eraser.rewriteChanges(room, commit, (text) => {
      return eraseChanges(text, (position) => positions.has(position));
    });
    return count;
  }

  async #query<R extends object>(text: string, values: string[]): Promise<R[]> {
    const { pool, schema } = this.#options;
    return await pool.call("erase", async (sql) => {
      return [...await sql.unsafe<R[]>(text.replaceAll("@", schema), values, { prepare: true })];
    });
  }
}

/**
 * Rewriting and erasing in PostgreSQL.
 *
 * @module
 */

import { CHANGED, eraseEdits } from "../change.ts";
import { commitOf, cursorAt, indexOf, tagOf } from "../cursor.ts";
import { eraseLines } from "../entry_line.ts";
import type { StoreEvent } from "../store_event.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import { numberOf } from "./counted_places.ts";

/** Times that an entry is rewritten anew, where others do the same. */
const ATTEMPTS_MAX = 100;
/** Milliseconds between two looks for messages that were deleted and not erased. */
const TICK_MS = 60_000;
/** Seconds that a process has to erase what it deleted, by the server's clock. */
const ORPHAN_SECONDS = 30;
/** Orphans that one look finds. */
const ORPHANS_MAX = 1_000;

/** What {@linkcode PostgresEraser} erases from. */
export interface PostgresEraserOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
  /** Receives events. */
  readonly onEvent: (event: StoreEvent) => void;
}

/**
 * Takes what a deleted message said out of all its rows. Once a minute it is looked for messages
 * whose deletion was stored and whose eraser died.
 */
export class PostgresEraser {
  readonly #options: PostgresEraserOptions;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param options Where to erase. */
  constructor(options: PostgresEraserOptions) {
    this.#options = options;
  }

  /** Begins to look for orphans. */
  start(): void {
    this.#timer ??= setInterval(async () => {
      try {
        await this.tick();
      } catch (error) {
        if (this.#timer !== undefined) this.#options.onEvent({ type: "erase_failed", error });
      }
    }, TICK_MS);
  }

  /** Stops. What is being erased is finished. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** As in {@linkcode RoomLog.erase}. */
  async erase(room: string, message: string): Promise<void> {
    const commit = commitOf(message);
    const index = indexOf(message);
    const isIt = (id: string) => cursorAt(commit, index, tagOf(id)) === message;
    const edits = await this.#query<{ place: string }>(
      "select place from @.edits where room = $1 and message = $2",
      [room, message],
    );
    for (const { place } of edits) {
      await this.#rewrite("changes", { room, place }, (text) => eraseEdits(text, message));
    }
    await this.#query(
      "delete from @.states where room = $1 and message = $2 and name not in ($3, 'deleted')",
      [room, message, CHANGED],
    );
    // After the rest: who reads the message and finds it here does all of it again.
    await this.#rewrite("entries", { room, place: numberOf(commit) }, (text) => {
      return eraseLines(text, new Map([[index, isIt]]));
    });
    for (const { place } of edits) {
      await this.#query(
        "delete from @.edits where room = $1 and message = $2 and place = $3",
        [room, message, place],
      );
    }
    await this.#query("delete from @.erasures where room = $1 and message = $2", [room, message]);
  }

  /**
   * Rewrites an entry of messages. Nobody else's rewriting is lost.
   *
   * @param room The room.
   * @param commit The commit that holds it.
   * @param change Gives the new text, or the same text; called once or more.
   * @param maxBytes The longest text that is written.
   * @returns Whether it was changed.
   */
  async rewrite(
    room: string,
    commit: string,
    change: (text: string) => string,
    maxBytes: number,
  ): Promise<boolean> {
    return await this.#rewrite("entries", { room, place: numberOf(commit) }, change, maxBytes);
  }

  /** Rewrites an entry of changes, as {@linkcode PostgresEraser.rewrite} does one of messages. */
  async rewriteChanges(
    room: string,
    commit: string,
    change: (text: string) => string,
  ): Promise<boolean> {
    return await this.#rewrite("changes", { room, place: numberOf(commit) }, change);
  }

  /** Erases the messages that wait for it too long. */
  async tick(): Promise<number> {
    const found = await this.#query<{ room: string; message: string }>(
      `select room, message from @.erasures
      where since < now() - interval '${ORPHAN_SECONDS} seconds' limit ${ORPHANS_MAX}`,
    );
    for (const { room, message } of found) await this.erase(room, message);
    if (found.length > 0) this.#options.onEvent({ type: "orphans_erased", messages: found.length });
    return found.length;
  }

  async #rewrite(
    table: "changes" | "entries",
    { room, place }: { readonly room: string; readonly place: string },
    change: (text: string) => string,
    maxBytes = Infinity,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const [row] = await this.#query<{ body: string }>(
        `select body from @.${table} where room = $1 and place = $2`,
        [room, place],
      );
      if (!row) return false;
      const changed = change(row.body);
      if (changed === row.body || new TextEncoder().encode(changed).length > maxBytes) return false;
      const written = await this.#query(
        `update @.${table} set body = $3 where room = $1 and place = $2 and body = $4 ` +
          "returning 1 as written",
        [room, place, changed, row.body],
      );
      if (written.length > 0) return true;
    }
    throw new Error(`Others go on rewriting place ${place} of room "${room}"`);
  }

  async #query<R extends object>(text: string, values: string[] = []): Promise<R[]> {
    const { pool, schema } = this.#options;
    return await pool.call("erase", async (sql) => {
      return [...await sql.unsafe<R[]>(text.replaceAll("@", schema), values, { prepare: true })];
    });
  }
}

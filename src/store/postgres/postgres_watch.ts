/**
 * Which rooms grew, as PostgreSQL tells it.
 *
 * @module
 */

import { NO_COMMIT } from "../cursor.ts";
import type { Growth } from "../growth.ts";
import type { PostgresAddress } from "./postgres_address.ts";
import { PostgresListener } from "./postgres_listener.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import { numberOf } from "./postgres_reader.ts";

/** Milliseconds between two looks at the newest commit, in case that notifications get lost. */
const LOOK_MS = 1_000;

/** What {@linkcode PostgresWatch} watches. */
export interface PostgresWatchOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema, which is the name of the channel too. */
  readonly schema: string;
  /** Where to listen. */
  readonly address: PostgresAddress;
}

/** The feed: one row a commit with the names of its rooms, and notifications that wake. */
export class PostgresWatch {
  readonly #options: PostgresWatchOptions;
  /** Ends the watches that are open. */
  readonly #ends = new Set<() => Promise<void>>();

  /** @param options What to watch. */
  constructor(options: PostgresWatchOptions) {
    this.#options = options;
  }

  /** As in {@linkcode RoomLog.grownSince}. */
  async grownSince(commit: string, before?: string): Promise<Growth | undefined> {
    const { pool, schema } = this.#options;
    const rows = await pool.call("read what grew", async (sql) => [
      ...await sql.unsafe<{ commit: string; rooms: string }[]>(
        `select ${schema}.commit_of(place) as commit, rooms from ${schema}.feed ` +
          `where place >= $1 and ($2::bigint is null or place < $2::bigint) order by place`,
        [numberOf(commit), before === undefined ? null : numberOf(before)],
        { prepare: true },
      ),
    ]);
    // The commit itself is still there, so nothing after it has been deleted.
    if (rows[0]?.commit !== commit) return undefined;
    const rooms = new Map<string, string>();
    for (const row of rows.slice(1)) {
      for (const room of row.rooms.split(" ")) rooms.set(room, row.commit);
    }
    return { upTo: rows[rows.length - 1].commit, rooms };
  }

  /** As in {@linkcode RoomLog.watch}. */
  watch(): ReadableStream<string> {
    const { address, schema } = this.#options;
    let [told, heard] = ["", ""];
    let [isUp, isOver] = [false, false];
    let wake = () => {};
    const listener = new PostgresListener({
      address,
      channel: schema,
      onNotify: (commit) => {
        heard = commit;
        wake();
      },
      onUp: () => {
        // What happened before was not heard: it has to be watched anew.
        if (told !== "") isOver = true;
        isUp = true;
        wake();
      },
    });
    const end = async () => {
      isOver = true;
      wake();
      this.#ends.delete(end);
      await listener.close();
    };
    this.#ends.add(end);
    /** Waits for a while; returns whether nothing woke it. */
    const wait = () =>
      new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(true), LOOK_MS);
        wake = () => {
          clearTimeout(timer);
          resolve(false);
        };
      });
    /** Finds what is to be told next. */
    const next = async (): Promise<string | undefined> => {
      if (told === "" && !isUp) await wait();
      if (told === "") return isOver ? undefined : await this.#newest();
      while (!isOver) {
        if (heard > told) return heard;
        if (!await wait() || isOver) continue;
        // One that is older is told as well: the database may have been put back.
        const newest = await this.#newest();
        if (newest !== told) return newest;
      }
      return undefined;
    };
    return new ReadableStream<string>({
      pull: async (stream) => {
        try {
          const commit = await next();
          if (commit !== undefined && !isOver) return stream.enqueue(told = commit);
          void end();
          stream.close();
        } catch (error) {
          void end();
          stream.error(error);
        }
      },
      cancel: end,
    }, { highWaterMark: 0 });
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    await Promise.all([...this.#ends].map((end) => end()));
  }

  async #newest(): Promise<string> {
    const { pool, schema } = this.#options;
    const [row] = await pool.call("look at the newest", async (sql) => [
      ...await sql.unsafe<{ commit: string }[]>(
        `select ${schema}.commit_of(place) as commit from ${schema}.feed ` +
          `order by place desc limit 1`,
        [],
        { prepare: true },
      ),
    ]);
    return row?.commit ?? NO_COMMIT;
  }
}

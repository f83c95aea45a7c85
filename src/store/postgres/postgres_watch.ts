/**
 * Which rooms grew, as PostgreSQL tells it.
 *
 * @module
 */

import { cursorAt, ENTRY_MAX_RECORDS, NO_COMMIT, TAG_MAX } from "../cursor.ts";
import type { Growth } from "../growth.ts";
import { CommitMarks, type MarkedCommit } from "./commit_marks.ts";
import type { PostgresAddress } from "./postgres_address.ts";
import { PostgresListener } from "./postgres_listener.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import { numberOf } from "./counted_places.ts";

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

/** A commit of the feed. */
interface FeedRow extends MarkedCommit {
  readonly rooms: string;
  /** Rooms whose logs end there, each with the index and the tag of its newest record. */
  readonly heads: string | null;
}

/** The feed: one row a commit with the names of its rooms, and notifications that wake. */
export class PostgresWatch {
  readonly #options: PostgresWatchOptions;
  readonly #marks = new CommitMarks();
  /** Ends the watches that are open. */
  readonly #ends = new Set<() => Promise<void>>();

  /** @param options What to watch. */
  constructor(options: PostgresWatchOptions) {
    this.#options = options;
  }

  /** As in {@linkcode RoomLog.grownSince}. */
  async grownSince(commit: string, until?: string): Promise<Growth | undefined> {
    const { pool, schema } = this.#options;
    const rows = await pool.call("read what grew", async (sql) => [
      ...await sql.unsafe<FeedRow[]>(
        `select ${schema}.commit_of(place) as commit, mark, rooms, (
          select string_agg(room || ' ' || index || ' ' || tag, ' ') from ${schema}.rooms as known
          where known.room = any(string_to_array(feed.rooms, ' ')) and known.place = feed.place
        ) as heads from ${schema}.feed where place >= $1
          and ($2::bigint is null or place <= $2::bigint) order by place`,
        [numberOf(commit), until === undefined ? null : numberOf(until)],
        { prepare: true },
      ),
    ]);
    // Where the commit itself is still there, nothing after it has been deleted.
    if (rows[0]?.commit !== commit || !this.#marks.fits(rows[0])) return undefined;
    const last = rows[rows.length - 1];
    if (until !== undefined && last.commit !== until) return undefined;
    if (!this.#marks.fits(last)) return undefined;
    this.#marks.add(rows[0]);
    this.#marks.add(last);
    const rooms = new Map<string, string>();
    for (const row of rows) if (row.commit !== until) addRooms(rooms, row);
    return { upTo: last.commit, rooms };
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
        // Another one at its place: it has to be watched anew.
        if (newest === undefined) return undefined;
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

  /** Reads the newest commit; undefined where another one had its place. */
  async #newest(): Promise<string | undefined> {
    const { pool, schema } = this.#options;
    const [row] = await pool.call("look at the newest", async (sql) => [
      ...await sql.unsafe<MarkedCommit[]>(
        `select ${schema}.commit_of(place) as commit, mark from ${schema}.feed ` +
          `order by place desc limit 1`,
        [],
        { prepare: true },
      ),
    ]);
    if (!row || this.#marks.fits(row)) return row?.commit ?? NO_COMMIT;
    this.#marks.add(row);
    return undefined;
  }
}

/** Adds the rooms of a commit, as the feed tells them. */
function addRooms(rooms: Map<string, string>, { commit, rooms: names, heads }: FeedRow): void {
  // Where a log has grown on it is not known which record it was.
  for (const room of names.split(" ")) {
    rooms.set(room, cursorAt(commit, 2 * ENTRY_MAX_RECORDS - 1, TAG_MAX));
  }
  const known = heads?.split(" ") ?? [];
  for (let at = 0; at < known.length; at += 3) {
    rooms.set(known[at], cursorAt(commit, Number(known[at + 1]), Number(known[at + 2])));
  }
}

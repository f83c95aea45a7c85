/**
 * Users' rooms and read marks in PostgreSQL.
 *
 * @module
 */

import type { ReadMark, UserRooms } from "../user_rooms.ts";
import type { PostgresPool } from "./postgres_pool.ts";

/** What {@linkcode PostgresUserRooms} uses. */
export interface PostgresUserRoomsOptions {
  /** The database. */
  readonly pool: PostgresPool;
  /** The schema. */
  readonly schema: string;
}

/** Keeps a row for each user and room. */
export class PostgresUserRooms implements UserRooms {
  readonly #options: PostgresUserRoomsOptions;

  /** @param options The database. */
  constructor(options: PostgresUserRoomsOptions) {
    this.#options = options;
  }

  /** Writes rooms down for a user, and moves their marks. */
  async mark(user: string, marks: ReadonlyMap<string, ReadMark>): Promise<void> {
    const { pool, schema } = this.#options;
    // In one order: two statements that lock the same rows wait for each other, and not in a circle.
    const sorted = [...marks].sort(([a], [b]) => a < b ? -1 : 1);
    await pool.call("mark", (sql) => {
      return sql.unsafe(
        `insert into ${schema}.user_rooms as known (who, room, mark)
        select $1, room, mark
        from unnest(string_to_array($2, ' '), string_to_array($3, ' ')) as given (room, mark)
        on conflict (who, room) do update set mark = excluded.mark
        where known.mark < excluded.mark`,
        [user, sorted.map(([room]) => room).join(" "), sorted.map(([, mark]) => mark).join(" ")],
      );
    });
  }

  /** Reads the rooms of a user. */
  async list(user: string): Promise<ReadonlyMap<string, ReadMark>> {
    const { pool, schema } = this.#options;
    const rows = await pool.call("list", (sql) => {
      return sql.unsafe<{ room: string; mark: string }[]>(
        `select room, mark from ${schema}.user_rooms where who = $1 order by room`,
        [user],
      );
    });
    return new Map(rows.map(({ room, mark }) => [room, mark]));
  }

  /** Forgets rooms of a user. */
  async forget(user: string, rooms: Iterable<string>): Promise<void> {
    const { pool, schema } = this.#options;
    await pool.call("forget", (sql) => {
      return sql.unsafe(
        `delete from ${schema}.user_rooms
        where who = $1 and room = any(string_to_array($2, ' '))`,
        [user, [...rooms].join(" ")],
      );
    });
  }
}

/**
 * A store and a fan-out over PostgreSQL, for hubs on several machines. It loads the client of
 * PostgreSQL, which no other door of the package does.
 *
 * @example
 * ```ts
 * import { Hub } from "@hubbub/hub";
 * import { PostgresFanout, PostgresRoomLog } from "@hubbub/hub/postgres";
 *
 * const [url] = Deno.args; // such as postgres://hubbub@db.example.com/hubbub?sslmode=verify-full
 * if (url) {
 *   await using log = await PostgresRoomLog.open(url);
 *   await using hub = new Hub(log, { fanout: new PostgresFanout(url) });
 *   await hub.publish("lobby", "ann", { text: "hello" });
 * }
 * ```
 *
 * @module
 */

export { PostgresFanout, type PostgresFanoutOptions } from "./cluster/postgres/postgres_fanout.ts";
export type { PostgresRoomLogOptions } from "./store/postgres/postgres_options.ts";
export { PostgresRoomLog } from "./store/postgres/postgres_room_log.ts";

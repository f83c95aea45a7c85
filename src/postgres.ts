/**
 * A store and a fan-out over PostgreSQL, for hubs on several machines. It loads the client of
 * PostgreSQL, which no other door of the package does.
 *
 * @example
 * ```ts ignore
 * import { Hub } from "@hubbub/hub";
 * import { PostgresFanout, PostgresRoomLog } from "@hubbub/hub/postgres";
 *
 * const url = "postgres://hubbub@db.example.com/hubbub";
 * await using log = await PostgresRoomLog.open(url);
 * await using hub = new Hub(log, { fanout: new PostgresFanout(url) });
 * await hub.publish("lobby", "ann", { text: "hello" });
 * ```
 *
 * @module
 */

export { PostgresFanout, type PostgresFanoutOptions } from "./cluster/postgres/postgres_fanout.ts";
export {
  PostgresRoomLog,
  type PostgresRoomLogOptions,
} from "./store/postgres/postgres_room_log.ts";

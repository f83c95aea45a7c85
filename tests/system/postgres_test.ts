import { PostgresFanout, PostgresRoomLog } from "@hubbub/hub/postgres";
import { testFanout } from "../helpers/fanout_contract.ts";
import { needs } from "../helpers/permissions.ts";
import { hasPostgres, PostgresServer } from "../helpers/postgres_server.ts";
import { testRoomLog } from "../helpers/room_log_contract.ts";

const real = needs("net", "run", "read", "write");
const needed = { ...real, ignore: real.ignore || !await hasPostgres() };

// One for all tests of this file, since making one takes a second or many.
const server = needed.ignore ? undefined : await PostgresServer.start({
  settings: { fsync: "off" },
});
addEventListener("unload", () => void server?.kill());

testRoomLog(
  "PostgresRoomLog",
  async () => {
    const url = await server!.createDatabase();
    const logs: PostgresRoomLog[] = [];
    return {
      async open(options) {
        const log = await PostgresRoomLog.open(url, options);
        logs.push(log);
        return log;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(logs.map((log) => log.close()));
      },
    };
  },
  needed,
  { keepsChanges: false },
);

testFanout("PostgresFanout", async () => {
  const url = await server!.createDatabase();
  return {
    connect: () => new PostgresFanout(url),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}, needed);

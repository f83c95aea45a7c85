// The contract of a store, held over the wire.

import { KvRoomLog } from "@hubbub/hub";
import { ACCESS_TOKEN, ConnectServer } from "../helpers/kv_connect/connect_server.ts";
import { DENOKV, Denokv } from "../helpers/kv_connect/denokv.ts";
import { needs } from "../helpers/permissions.ts";
import { type TestDatabase, testRoomLog } from "../helpers/room_log_contract.ts";

if (!needs("net", "env", "write").ignore) {
  Deno.env.set("DENO_KV_ACCESS_TOKEN", ACCESS_TOKEN);
  /** Every store object has a client of its own, as processes have. */
  const overWire = (server: ConnectServer): TestDatabase => {
    const opened: Deno.Kv[] = [];
    return {
      open: async (options) => {
        const kv = await Deno.openKv(server.url);
        opened.push(kv);
        return new KvRoomLog(kv, { ...options, reopen: () => Deno.openKv(server.url) });
      },
      [Symbol.asyncDispose]: async () => {
        for (const kv of opened) kv.close();
        await server[Symbol.asyncDispose]();
      },
    };
  };
  testRoomLog(
    "KvRoomLog by URL",
    () => Promise.resolve(overWire(ConnectServer.overStore())),
  );
  if (DENOKV) {
    testRoomLog("KvRoomLog over denokv", async () => {
      const folder = await Deno.makeTempDir();
      const denokv = await Denokv.start(`${folder}/kv`);
      const database = overWire(ConnectServer.before(denokv.url));
      return {
        open: database.open,
        [Symbol.asyncDispose]: async () => {
          await database[Symbol.asyncDispose]();
          await denokv[Symbol.asyncDispose]();
          await Deno.remove(folder, { recursive: true });
        },
      };
    });
  }
}

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { lockDatabase } from "../../src/service/database_lock.ts";
import { inFolder } from "../helpers/folder.ts";
import { failToStart, HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";

const files = needs("read", "write");

function noLog(): void {
  throw new Error("logged");
}

Deno.test("lockDatabase() needs no lock for what is no file", async () => {
  for (const path of [undefined, ":memory:", "https://example.org/kv"]) {
    assertEquals(await lockDatabase(path, noLog), undefined);
  }
});

Deno.test("lockDatabase() says where it cannot lock, and goes on", files, async () => {
  const events: string[] = [];
  await lockDatabase("no/such/folder/kv", (_level, event) => void events.push(event));
  assertEquals(events, ["lock_failed"]);
});

Deno.test(
  "lockDatabase() lets one in at a time, and the next when that is done",
  files,
  async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/kv`;
      const first = await lockDatabase(path, noLog);
      const message = "in use by another process";
      await assertRejects(() => lockDatabase(path, noLog, { waitMs: 0 }), Error, message);
      const waiting = lockDatabase(path, noLog);
      first?.close();
      const second = await waiting;
      assert(second);
      second.close();
    });
  },
);

Deno.test({
  name: "main.ts does not share its database file with another process",
  ...needs("net", "read", "write", "run", "env"),
  async fn() {
    await inFolder(async (folder) => {
      const kv = `${folder}/kv.sqlite3`;
      await using _first = await HubProcess.start({ HUBBUB_KV: kv });
      const { code, lines } = await failToStart({ HUBBUB_KV: kv });
      assertEquals(code, 1);
      const events = lines.map((line) => JSON.parse(line));
      assertEquals(events.map(({ event }) => event), ["kv_in_use"]);
      assertMatch(String(events[0].error), /in use by another process/);
    });
  },
});

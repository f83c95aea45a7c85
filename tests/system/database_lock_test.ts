import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { StartError } from "@hubbub/hub/service";
import { lockDatabase } from "../../src/service/database_lock.ts";
import { inFolder } from "../helpers/folder.ts";
import { failToStart, HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";
import { post } from "../helpers/requests.ts";

const files = needs("read", "write");
const processes = needs("net", "read", "write", "run", "env");
const MODES = { ignore: processes.ignore || Deno.build.os === "windows" };
const LINUX = { ignore: processes.ignore || Deno.build.os !== "linux" };

function noLog(): void {
  throw new Error("logged");
}

Deno.test("lockDatabase() needs no lock for what is no file", async () => {
  for (const path of [undefined, ":memory:", "https://example.org/kv"]) {
    assertEquals(await lockDatabase(path, noLog), undefined);
  }
});

Deno.test("lockDatabase() says that a file cannot be made", files, async () => {
  const error = await assertRejects(() => lockDatabase("no/such/folder/kv", noLog), StartError);
  assertEquals(error.event, "kv_failed");
});

Deno.test(
  "lockDatabase() lets one in at a time, and the next when that is done",
  files,
  async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/kv`;
      const first = await lockDatabase(path, noLog);
      const message = "in use by another process";
      await assertRejects(() => lockDatabase(path, noLog, { waitMs: 0 }), StartError, message);
      const waiting = lockDatabase(path, noLog);
      await first?.release();
      const second = await waiting;
      assert(second);
      await second.release();
    });
  },
);

Deno.test("the files of a database are for their owner alone", MODES, async () => {
  await inFolder(async (folder) => {
    const kv = `${folder}/chat.sqlite3`;
    await using hub = await HubProcess.start({ HUBBUB_KV: kv });
    const response = await post(hub.url, '{"user":"ann","text":"hello"}');
    await response.body?.cancel();
    for (const path of [kv, `${kv}-wal`, `${kv}-shm`]) {
      assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600, path);
    }
  });
});

/** Ways to a database, which a second server may be given. */
const WAYS: Readonly<Record<string, (kv: string) => Promise<string>>> = {
  "the same path": (kv) => Promise.resolve(kv),
  "a symbolic link": async (kv) => {
    await Deno.symlink(kv, `${kv}-symbolic`);
    return `${kv}-symbolic`;
  },
  "a hard link": async (kv) => {
    await Deno.link(kv, `${kv}-hard`);
    return `${kv}-hard`;
  },
  "a path through a linked folder": async (kv) => {
    const folder = kv.slice(0, kv.lastIndexOf("/"));
    await Deno.symlink(folder, `${folder}/again`);
    return kv.replace(folder, `${folder}/again`);
  },
};

Deno.test("main.ts does not share its database, by whatever way to it", LINUX, async () => {
  await inFolder(async (folder) => {
    const kv = `${folder}/kv.sqlite3`;
    await using first = await HubProcess.start({ HUBBUB_KV: kv });
    const assertRefused = async (name: string, path: string) => {
      const { code, lines } = await failToStart({ HUBBUB_KV: path });
      const events = lines.map((line) => JSON.parse(line));
      assertEquals([code, events.map(({ event }) => event)], [1, ["kv_in_use"]], name);
      assertMatch(String(events[0].error), /in use by another process/, name);
    };
    await Promise.all(
      Object.entries(WAYS).map(async ([name, way]) => assertRefused(name, await way(kv))),
    );
    await Deno.remove(`${kv}.lock`).catch(() => {});
    await assertRefused("files of a lock removed", kv);
    assertEquals((await first.stop("SIGTERM")).code, 0);
    await using _next = await HubProcess.start({ HUBBUB_KV: `${kv}-symbolic` });
  });
});

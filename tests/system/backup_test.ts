import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvRoomLog } from "@hubbub/hub";
import { backUp } from "../../tools/backup.ts";
import { readLog } from "../helpers/log_run.ts";
import { needs } from "../helpers/permissions.ts";
import { createTestHub } from "../helpers/test_hub.ts";

Deno.test(
  "backUp() writes a state between two commits while the hub goes on",
  needs("write"),
  async () => {
    const folder = await Deno.makeTempDir();
    const [from, to] = [`${folder}/hubbub.sqlite3`, `${folder}/backup.sqlite3`];
    const kv = await Deno.openKv(from);
    const { hub, log } = createTestHub(kv);
    let [isDone, said] = [false, 0];
    const talking = (async () => {
      while (!isDone) await hub.publish("lobby", "ann", { text: `${said++}`, ref: `${said}` });
    })();
    while (said < 100) await new Promise((resolve) => setTimeout(resolve));
    await backUp(from, to);
    isDone = true;
    await talking;
    await hub.drain();
    const all = await readLog(log, "lobby");
    kv.close();
    const copy = await Deno.openKv(to);
    const kept = await readLog(new KvRoomLog(copy), "lobby");
    copy.close();
    assert(kept.length >= 99, `${kept.length}`);
    assertEquals(kept, all.slice(0, kept.length));
    await assertRejects(() => backUp(from, to), Error, "it exists");
    await assertRejects(() => backUp(`${folder}/none`, `${folder}/other`), Deno.errors.NotFound);
    await assertRejects(
      () => backUp("https://kv.example", `${folder}/other`),
      Error,
      "it is no file",
    );
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test("deno task backup makes one, and says where it cannot", needs("run"), async () => {
  const folder = await Deno.makeTempDir();
  const kv = await Deno.openKv(`${folder}/chat.sqlite3`);
  const { hub } = createTestHub(kv);
  await hub.publish("lobby", "ann", { text: "kept" });
  const run = async (to: string) => {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "backup", to],
      cwd: new URL("../../", import.meta.url),
      env: { HUBBUB_KV: `${folder}/chat.sqlite3`, NO_COLOR: "1" },
    });
    const { code, stdout, stderr } = await command.output();
    return [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)] as const;
  };
  const [code, said] = await run(`${folder}/backup.sqlite3`);
  assertEquals([code, said.includes("is backed up in")], [0, true], said);
  // What people say is for nobody else on the machine.
  const { mode } = await Deno.stat(`${folder}/backup.sqlite3`);
  if (mode !== null) assertEquals(mode & 0o077, 0);
  const [again, why] = await run(`${folder}/backup.sqlite3`);
  assertEquals([again, why.includes("it exists")], [1, true], why);
  await hub.drain();
  kv.close();
  const copy = await Deno.openKv(`${folder}/backup.sqlite3`);
  assertEquals((await readLog(new KvRoomLog(copy), "lobby")).map(({ text }) => text), ["kept"]);
  copy.close();
  await Deno.remove(folder, { recursive: true });
});

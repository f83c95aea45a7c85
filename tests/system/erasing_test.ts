// What is deleted is nowhere to be found: the bytes of the database's file are looked through.

import { assert, assertEquals } from "@std/assert";
import { Hub, KvRoomLog } from "@hubbub/hub";
import { inFolder } from "../helpers/folder.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";

const files = needs("read", "write");
const WORD = "Sesquipedalian";

/** How often the word stands in the database's files. */
async function copiesIn(path: string): Promise<number> {
  let copies = 0;
  for (const suffix of ["", "-wal", "-journal"]) {
    const bytes = await Deno.readFile(path + suffix).catch(() => new Uint8Array());
    copies += new TextDecoder("latin1").decode(bytes).split(WORD).length - 1;
  }
  return copies;
}

Deno.test("a deleted message is not in the file once it was compacted", files, async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/kv.sqlite3`;
    const kv = await Deno.openKv(path);
    const log = new KvRoomLog(kv, { file: path });
    const hub = new Hub(log, { alone: true, logger() {} });
    const cursors: string[] = [];
    for (let i = 0; i < 25; i++) {
      const result = await hub.publish("lobby", "ann", {
        text: `${WORD} ${i}`,
        data: { [WORD]: i },
      });
      assert(result.status === "stored");
      cursors.push(result.record.cursor);
      await hub.publish("lobby", "bob", { text: `something else ${"x".repeat(i * 40)}` });
    }
    for (const cursor of cursors) {
      await hub.change("lobby", "ann", { kind: "edit", cursor, text: `${WORD} again` });
      await hub.change("lobby", "ann", { kind: "delete", cursor });
    }
    await eventually(async () => {
      const records = await log.last("lobby", { limit: 100 });
      return records.filter(({ isErased }) => isErased).length === 25;
    }, "all of them to be erased");
    assert(await copiesIn(path) > 0, "Deno KV leaves old bytes, or there is nothing to test");
    // Somebody goes on writing meanwhile.
    const writing = Promise.all(Array.from({ length: 5 }, (_, i) => {
      return hub.publish("lobby", "bob", { text: `meanwhile ${i}` });
    }));
    assert(await log.compact());
    const written = await writing;
    assert(written.every(({ status }) => status === "stored"));
    assertEquals(await copiesIn(path), 0);
    const last = await log.last("lobby", { limit: 100 });
    assertEquals(last.length, 55);
    await hub.drain();
    kv.close();
    assertEquals(await copiesIn(path), 0);
  });
});

Deno.test("what an isolate deleted that died then is erased by others", files, async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const hub = new Hub(log, { alone: true, logger() {} });
  const result = await hub.publish("lobby", "ann", { text: WORD });
  assert(result.status === "stored");
  const { cursor } = result.record;
  // It stores the deletion, and does nothing more.
  const erase = log.erase.bind(log);
  log.erase = () => Promise.resolve();
  await hub.change("lobby", "ann", { kind: "delete", cursor });
  await hub.drain();
  log.erase = erase;
  assertEquals((await log.get("lobby", cursor))?.isErased, undefined);
  // Whoever opens the room finds it.
  const next = new Hub(new KvRoomLog(kv), { alone: true, logger() {} });
  await next.publish("lobby", "bob", { text: "hello" });
  await eventually(async () => (await log.get("lobby", cursor))?.isErased, "it to be erased");
  await next.drain();
});

Deno.test(
  "a deleted room and an erased user are not in the file once it was compacted",
  files,
  async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/kv.sqlite3`;
      const kv = await Deno.openKv(path);
      const log = new KvRoomLog(kv, { file: path });
      const hub = new Hub(log, { alone: true, logger() {} });
      for (const room of ["gone", "kept"]) {
        for (let i = 0; i < 20; i++) {
          const user = room === "gone" || i % 2 === 0 ? "ann" : "bob";
          const text = user === "ann" ? `${WORD} ${i}` : `something else ${i}`;
          const result = await hub.publish(room, user, { text, data: { said: text } });
          assert(result.status === "stored");
          if (user === "bob") continue;
          const { cursor } = result.record;
          await hub.change(room, user, { kind: "edit", cursor, text: `${WORD} again` });
          await hub.change(room, user, { kind: "reaction", cursor, emoji: "👍", status: true });
        }
      }
      await hub.sanctions.impose("gone", { user: "eve", kind: "ban", reason: WORD });
      assertEquals(await hub.deletions.deleteRoom("gone"), undefined);
      const progress = await Array.fromAsync(hub.deletions.eraseUser("ann"));
      const { messages, reactions, done } = progress.at(-1)!;
      assertEquals([messages, reactions, done], [10, 0, true], "with their own marks");
      await log.clear("gone");
      assert(await copiesIn(path) > 0, "Deno KV leaves old bytes, or there is nothing to test");
      assert(await log.compact());
      assertEquals(await copiesIn(path), 0);
      const records = await log.last("kept", { limit: 100 });
      assertEquals(records.length, 20);
      assertEquals(records.filter(({ isErased }) => isErased).length, 10);
      await hub.drain();
      kv.close();
    });
  },
);

import { assertEquals } from "@std/assert";
import { Hub, KvRoomLog, Metrics, type RoomLog } from "@hubbub/hub";
import { mock } from "node:test";
import { cursorAt, tagOf } from "../../src/store/cursor.ts";
import { Tombstones } from "../../src/hub/tombstones.ts";
import { eventually } from "../helpers/patience.ts";
import { storedEntry } from "../helpers/stored_lines.ts";
import { TestMember } from "../helpers/test_member.ts";

Deno.test("Tombstones strikes nothing that repeats what a restore took away", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  await log.append(new Map([["lobby", storedEntry(["a", "b", "c"])]]));
  const [a, b, c] = await log.last("lobby", { limit: 9 });
  const metrics = new Metrics();
  const tombstones = new Tombstones({ room: "lobby", log, logger: () => {}, metrics });
  // The window of a hub that has not noticed the restore knows the message that was there before.
  const lost = cursorAt("0".repeat(19) + "1", 0, tagOf("another"));
  const rewrite = mock.method(log, "rewrite");
  tombstones.write([{ record: b, first: lost }, { record: c, first: a.cursor }]);
  await eventually(() => rewrite.mock.callCount() === 1, "the tombstone of the other one");
  await rewrite.mock.calls[0].result;
  const records = await log.last("lobby", { limit: 9 });
  assertEquals(records.map(({ repeats }) => repeats), [undefined, undefined, a.cursor]);
  tombstones.stop();
});

Deno.test("Who reads old pages gets no duplicate whose tombstone was not written", async () => {
  using kv = await Deno.openKv(":memory:");
  const stored = new KvRoomLog(kv);
  let isTwice = false;
  let now = Date.now();
  // A store that repeats a write by itself, and takes no tombstones.
  const log = new Proxy<RoomLog>(stored, {
    get(target, name) {
      if (name === "rewrite") return () => Promise.reject(new Error("not now"));
      if (name === "append" && isTwice) {
        return async (entries: Parameters<RoomLog["append"]>[0]) => {
          await target.append(entries);
          return await target.append(entries);
        };
      }
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await using hub = new Hub(log, {
    logger() {},
    now: () => now,
    limits: { messages_per_second: 0 },
  });
  const watcher = new TestMember("watcher");
  await hub.join("lobby", watcher).joined;
  await hub.publish("lobby", "ann", { text: "before" });
  isTwice = true;
  await hub.publish("lobby", "ann", { text: "twice" });
  isTwice = false;
  const said = ({ messages }: TestMember) => messages.map(({ text }) => text);
  await watcher.until(() => said(watcher).includes("twice"));
  // So much later that the window has forgotten it, and more than is kept in memory.
  now += 3_600_000;
  for (let n = 0; n < 300; n++) await hub.publish("lobby", "bob", { text: `${n}` });
  const late = new TestMember("late");
  const { cursor } = watcher.messages[0];
  await hub.join("lobby", late, { after: cursor }).joined;
  assertEquals(said(late).filter((text) => text === "twice").length, 1);
  assertEquals(said(late), said(watcher).slice(1));
});

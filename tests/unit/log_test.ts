import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { KvRoomLog, type LogRecord } from "@hubbub/hub";
import { cursorAt, joinLines, messageText, ORIGIN } from "../../src/store/entry.ts";
import { BELL_COUNT, bellKey, bellOf, KV_LIMITS } from "../../src/store/kv/keys.ts";
import { failOnce, injectFaults } from "../helpers/kv_faults.ts";
import { readLog } from "../helpers/log_run.ts";
import { fill, numbers, storedEntry, storedLine } from "../helpers/stored_lines.ts";

function textsOf(records: readonly LogRecord[]): string[] {
  return records.map((record) => JSON.parse(messageText(record)).text);
}

Deno.test("KvRoomLog.append() keeps the order of entries and of what is in them", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  await fill(log, "lobby", { texts: numbers(10), perEntry: 3 });
  assertEquals(textsOf(await log.last("lobby", { limit: 100 })), numbers(10));
  const cursors = (await log.last("lobby", { limit: 100 })).map(({ cursor }) => cursor);
  assertEquals(cursors, cursors.toSorted());
  assertEquals(new Set(cursors).size, 10);
});

Deno.test("KvRoomLog.append() writes several rooms under one versionstamp, and keeps them apart", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const rooms = ["a", "a.b", "A", "a-"];
  const stamp = await log.append(new Map(rooms.map((room) => [room, storedEntry([room, "2"])])));
  for (const room of rooms) {
    const records = await log.last(room, { limit: 10 });
    assertEquals(textsOf(records), [room, "2"]);
    assertEquals(records.map(({ cursor }) => cursor), [cursorAt(stamp, 0), cursorAt(stamp, 1)]);
  }
});

Deno.test("KvRoomLog.append() rings the bells of its rooms", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const stamp = await log.append(new Map([["lobby", storedEntry(["a"])]]));
  for (let bell = 0; bell < BELL_COUNT; bell++) {
    const { versionstamp } = await kv.get(bellKey(bell));
    assertEquals(versionstamp, bell === bellOf("lobby") ? stamp : null);
  }
});

Deno.test("KvRoomLog.append() rejects with what KV rejects with, and nothing is stored", async () => {
  using kv = await Deno.openKv(":memory:");
  failOnce(injectFaults(kv), new TypeError("database or disk is full"));
  const log = new KvRoomLog(kv);
  const entries = new Map([["lobby", storedEntry(["a"])]]);
  await assertRejects(() => log.append(entries), TypeError, "database or disk is full");
  assertEquals(await log.last("lobby", { limit: 10 }), []);
  assertEquals(await log.head("lobby"), ORIGIN);
});

for (const perEntry of [1, 7, 500]) {
  Deno.test(`KvRoomLog reads 1,000 messages in entries of ${perEntry} from both ends`, async () => {
    using kv = await Deno.openKv(":memory:");
    const log = new KvRoomLog(kv);
    const texts = numbers(1000);
    await fill(log, "lobby", { texts, perEntry });
    const all = await log.last("lobby", { limit: 2000 });
    assertEquals(textsOf(all), texts);
    for (const limit of [0, 1, 6, 7, 8, 50, 100, 999, 1000]) {
      assertEquals(
        textsOf(await log.last("lobby", { limit: limit })),
        texts.slice(1000 - limit),
        `${limit}`,
      );
    }
    const forward: string[] = [];
    for (let cursor = ORIGIN; forward.length <= 1000;) {
      const page = await log.after("lobby", cursor, { limit: 97 });
      if (page.length === 0) break;
      forward.push(...textsOf(page));
      cursor = page[page.length - 1].cursor;
    }
    assertEquals(forward, texts);
    const backward: string[][] = [];
    for (let cursor = "f".repeat(24); backward.length <= 1000;) {
      const page = await log.before("lobby", cursor, { limit: 97 });
      if (page.length === 0) break;
      backward.unshift(textsOf(page));
      cursor = page[0].cursor;
    }
    assertEquals(backward.flat(), texts);
  });
}

Deno.test("KvRoomLog.after() and before() take a place between messages", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const [first, second] = await fill(log, "lobby", { texts: numbers(6), perEntry: 3 });
  const behindFirst = cursorAt(first, 9);
  assertEquals(textsOf(await log.after("lobby", behindFirst, { limit: 9 })), ["3", "4", "5"]);
  assertEquals(textsOf(await log.before("lobby", behindFirst, { limit: 9 })), ["0", "1", "2"]);
  assertEquals(textsOf(await log.before("lobby", cursorAt(second, 0), { limit: 2 })), ["1", "2"]);
  assertEquals(textsOf(await log.before("lobby", cursorAt(first, 0), { limit: 9 })), []);
  assertEquals(textsOf(await log.after("lobby", cursorAt(second, 2), { limit: 9 })), []);
});

Deno.test("KvRoomLog.after() stops at `until`, which it includes", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const [first, second] = await fill(log, "lobby", { texts: numbers(9), perEntry: 3 });
  const read = async (from: string, until: string) =>
    textsOf(await log.after("lobby", from, { limit: 100, until }));
  assertEquals(await read(ORIGIN, cursorAt(second, 1)), numbers(5));
  assertEquals(await read(cursorAt(first, 1), cursorAt(second, 2)), ["2", "3", "4", "5"]);
  assertEquals(await read(cursorAt(first, 1), cursorAt(first, 2)), ["2"]);
  assertEquals(await read(cursorAt(first, 1), cursorAt(first, 1)), []);
});

Deno.test("KvRoomLog.head() is the cursor of the newest message", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  assertEquals(await log.head("lobby"), ORIGIN);
  for (const count of [1, 3, 40]) {
    const stamp = await log.append(new Map([["lobby", storedEntry(numbers(count))]]));
    assertEquals(await log.head("lobby"), cursorAt(stamp, count - 1));
  }
  await log.append(new Map([["other", storedEntry(["x"])]]));
  assertEquals(await log.head("lobby"), (await log.last("lobby", { limit: 1 }))[0].cursor);
});

Deno.test("KvRoomLog.has() knows the room's own messages only", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const stamp = await log.append(new Map([["lobby", storedEntry(["a", "b"])]]));
  const remote = await log.append(new Map([["other", storedEntry(["c"])]]));
  assert(await log.has("lobby", cursorAt(stamp, 0)));
  assert(await log.has("lobby", cursorAt(stamp, 1)));
  assertFalse(await log.has("lobby", cursorAt(stamp, 2)));
  assertFalse(await log.has("lobby", cursorAt(remote, 0)));
  assertFalse(await log.has("lobby", ORIGIN));
});

Deno.test("KvRoomLog keeps every character that JSON can hold", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const texts = ["\u0000\n\r\u2028\u2029", "語🎉", '\\"', "e\u0301 is not \u00e9", "\uffff\ufffe"];
  await log.append(new Map([["lobby", storedEntry(texts)]]));
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), texts);
});

Deno.test("KvRoomLog.append() takes an entry of exactly a KV value, and not a byte more", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const overhead = storedLine({ text: "", id: "1" }).length;
  const text = "x".repeat(KV_LIMITS.valueBytes - overhead);
  const full = joinLines([storedLine({ text, id: "1" })]);
  assertEquals(full.bytes.length, 65_536);
  await log.append(new Map([["lobby", full]]));
  assertEquals(textsOf(await log.last("lobby", { limit: 1 })), [text]);
  const more = joinLines([storedLine({ text: text + "x", id: "1" })]);
  await assertRejects(() => log.append(new Map([["lobby", more]])), TypeError, "65536");
});

Deno.test("KvRoomLog with retention hides what has expired, on time", async () => {
  using kv = await Deno.openKv(":memory:");
  let now = Date.parse("2026-01-01T00:00:00.000Z");
  const log = new KvRoomLog(kv, { retentionMs: 60_000, now: () => now });
  const entryAt = (text: string, time: number) =>
    joinLines([storedLine({ text, sent_at: new Date(time).toISOString() })]);
  await log.append(new Map([["lobby", entryAt("old", now)]]));
  const stamp = await log.append(new Map([["lobby", entryAt("young", now + 30_000)]]));
  assert(log.expires);
  now += 60_000;
  assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["old", "young"]);
  now += 1;
  assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["young"]);
  assertEquals(textsOf(await log.after("lobby", ORIGIN, { limit: 9 })), ["young"]);
  assertEquals(textsOf(await log.before("lobby", cursorAt(stamp, 0), { limit: 9 })), []);
  assert(await log.has("lobby", cursorAt(stamp, 0)));
  now += 30_000;
  assertEquals(await log.last("lobby", { limit: 9 }), []);
  assertFalse(await log.has("lobby", cursorAt(stamp, 0)));
  assertEquals(await log.head("lobby"), cursorAt(stamp, 0), "the room keeps its place");
});

Deno.test("KvRoomLog without retention keeps messages for ever", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv, { now: () => Date.parse("2999-01-01") });
  await fill(log, "lobby", { texts: ["old"], perEntry: 1 });
  assertFalse(log.expires);
  assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["old"]);
});

Deno.test("KvRoomLog.probe() fails where the database fails, and where it does not answer", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const log = new KvRoomLog(kv);
  await log.probe(5_000);
  faults.read = () => Promise.reject(new TypeError("disk I/O error"));
  await assertRejects(() => log.probe(5_000), TypeError, "disk I/O error");
  const { promise, resolve } = Promise.withResolvers<void>();
  faults.read = () => promise;
  await assertRejects(() => log.probe(10), DOMException, "timeout");
  resolve();
});

Deno.test("bellOf() spreads rooms over all bells", () => {
  const bells = new Set(numbers(200).map((number) => bellOf(`room-${number}`)));
  assertEquals([...bells].toSorted(), Array.from({ length: BELL_COUNT }, (_, bell) => bell));
});

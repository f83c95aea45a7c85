import { assert, assertEquals, assertFalse, assertLessOrEqual } from "@std/assert";
import { Hub, KvRoomLog } from "@hubbub/hub";
import { cursorAt, ORIGIN } from "../../src/store/cursor.ts";
import { type LogRecord, recordAt } from "../../src/store/entry.ts";
import { RecentMessages } from "../../src/hub/recent_messages.ts";
import { TestMember } from "../helpers/test_member.ts";

/** The record at a place of a log where every entry holds three. */
function record(place: number, text = String(place)): LogRecord {
  const message = { id: `id ${place}`, user: "ann", text, sent_at: "t" };
  const at = { room: "lobby", commit: stamp(Math.floor(place / 3) + 1), index: place % 3 };
  return recordAt(at, JSON.stringify(message), message);
}

function stamp(entry: number): string {
  return entry.toString(16).padStart(16, "0") + "0000";
}

function filled(count: number): { recent: RecentMessages; records: LogRecord[] } {
  const recent = new RecentMessages();
  const records = Array.from({ length: count }, (_, place) => record(place));
  for (const one of records) recent.push(one, true);
  return { recent, records };
}

Deno.test("RecentMessages.last() gives the newest, oldest first", () => {
  const { recent, records } = filled(30);
  for (const count of [0, 1, 10, 30]) {
    assertEquals(recent.last(count), records.slice(30 - count), String(count));
  }
  assertEquals(recent.last(100), records);
  assertEquals(new RecentMessages().last(10), []);
});

Deno.test("RecentMessages holds 256 records, however many went through", () => {
  for (const count of [256, 257, 512, 513, 514, 2000]) {
    const { recent, records } = filled(count);
    assertEquals(recent.size, 256);
    assertEquals(recent.last(1000), records.slice(-256), String(count));
  }
});

Deno.test("RecentMessages holds 256 Ki code units, and always the last 10 messages", () => {
  const recent = new RecentMessages();
  for (let place = 0; place < 300; place++) {
    recent.push(record(place, "x".repeat(4_000)), true);
    assert(recent.length <= 256 * 1024, `${recent.length}`);
  }
  assert(recent.size > 55, `${recent.size}`);
  for (let place = 300; place < 320; place++) {
    recent.push(record(place, "x".repeat(60_000)), true);
  }
  assertEquals(recent.last(100).map(({ id }) => id), ids(310, 320));
});

Deno.test("RecentMessages counts messages and not duplicates for the last 10", () => {
  const recent = new RecentMessages();
  for (let place = 0; place < 60; place++) {
    recent.push(record(place, "x".repeat(60_000)), place % 3 === 0);
  }
  const shown = ids(0, 60).filter((_, place) => place % 3 === 0);
  assertEquals(recent.last(100).map(({ id }) => id), shown.slice(-10));
});

Deno.test("RecentMessages of many rooms share what they keep", () => {
  const total = { length: 0 };
  const rooms = Array.from({ length: 300 }, () => new RecentMessages(total));
  for (const room of rooms) {
    for (let place = 0; place < 70; place++) room.push(record(place, "x".repeat(4_000)), true);
  }
  assertEquals(total.length, rooms.reduce((sum, { length }) => sum + length, 0));
  assert(total.length < 48 * 1024 * 1024, `${total.length}`);
  for (const room of rooms) assert(room.last(10).length === 10 || room.isShortOf(10));
  for (const room of rooms) room.clear();
  assertEquals(total.length, 0);
  assertEquals(rooms[0].last(10), []);
});

Deno.test("RecentMessages.has() knows exactly the cursors in it", () => {
  for (const count of [0, 1, 2, 255, 256, 600, 900]) {
    const { recent, records } = filled(count);
    for (const [place, one] of records.entries()) {
      assertEquals(recent.has(one.cursor), place >= count - 256, `${place} of ${count}`);
      assertEquals(recent.get(one.cursor), place >= count - 256 ? one : undefined);
    }
    assertFalse(recent.has(ORIGIN));
    assertFalse(recent.has("z".repeat(20)));
    assertFalse(recent.has(cursorAt(stamp(299), 7, 0)), "a place between two");
  }
});

Deno.test("RecentMessages.after() gives what stands behind a place", () => {
  const { recent, records } = filled(600);
  for (const place of [344, 345, 500, 598, 599]) {
    assertEquals(recent.after(records[place].cursor), records.slice(place + 1), String(place));
  }
  assertEquals(recent.after("z".repeat(20)), []);
});

Deno.test("RecentMessages does not show what is hidden, and keeps its place", () => {
  const recent = new RecentMessages();
  for (let place = 0; place < 6; place++) recent.push(record(place), place !== 2);
  recent.hide(record(4).cursor);
  recent.hide(record(4).cursor);
  recent.hide(ORIGIN);
  assertEquals(recent.last(10).map(({ id }) => id), ["id 0", "id 1", "id 3", "id 5"]);
  assertEquals(recent.after(record(2).cursor).map(({ id }) => id), ["id 3", "id 5"]);
  assert(recent.has(record(2).cursor));
  assertEquals(recent.size, 6);
});

function ids(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `id ${from + index}`);
}

Deno.test("a newcomer gets the last messages from the log where memory is full", async () => {
  using kv = await Deno.openKv(":memory:");
  await using hub = new Hub(new KvRoomLog(kv), { logger() {} });
  const text = (i: number) => `${i} `.padEnd(4_000, "\u0007");
  const rooms = Array.from({ length: 150 }, (_, i) => `room-${i}`);
  const stay = (room: string) => hub.join(room, { user: "stayer", send() {}, close() {} });
  for (const room of rooms) {
    await stay(room).joined;
    for (let i = 0; i < 12; i++) await hub.publish(room, "ann", { text: text(i) });
  }
  for (const room of [rooms[0], rooms[149]]) {
    for (const [history, expected] of [[10, 10], [3, 3], [0, 0]]) {
      const texts: string[] = [];
      const member = new TestMember("bob");
      await hub.join(room, member, { history }).joined;
      await hub.publish(room, "ann", { text: "live" });
      texts.push(...member.said);
      assertEquals(texts.at(-1), "live", room);
      const before = texts.slice(0, -1).filter((said) => said !== "live");
      assertEquals(texts.length - 1, expected, `${room}, ${history}`);
      assertEquals(before, before.toSorted((a, b) => parseInt(a) - parseInt(b)));
    }
  }
});

Deno.test("RecentMessages keeps little where all rooms keep too much, and knows that it does", () => {
  const total = { length: 33 * 1024 * 1024 };
  const recent = new RecentMessages(total);
  for (let place = 0; place < 12; place++) recent.push(record(place, "x".repeat(24_000)), true);
  assertLessOrEqual(recent.length, 32 * 1024);
  assertEquals([recent.size, recent.isShortOf(1), recent.isShortOf(2)], [1, false, true]);
  const quiet = new RecentMessages(total);
  quiet.push(record(0), true);
  assertFalse(quiet.isShortOf(10), "there never were more");
});

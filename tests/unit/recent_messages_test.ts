import { assert, assertEquals, assertFalse } from "@std/assert";
import { cursorAt, ORIGIN } from "../../src/store/cursor.ts";
import { type LogRecord, recordAt } from "../../src/store/entry.ts";
import { RecentMessages } from "../../src/hub/recent_messages.ts";

/** The record at a place of a log where every entry holds three. */
function record(place: number, ref?: string, user = "ann"): LogRecord {
  const message = { id: `id ${place}`, user, text: String(place), sent_at: "t", ref };
  const [versionstamp, index] = [stamp(Math.floor(place / 3) + 1), place % 3];
  return recordAt({ room: "lobby", commit: versionstamp, index }, JSON.stringify(message), message);
}

function stamp(entry: number): string {
  return entry.toString(16).padStart(16, "0") + "0000";
}

function filled(count: number): { tail: RecentMessages; records: LogRecord[] } {
  const tail = new RecentMessages();
  const records = Array.from({ length: count }, (_, place) => record(place));
  for (const one of records) assertEquals(tail.push(one), undefined);
  return { tail, records };
}

Deno.test("RecentMessages.last() gives the newest, oldest first", () => {
  const { tail, records } = filled(30);
  for (const count of [0, 1, 10, 30]) {
    assertEquals(tail.last(count), records.slice(30 - count), String(count));
  }
  assertEquals(tail.last(100), records);
  assertEquals(new RecentMessages().last(10), []);
});

Deno.test("RecentMessages holds 256 records, however many went through", () => {
  for (const count of [256, 257, 512, 513, 514, 2000]) {
    const { tail, records } = filled(count);
    assertEquals(tail.size, 256);
    assertEquals(tail.last(1000), records.slice(-256), String(count));
    assert(tail.oldest === records[count - 256]);
  }
});

Deno.test("RecentMessages.has() knows exactly the cursors in it", () => {
  for (const count of [0, 1, 2, 255, 256, 600, 900]) {
    const { tail, records } = filled(count);
    for (const [place, { cursor }] of records.entries()) {
      assertEquals(tail.has(cursor), place >= count - 256, `${place} of ${count}`);
    }
    assertFalse(tail.has(ORIGIN));
    assertFalse(tail.has("~".repeat(19)));
    assertFalse(tail.has(cursorAt(stamp(299), 7, 0)), "a place between two");
  }
});

Deno.test("RecentMessages.after() gives what stands behind a place", () => {
  const { tail, records } = filled(600);
  for (const place of [344, 345, 500, 598, 599]) {
    assertEquals(tail.after(records[place].cursor), records.slice(place + 1), String(place));
  }
  assertEquals(tail.after("~".repeat(19)), []);
});

Deno.test("RecentMessages.push() gives the message that a record repeats, and does not show it", () => {
  const tail = new RecentMessages();
  const first = record(0, "r");
  assertEquals(tail.push(first), undefined);
  assertEquals(tail.push(record(1)), undefined);
  assertEquals(tail.push(record(2, "r"))?.cursor, first.cursor);
  assertEquals(tail.push(record(3, "r"))?.cursor, first.cursor);
  assertEquals(tail.last(10).map(({ id }) => id), ["id 0", "id 1"]);
  assertEquals(tail.after(first.cursor).map(({ id }) => id), ["id 1"]);
  assertEquals(tail.size, 4);
});

Deno.test("RecentMessages.find() tells users and refs apart", () => {
  const tail = new RecentMessages();
  const hers = record(0, "1", "ann");
  tail.push(hers);
  assertEquals(tail.find("ann", "1")?.cursor, hers.cursor);
  assertEquals(tail.find("bob", "1"), undefined);
  assertEquals(tail.find("ann", "2"), undefined);
  const his = record(1, "1", "bob");
  assertEquals(tail.push(his), undefined);
  assertEquals(tail.find("bob", "1")?.cursor, his.cursor);
  assertEquals(tail.find("ann", "1")?.cursor, hers.cursor);
});

Deno.test("RecentMessages.find() knows a ref as long as its message is among the last 256", () => {
  const tail = new RecentMessages();
  const first = record(0, "r");
  tail.push(first);
  for (let place = 1; place < 256; place++) tail.push(record(place));
  assertEquals(tail.find("ann", "r")?.cursor, first.cursor, "255 came after it");
  tail.push(record(256));
  assertEquals(tail.find("ann", "r"), undefined, "256 came after it");
  const again = record(257, "r");
  assertEquals(tail.push(again), undefined, "it is a new message now");
  assertEquals(tail.find("ann", "r")?.cursor, again.cursor);
});

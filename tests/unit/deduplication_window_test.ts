import { assert, assertEquals } from "@std/assert";
import { DEDUPLICATION_WINDOW } from "@hubbub/hub/protocol";
import { DeduplicationWindow } from "../../src/hub/deduplication_window.ts";
import { WindowReach } from "../../src/hub/window_reach.ts";
import { cursorAt, tagOf } from "../../src/store/cursor.ts";
import type { LogRecord } from "../../src/store/entry.ts";
import { Random } from "../helpers/random.ts";
import { duplicatesIn } from "../helpers/reference_window.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const { maxLength, maxMessages, minMessages, ms } = DEDUPLICATION_WINDOW;

interface Given {
  readonly ref?: string;
  readonly user?: string;
  readonly hash?: number;
  readonly id?: string;
  readonly repeats?: string;
  readonly length?: number;
  /** Milliseconds after the start. */
  readonly at?: number;
}

/** The record at a place. */
function record(place: number, given: Given = {}): LogRecord {
  const { user = "ann", id = `id ${place}`, ref, hash, repeats, at = 0, length = 100 } = given;
  return {
    cursor: cursorAt(place.toString(16).padStart(20, "0"), 0, tagOf(id)),
    id,
    user,
    ref,
    hash,
    repeats,
    sentAt: new Date(START + at).toISOString(),
    envelope: repeats === undefined ? "x".repeat(length) : "",
  };
}

Deno.test("DeduplicationWindow.push() gives the first message of a user and ref", () => {
  const window = new DeduplicationWindow();
  const first = record(1, { ref: "r", hash: 7 });
  assertEquals(window.push(first), undefined);
  assertEquals(window.push(record(2)), undefined);
  const known = { cursor: first.cursor, hash: 7 };
  assertEquals(window.push(record(3, { ref: "r", hash: 8 })), known);
  assertEquals(
    window.push(record(4, { ref: "r", hash: 7 })),
    known,
    "the first one stays the first",
  );
  assertEquals(window.find("ann", "r"), known);
  assertEquals(window.find("bob", "r"), undefined);
  assertEquals(window.find("ann", "s"), undefined);
  assertEquals(window.push(record(5, { user: "bob", ref: "r" })), undefined);
  assertEquals(window.size, 5);
});

Deno.test("DeduplicationWindow knows messages without ref by their id", () => {
  const window = new DeduplicationWindow();
  const first = record(1, { id: "a" });
  assertEquals(window.push(first), undefined);
  assertEquals(window.push(record(2, { id: "b" })), undefined);
  assertEquals(window.push(record(3, { id: "a" }))?.cursor, first.cursor);
});

Deno.test("DeduplicationWindow takes what a tombstone repeats for the first", () => {
  const window = new DeduplicationWindow();
  const first = record(1, { ref: "r" }).cursor;
  assertEquals(window.push(record(5, { ref: "r", repeats: first })), { cursor: first });
  assertEquals(window.push(record(6, { ref: "r" }))?.cursor, first);
  assert(window.hides(record(6, { ref: "r" })));
  assert(!window.hides(record(1, { ref: "r" })), "the first one is shown");
  assert(!window.hides(record(0, { ref: "r" })), "what is older is none of its duplicates");
});

Deno.test("DeduplicationWindow always holds the last 256, and two minutes of more", () => {
  const window = new DeduplicationWindow();
  window.push(record(0, { ref: "r" }));
  for (let place = 1; place < minMessages; place++) window.push(record(place, { at: 10 * ms }));
  assert(window.find("ann", "r"), "255 came after it");
  window.push(record(minMessages, { at: 10 * ms }));
  assertEquals(window.find("ann", "r"), undefined, "256 came after it, and it is too old");

  const busy = new DeduplicationWindow();
  busy.push(record(0, { ref: "r" }));
  for (let place = 1; place < 5_000; place++) busy.push(record(place, { at: ms }));
  assert(busy.find("ann", "r"), "it is two minutes old");
  busy.push(record(5_000, { at: ms + 1 }));
  assertEquals(busy.find("ann", "r"), undefined, "it is older");
});

Deno.test("DeduplicationWindow holds at most 10,000 messages, and 4 MiB", () => {
  const many = new DeduplicationWindow();
  many.push(record(0, { ref: "r" }));
  for (let place = 1; place < maxMessages; place++) many.push(record(place));
  assert(many.find("ann", "r"));
  many.push(record(maxMessages));
  assertEquals([many.find("ann", "r"), many.size], [undefined, maxMessages]);

  const long = new DeduplicationWindow();
  const length = maxLength / 1_000;
  for (let place = 0; place < 1_001; place++) long.push(record(place, { length, ref: `${place}` }));
  assertEquals(long.size, 1_000);
  assert(long.find("ann", "1") && !long.find("ann", "0"));
  const longer = new DeduplicationWindow();
  for (let place = 0; place < 500; place++) longer.push(record(place, { length: 60_000 }));
  assertEquals(longer.size, minMessages);
});

/** A log with clocks that differ and jump, refs that come again, and what is a duplicate in it. */
function randomLog(random: Random, count: number) {
  let now = 0;
  const records = Array.from({ length: count }, (_, place) => {
    now += random.below(random.pick([10, 1_000, 3_000]));
    if (random.chance(0.003)) now += random.pick([-10 * ms, -ms, ms, 10 * ms]);
    const at = now + random.pick([0, 0, 0, -50, 50, random.chance(0.01) ? 9 * ms : 0]);
    const ref = random.chance(0.7) ? `${random.below(random.pick([50, 5_000]))}` : undefined;
    return record(place, { at, ref, user: random.pick(["ann", "bob"]) });
  });
  const keys = records.map(({ id, ref, sentAt, user }) => {
    return { key: ref === undefined ? id : `${user} ${ref}`, sentAt: Date.parse(sentAt) };
  });
  return { records, duplicates: duplicatesIn(keys) };
}

for (let seed = 1; seed <= 8; seed++) {
  Deno.test(`DeduplicationWindow does as promised, also where it is filled late: log ${seed}`, () => {
    const random = new Random(seed);
    const { records, duplicates } = randomLog(random, 2_000);
    const window = new DeduplicationWindow();
    const stored: LogRecord[] = [];
    const late: { from: number; window: DeduplicationWindow }[] = [];
    records.forEach((one, place) => {
      if (random.chance(0.006)) late.push({ from: place, window: fill(stored) });
      const first = window.push(one);
      assertEquals(first !== undefined, duplicates[place], `place ${place}`);
      for (const { from, window } of late) {
        assertEquals(window.push(one)?.cursor, first?.cursor, `${place}, filled at ${from}`);
      }
      // Tombstones are written soon.
      stored.push(first ? { ...one, envelope: "", repeats: first.cursor } : one);
    });
    assert(late.length > 2);
  });
}

/** Fills a window from a log, as a room that is opened does. */
function fill(stored: readonly LogRecord[]): DeduplicationWindow {
  const window = new DeduplicationWindow();
  for (const one of stored.slice(stored.length - reachOf(stored))) window.push(one);
  return window;
}

for (let seed = 1; seed <= 40; seed++) {
  Deno.test(`A window that is filled late knows the newest records for what they are: log ${seed}`, () => {
    const random = new Random(1_000 + seed);
    const { records, duplicates } = randomLog(random, 600 + random.below(1_400));
    // A clock that is ahead may have stored the newest one.
    if (random.chance(0.5)) records.push(record(records.length, { at: 10_000_000 }));
    // The tombstones of the newest ones have not been written.
    const stored = records.map((one, place) => {
      const isOld = place < records.length - minMessages;
      return isOld && duplicates[place] ? { ...one, envelope: "", repeats: "~" } : one;
    });
    const from = stored.length - reachOf(stored);
    const window = new DeduplicationWindow();
    stored.slice(from).forEach((one, index) => {
      const [place, isRepeat] = [from + index, window.push(one) !== undefined];
      const isNew = place >= records.length - minMessages;
      if (isNew) assertEquals(isRepeat, duplicates[place] ?? false, `place ${place}`);
    });
  });
}

Deno.test("WindowReach ends where nothing older counts", () => {
  const quiet = Array.from({ length: 2_000 }, (_, place) => record(place, { at: place * 60_000 }));
  assertEquals(reachOf(quiet), 2 * minMessages + 1);
  const busy = Array.from({ length: 20_000 }, (_, place) => record(place, { at: place * 50 }));
  const inTwoMinutes = ms / 50;
  assert(Math.abs(reachOf(busy) - (inTwoMinutes + 2 * minMessages)) < 300, `${reachOf(busy)}`);
  const full = Array.from({ length: 20_000 }, (_, place) => record(place));
  assertEquals(reachOf(full), maxMessages + minMessages + 1);
  const long = Array.from({ length: 5_000 }, (_, place) => record(place, { length: 4_096 }));
  assertEquals(reachOf(long), 1_025 + minMessages);
});

function reachOf(records: readonly LogRecord[]): number {
  const reach = new WindowReach();
  let count = 0;
  while (!reach.isReached && count < records.length) reach.add(records[records.length - ++count]);
  return count;
}

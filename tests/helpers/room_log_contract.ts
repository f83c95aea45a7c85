// What every store of room logs has to do, whatever database it is over: see `RoomLog`. A store is
// held to it by a test file that calls testRoomLog() with a way to open databases.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import type { LogEntry, LogRecord, RoomLog, StoreEvent } from "@hubbub/hub";
import { COMMIT_LENGTH, commitOf, cursorAt, isCursor } from "../../src/store/cursor.ts";
import { NO_COMMIT, ORIGIN, tagOf } from "../../src/store/cursor.ts";
import { joinLines, messageText, writeTombstones } from "../../src/store/entry.ts";
import type { EntryLine } from "../../src/store/entry_line.ts";
import { testChanges } from "./change_contract.ts";
import { testErasures } from "./erasure_contract.ts";
import { testHistories } from "./history_contract.ts";
import { fill, numbers, storedEntry, storedLine } from "./stored_lines.ts";
import { testUserRooms } from "./user_rooms_contract.ts";

/** A database that one test has to itself. */
export interface TestDatabase extends AsyncDisposable {
  /**
   * Makes one more store object over the database, as another hub would.
   *
   * @param options What a store is to keep, and what time it is.
   */
  open(options?: TestStoreOptions): Promise<RoomLog> | RoomLog;
}

/** How a store object of a test behaves. */
export interface TestStoreOptions {
  /** Milliseconds for which messages are kept. @default {undefined} for ever */
  readonly retentionMs?: number;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly elapsed?: () => number;
}

/** A cursor after all others. */
const END = "z".repeat(ORIGIN.length);

/** The texts of records. */
export function textsOf(records: readonly LogRecord[]): string[] {
  return records.map((record) => JSON.parse(messageText(record)).text);
}

function cursorOf(commit: string, index: number, text: string): string {
  return cursorAt(commit, index, tagOf(`id of ${text}`));
}

/** The next chunk of a watch. */
async function next(reader: ReadableStreamDefaultReader<string>): Promise<string> {
  const { value, done } = await reader.read();
  assertFalse(done, "the watch ended");
  return value!;
}

/**
 * Registers the tests of the contract for one store.
 *
 * @param name What the tests are called after.
 * @param create Makes a database that is empty.
 * @param permissions What the tests need. @default {{}}
 */
export function testRoomLog(
  name: string,
  create: () => Promise<TestDatabase>,
  permissions: { ignore?: boolean; timeout?: number } = {},
): void {
  const test = (what: string, fn: (database: TestDatabase, log: RoomLog) => Promise<void>) => {
    Deno.test({
      name: `${name}: ${what}`,
      ...permissions,
      async fn() {
        await using database = await create();
        await fn(database, await database.open());
      },
    });
  };

  testChanges(test);
  testUserRooms(test);
  testErasures(test);
  testHistories(test);

  test("a commit is 20 hexadecimal digits, and greater than all before", async (database, log) => {
    const other = await database.open();
    let before = NO_COMMIT;
    for (const store of [log, other, log, other]) {
      const commit = await store.append(new Map([["lobby", storedEntry(["x"])]]));
      assert(/^[0-9a-f]+$/.test(commit) && commit.length === COMMIT_LENGTH, commit);
      assert(commit > before, `${commit} after ${before}`);
      before = commit;
    }
  });

  test("a record's cursor tells its commit, its index and its id", async (_, log) => {
    const commit = await log.append(new Map([["lobby", storedEntry(["a", "b"])]]));
    const cursors = (await log.last("lobby", { limit: 9 })).map(({ cursor }) => cursor);
    assertEquals(cursors, [cursorOf(commit, 0, "a"), cursorOf(commit, 1, "b")]);
    assert(cursors.every(isCursor));
  });

  test("a commit holds several rooms, and keeps them apart", async (_, log) => {
    const rooms = ["a", "a.b", "A", "a-"];
    const commit = await log.append(
      new Map(rooms.map((room) => [room, storedEntry([room, "2"])])),
    );
    for (const room of rooms) {
      const records = await log.last(room, { limit: 10 });
      assertEquals(textsOf(records), [room, "2"]);
      assert(records.every(({ cursor }) => commitOf(cursor) === commit));
    }
  });

  test("a read after a commit sees it, also through another object", async (database, log) => {
    const other = await database.open();
    for (const text of numbers(20)) {
      const commit = await log.append(new Map([["lobby", storedEntry([text])]]));
      assertEquals(textsOf(await other.last("lobby", { limit: 1 })), [text]);
      assertEquals(await other.head("lobby"), cursorOf(commit, 0, text));
    }
  });

  test("a reader that reads on misses nothing while several write", async (database, log) => {
    const writers = await Promise.all([1, 2, 3].map(() => database.open()));
    let isDone = false;
    const writing = Promise.all(writers.map(async (store, writer) => {
      for (const text of numbers(40)) {
        await store.append(new Map([["lobby", storedEntry([`${writer} ${text}`])]]));
      }
    })).then(() => isDone = true);
    const seen: LogRecord[] = [];
    for (let isLast = false; !isLast;) {
      isLast = isDone;
      const after = seen.at(-1)?.cursor ?? ORIGIN;
      seen.push(...await log.after("lobby", after, { limit: 7 }));
      if (seen.length < 120) isLast = false;
    }
    await writing;
    const all = await log.after("lobby", ORIGIN, { limit: Infinity });
    assertEquals(seen.map(({ cursor }) => cursor), all.map(({ cursor }) => cursor));
    for (const writer of [0, 1, 2]) {
      const texts = textsOf(seen).filter((text) => text.startsWith(`${writer} `));
      assertEquals(texts, numbers(40).map((text) => `${writer} ${text}`));
    }
  });

  for (const perEntry of [1, 7, 500]) {
    test(`1,000 messages in entries of ${perEntry} are read from both ends`, async (_, log) => {
      const texts = numbers(1000);
      await fill(log, "lobby", { texts, perEntry });
      assertEquals(textsOf(await log.last("lobby", { limit: 2000 })), texts);
      for (const limit of [0, 1, 6, 7, 8, 50, 100, 999, 1000]) {
        const newest = textsOf(await log.last("lobby", { limit }));
        assertEquals(newest, texts.slice(1000 - limit), `${limit}`);
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
      for (let cursor = END; backward.length <= 1000;) {
        const page = await log.before("lobby", cursor, { limit: 97 });
        if (page.length === 0) break;
        backward.unshift(textsOf(page));
        cursor = page[0].cursor;
      }
      assertEquals(backward.flat(), texts);
    });
  }

  test("a page ends after so many UTF-16 code units of envelopes", async (_, log) => {
    await fill(log, "lobby", { texts: numbers(9), perEntry: 2 });
    const [{ envelope: { length } }] = await log.last("lobby", { limit: 1 });
    const options = { limit: 9, maxLength: 2 * length + 1 };
    assertEquals(textsOf(await log.after("lobby", ORIGIN, options)), ["0", "1", "2"]);
    assertEquals(textsOf(await log.last("lobby", options)), ["6", "7", "8"]);
    assertEquals(textsOf(await log.last("lobby", { limit: 9, maxLength: 1 })), ["8"]);
  });

  test("after() and before() take a place between messages", async (_, log) => {
    const [first, second] = await fill(log, "lobby", { texts: numbers(6), perEntry: 3 });
    const between = cursorAt(first, 9, 0);
    assertEquals(textsOf(await log.after("lobby", between, { limit: 9 })), ["3", "4", "5"]);
    assertEquals(textsOf(await log.before("lobby", between, { limit: 9 })), ["0", "1", "2"]);
    const at = cursorOf(second, 0, "3");
    assertEquals(textsOf(await log.before("lobby", at, { limit: 2 })), ["1", "2"]);
    const start = cursorOf(first, 0, "0");
    assertEquals(textsOf(await log.before("lobby", start, { limit: 9 })), []);
    assertEquals(textsOf(await log.after("lobby", cursorOf(second, 2, "5"), { limit: 9 })), []);
  });

  test("after() stops at `until`, which it includes", async (_, log) => {
    const [first, second] = await fill(log, "lobby", { texts: numbers(9), perEntry: 3 });
    const read = async (from: string, until: string) =>
      textsOf(await log.after("lobby", from, { limit: 100, until }));
    const at = (commit: string, index: number, text: string) => cursorOf(commit, index, text);
    assertEquals(await read(ORIGIN, at(second, 1, "4")), numbers(5));
    assertEquals(await read(at(first, 1, "1"), at(second, 2, "5")), ["2", "3", "4", "5"]);
    assertEquals(await read(at(first, 1, "1"), at(first, 2, "2")), ["2"]);
    assertEquals(await read(at(first, 1, "1"), at(first, 1, "1")), []);
  });

  test("head() is the cursor of the newest record", async (_, log) => {
    assertEquals(await log.head("lobby"), ORIGIN);
    for (const count of [1, 3, 40]) {
      const commit = await log.append(new Map([["lobby", storedEntry(numbers(count))]]));
      assertEquals(await log.head("lobby"), cursorOf(commit, count - 1, String(count - 1)));
    }
    await log.append(new Map([["other", storedEntry(["x"])]]));
    assertEquals(await log.head("lobby"), (await log.last("lobby", { limit: 1 }))[0].cursor);
    const rooms = [...numbers(25), "lobby", "other"];
    const heads = await log.heads(rooms);
    assertEquals(heads.length, rooms.length);
    assertEquals(heads.slice(0, 25), numbers(25).map(() => ORIGIN));
    assertEquals(heads.slice(25), [await log.head("lobby"), await log.head("other")]);
    assertEquals(await log.heads([]), []);
  });

  test("get() and has() know a place by its record", async (_, log) => {
    const commit = await log.append(new Map([["lobby", storedEntry(["a", "b"])]]));
    const elsewhere = await log.append(new Map([["other", storedEntry(["c"])]]));
    const known = cursorOf(commit, 1, "b");
    assertEquals(textsOf([(await log.get("lobby", known))!]), ["b"]);
    assert(await log.has("lobby", known));
    const unknown = {
      "another record": cursorOf(commit, 1, "c"),
      "behind the entry": cursorOf(commit, 2, "c"),
      "another room": cursorOf(elsewhere, 0, "c"),
      "the future": END,
      "no cursor": "x",
    };
    for (const [what, cursor] of Object.entries(unknown)) {
      assertEquals(await log.get("lobby", cursor), undefined, what);
      assertFalse(await log.has("lobby", cursor), what);
    }
    assertEquals(await log.get("lobby", ORIGIN), undefined);
    assert(await log.has("lobby", ORIGIN), "nothing is missing after the origin");
    assert(await log.has("empty", ORIGIN));
  });

  test("every character that JSON can hold is kept", async (_, log) => {
    const texts = [
      "\u0000\n\r\u2028\u2029",
      "語🎉",
      '\\"',
      "e\u0301 is not \u00e9",
      "\uffff\ufffe",
    ];
    await log.append(new Map([["lobby", storedEntry(texts)]]));
    assertEquals(textsOf(await log.last("lobby", { limit: 9 })), texts);
  });

  test("an entry may be as long as it says, in any room", async (_, log) => {
    const bare = storedLine({ text: "", id: "1" }).length;
    const text = "x".repeat(log.entryMaxBytes - bare);
    const full = joinLines([storedLine({ text, id: "1" })], "1");
    assertEquals(full.bytes.length, log.entryMaxBytes);
    for (const room of ["a", "r".repeat(64)]) {
      assert(log.budget().take({ room, line: full.bytes }));
      await log.append(new Map([[room, full]]));
      assertEquals(textsOf(await log.last(room, { limit: 1 })), [text]);
    }
  });

  for (const size of [1, 2_000, 30_000]) {
    test(`what fits a budget is stored: entries of ${size} bytes`, async (_, log) => {
      const budget = log.budget();
      const entries = new Map<string, LogEntry>();
      const text = "x".repeat(size);
      for (const room of numbers(2_000).map((number) => number.padStart(64, "r"))) {
        const entry = storedEntry([text]);
        if (!budget.take({ room, line: entry.bytes })) break;
        entries.set(room, entry);
      }
      assert(entries.size > 1, "a commit holds several rooms");
      await log.append(entries);
      for (const room of entries.keys()) {
        assertEquals((await log.last(room, { limit: 9 })).length, 1);
      }
    });
  }

  test("rewrite() changes an entry, and its records keep their places", async (_, log) => {
    const commit = await log.append(new Map([["lobby", storedEntry(["a", "b", "c"])]]));
    const first = cursorOf(commit, 0, "a");
    const strike = (text: string) =>
      writeTombstones(text, new Map([[1, { id: "id of b", first }]]));
    assert(await log.rewrite("lobby", commit, strike));
    assertFalse(await log.rewrite("lobby", commit, strike), "it is struck already");
    assertFalse(await log.rewrite("other", commit, strike), "there is no such entry");
    const records = await log.last("lobby", { limit: 9 });
    assertEquals(records.map(({ repeats }) => repeats), [undefined, first, undefined]);
    assertEquals(records[2].cursor, cursorOf(commit, 2, "c"));
    assertEquals(textsOf(await log.last("lobby", { limit: 9, shownOnly: true })), ["a", "c"]);
    const after = await log.after("lobby", ORIGIN, { limit: 2, shownOnly: true });
    assertEquals(textsOf(after), ["a", "c"]);
    const long = "x".repeat(log.entryMaxBytes);
    assertFalse(await log.rewrite("lobby", commit, (text) => text + long), "it would not fit");
  });

  test("rewrite() loses nobody's change, beside writers", async (database, log) => {
    const commit = await log.append(new Map([["lobby", storedEntry(numbers(8))]]));
    const first = cursorOf(commit, 0, "0");
    const others = await Promise.all(numbers(2).map(() => database.open()));
    const stores = await Promise.all(numbers(7).map(() => database.open()));
    let isDone = false;
    const noise = Promise.all(others.map(async (store) => {
      while (!isDone) await store.append(new Map([["noise", storedEntry(["x"])]]));
    }));
    await Promise.all(stores.map((store, index) => {
      const lines = new Map([[index + 1, { id: `id of ${index + 1}`, first }]]);
      return store.rewrite("lobby", commit, (text) => writeTombstones(text, lines));
    }));
    isDone = true;
    await noise;
    const records = await log.last("lobby", { limit: 9 });
    assertEquals(records.filter(({ repeats }) => repeats === first).length, 7);
  });

  test("a line that is no record is passed over and reported once", async (_, log) => {
    const events: StoreEvent[] = [];
    const detach = log.attach((event) => void events.push(event));
    const commit = await log.append(new Map([["lobby", storedEntry(["a", "b", "c"])]]));
    await log.rewrite("lobby", commit, (text) => {
      const lines = text.split("\n");
      lines[1] = lines[1].replace('"', "!");
      return lines.join("\n");
    });
    for (let round = 0; round < 2; round++) {
      assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["a", "c"]);
      assertEquals(textsOf(await log.after("lobby", ORIGIN, { limit: 9 })), ["a", "c"]);
    }
    const cursor = cursorAt(commit, 1, 0);
    assertEquals(events, [{ type: "record_damaged", room: "lobby", cursor }]);
    assertFalse(await log.has("lobby", cursorOf(commit, 1, "b")));
    detach();
  });

  test("rooms() lists all that ever had a message", async (_, log) => {
    const rooms = ["a", "a-b", "a.b", "ab", "b", "z".repeat(64)].sort();
    for (const room of rooms.toReversed()) {
      await fill(log, room, { texts: numbers(3), perEntry: 1 });
    }
    assertEquals(await log.rooms({ limit: 100 }), rooms);
    const listed: string[] = [];
    while (listed.length < rooms.length) {
      listed.push(...await log.rooms({ limit: 2, after: listed.at(-1) }));
    }
    assertEquals(listed, rooms);
    assertEquals(await log.rooms({ limit: 100, after: "z".repeat(64) }), []);
  });

  test("watch() tells the newest commit, those of other objects too", async (database, log) => {
    const other = await database.open();
    const watch = log.watch().getReader();
    assertEquals(await next(watch), NO_COMMIT, "there is none yet");
    let commit = NO_COMMIT;
    for (const store of [log, other]) {
      commit = await store.append(new Map([["lobby", storedEntry(["x"])]]));
      for (let told = NO_COMMIT; told < commit;) told = await next(watch);
    }
    const late = other.watch().getReader();
    assertEquals(await next(late), commit, "the present one comes first");
    await Promise.all([watch.cancel(), late.cancel()]);
  });

  test("grownSince() names exactly the rooms that grew", async (database, log) => {
    const other = await database.open();
    const append = (store: RoomLog, rooms: string[]) =>
      store.append(new Map(rooms.map((room) => [room, storedEntry(["x"])])));
    const start = await append(log, ["a"]);
    const at = (commit: string) => cursorOf(commit, 0, "x");
    const first = { upTo: start, rooms: new Map([["a", at(start)]]) };
    assertEquals(await other.grownSince(start), first, "the first one is told as well");
    const commits = [await append(other, ["b", "c"]), await append(log, ["c"])];
    const [b, c] = [at(commits[0]), at(commits[1])];
    const grown = { upTo: commits[1], rooms: new Map([["a", at(start)], ["b", b], ["c", c]]) };
    assertEquals(await log.grownSince(start), grown);
    const rooms = new Map([["c", c]]);
    assertEquals(await other.grownSince(commits[1]), { upTo: commits[1], rooms });
    const before = await log.grownSince(start, commits[1]);
    assertEquals(before?.upTo, commits[1]);
    const places = [...before!.rooms].map(([room, cursor]) => [room, commitOf(cursor)]);
    assertEquals(places.sort(), [["a", start], ["b", commits[0]], ["c", commits[0]]]);
    assertEquals(before!.rooms.get("b"), b, "where its log ends");
    const nobodys = "f".repeat(COMMIT_LENGTH);
    assertEquals(await log.grownSince(nobodys), undefined, "nobody knows it");
    assertEquals(await log.grownSince(start, nobodys), undefined, "nor the last one");
  });

  test("grownSince() tells where it does not reach back", async (_, log) => {
    const start = await log.append(new Map([["a", storedEntry(["x"])]]));
    let commit = start;
    for (let i = 0; i < 300; i++) commit = await log.append(new Map([["b", storedEntry(["x"])]]));
    const grown = await log.grownSince(start);
    const rooms = new Map([["a", cursorOf(start, 0, "x")], ["b", cursorOf(commit, 0, "x")]]);
    if (grown) assertEquals(grown, { upTo: commit, rooms });
    assertEquals((await log.grownSince(commit))?.upTo, commit, "what was just appended is known");
  });

  test("what has expired is hidden, at the beginning of a log", async (database) => {
    let now = Date.parse("2026-01-01T00:00:00.000Z");
    const elapsed = () => now;
    const log = await database.open({ retentionMs: 60_000, now: () => now, elapsed });
    const append = (text: string, time: number) => {
      const line = storedLine({ text, sent_at: new Date(time).toISOString() });
      return log.append(new Map([["lobby", joinLines([line], `id of ${text}`)]]));
    };
    await append("old", now);
    const commit = await append("young", now + 30_000);
    // The clock of whoever stored this one was wrong.
    await append("dated", now - 1e9);
    now += 60_000;
    assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["old", "young", "dated"]);
    assert(await log.has("lobby", ORIGIN));
    const [old, young] = await log.last("lobby", { limit: 9 });
    assert(log.keeps("lobby", old));
    now += 1;
    assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["young", "dated"]);
    assertEquals(textsOf(await log.after("lobby", ORIGIN, { limit: 9 })), ["young", "dated"]);
    assertEquals(await log.before("lobby", young.cursor, { limit: 9 }), []);
    assertFalse(await log.has("lobby", ORIGIN), "the beginning is gone");
    assert(await log.has("lobby", young.cursor));
    assertFalse(await log.has("lobby", old.cursor));
    assertFalse(log.keeps("lobby", old));
    assert(log.keeps("lobby", young));
    now += 30_000;
    assertEquals(await log.last("lobby", { limit: 9 }), []);
    assert(commitOf(await log.head("lobby")) > commit, "the room keeps its place");
  });

  test("a tombstone expires as the message did that stood there", async (database) => {
    let now = Date.parse("2026-01-01T00:00:00.000Z");
    const clocks = { now: () => now, elapsed: () => now };
    const log = await database.open({ ...clocks, retentionMs: 60_000 });
    const keeps = await database.open(clocks);
    const lineAt = (text: string, time: number, id = `id of ${text}`) =>
      storedLine({ text, id, ref: "1", sent_at: new Date(time).toISOString() });
    const append = (id: string, ...lines: EntryLine[]) =>
      log.append(new Map([["lobby", joinLines(lines, id)]]));
    await append("id of a", lineAt("a", now));
    const commit = await append(
      "b",
      lineAt("again", now + 10, "repeat"),
      lineAt("b", now + 20, "b"),
    );
    await append("id of young", lineAt("young", now + 50_000));
    const [{ cursor: first }] = await log.last("lobby", { limit: 9 });
    assert(
      await log.rewrite("lobby", commit, (text) => {
        return writeTombstones(text, new Map([[0, { id: "repeat", first }]]));
      }),
    );
    const records = await log.last("lobby", { limit: 9 });
    assertEquals(records.map(({ repeats }) => repeats), [undefined, first, undefined, undefined]);
    assertEquals(records[1].sentAt, new Date(now + 10).toISOString());
    now += 61_000;
    // What stands behind the tombstone is as old: none of it is shown, and two looks delete it.
    assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["young"]);
    assertFalse(log.keeps("lobby", records[1]));
    now -= 30_000;
    const twice = await database.open({ ...clocks, retentionMs: 20_000 });
    await twice.sweep("lobby");
    now += 61 * 60_000;
    await twice.sweep("lobby");
    const left = await keeps.after("lobby", ORIGIN, { limit: 9 });
    assertEquals(textsOf(left), ["young"]);
  });

  test("a clock that is wrong for a while hides and deletes nothing", async (database) => {
    const start = Date.parse("2026-01-01T00:00:00.000Z");
    let [wall, mono] = [start, 0];
    const options = { retentionMs: 60_000, now: () => wall, elapsed: () => mono };
    const log = await database.open(options);
    const sent_at = new Date(start).toISOString();
    const entry = joinLines([storedLine({ text: "a", sent_at })], "id of a");
    await log.append(new Map([["lobby", entry]]));
    wall += 1e10;
    assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["a"], "it jumped");
    await log.sweep("lobby");
    mono += 30_000;
    wall = start + mono;
    assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["a"], "it is right again");
    await log.sweep("lobby");
    const keeps = await database.open();
    assertEquals(textsOf(await keeps.last("lobby", { limit: 9 })), ["a"]);
  });

  test("two looks an hour apart delete what both found too old", async (database) => {
    let now = Date.parse("2026-01-01T00:00:00.000Z");
    const clocks = { now: () => now, elapsed: () => now };
    const keeps = await database.open(clocks);
    const at = (text: string) => {
      const line = storedLine({ text, sent_at: new Date(now).toISOString() });
      return joinLines([line], `id of ${text}`);
    };
    const all = async () => textsOf(await keeps.after("lobby", ORIGIN, { limit: 999 }));
    const log = await database.open({ ...clocks, retentionMs: 60_000 });
    for (const text of numbers(450)) await log.append(new Map([["lobby", at(text)]]));
    now += 60_001;
    await log.append(new Map([["lobby", at("later")]]));
    await log.sweep("lobby");
    assertEquals((await all()).length, 451, "the first look");
    now += 30 * 60_000;
    await log.sweep("lobby");
    assertEquals((await all()).length, 451, "the second comes too early");
    now += 31 * 60_000;
    await log.append(new Map([["lobby", at("last")]]));
    await log.sweep("lobby");
    assertEquals(
      await all(),
      ["later", "last"],
      "the first look did not see the other one too old",
    );
    assertFalse(await keeps.has("lobby", ORIGIN), "also for those who keep everything");
    assert(await keeps.head("lobby") > ORIGIN);
  });

  test("a retention that was lengthened shows what is still there", async (database) => {
    let now = Date.parse("2026-01-01T00:00:00.000Z");
    const clocks = { now: () => now, elapsed: () => now };
    const short = await database.open({ ...clocks, retentionMs: 1_000 });
    const line = storedLine({ text: "a", sent_at: new Date(now).toISOString() });
    await short.append(new Map([["lobby", joinLines([line], "id of a")]]));
    now += 1_001;
    await short.sweep("lobby");
    assertEquals(await short.last("lobby", { limit: 9 }), []);
    const longer = await database.open({ ...clocks, retentionMs: 60_000 });
    assertEquals(textsOf(await longer.last("lobby", { limit: 9 })), ["a"]);
    now += 59_000;
    assertEquals(await longer.last("lobby", { limit: 9 }), []);
  });

  test("probe() succeeds where the database works", async (_, log) => {
    await log.probe(5_000);
    await log.probe(5_000);
  });

  test("attach() may be ended, and more than once", async (_, log) => {
    const [one, two] = [log.attach(() => {}), log.attach(() => {})];
    await one();
    await one();
    const appended = log.append(new Map([["lobby", storedEntry(["x"])]]));
    let isAnswered = false;
    void appended.then(() => isAnswered = true);
    await two();
    // No turn of the event loop, in which a database could answer.
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    assert(isAnswered, "what was called before is answered");
  });

  test("numbers that cannot be meant are refused", async (database) => {
    for (const retentionMs of [0, -1, 1.5, NaN, Infinity]) {
      await assertRejects(async () => void await database.open({ retentionMs }), RangeError);
    }
  });
}

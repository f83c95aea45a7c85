// What every store of room logs has to tell of a database that was put back to an earlier state: the
// fourth part of room_log_contract.ts.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { PlaceLostError, type RoomLog } from "@hubbub/hub";
import { ROOM_DELETED, type StoredControl } from "../../src/store/change.ts";
import { CHANGES_FROM, cursorAt, ORIGIN, tagOf } from "../../src/store/cursor.ts";
import { joinLines } from "../../src/store/entry.ts";
import { storedChange, withChanges } from "./change_contract.ts";
import { type TestDatabase, textsOf } from "./room_log_contract.ts";
import { fill, storedEntry, storedLine } from "./stored_lines.ts";

type Test = (
  what: string,
  fn: (database: TestDatabase, log: RoomLog) => Promise<void>,
) => void;

/** The place of a message that storedEntry() has made. */
function placeOf(commit: string, index: number, text: string): string {
  return cursorAt(commit, index, tagOf(`id of ${text}`));
}

/** Appends a reaction to a message of the lobby, and returns its place. */
async function react(log: RoomLog, message: string): Promise<string> {
  const change = storedChange(message, {
    kind: "reaction",
    emoji: "x",
    user: "ann",
    status: true,
  });
  const commit = await log.append(new Map([["lobby", withChanges([change])]]));
  return cursorAt(commit, CHANGES_FROM, tagOf(change.id));
}

export function testHistories(test: Test): void {
  test("isLost() knows what stands, and what another history had there", async (_, log) => {
    const [first, second] = await fill(log, "lobby", {
      texts: ["a", "b", "c", "d"],
      perEntry: 2,
    });
    const change = await react(log, placeOf(first, 0, "a"));
    const last = await log.append(new Map([["other", storedEntry(["x"])]]));
    const changed = change.slice(0, 16);
    const standing = {
      "a message": placeOf(first, 0, "a"),
      "the last of an entry": placeOf(second, 1, "d"),
      "a change": change,
      "nothing is lost at the origin": ORIGIN,
    };
    for (const [what, cursor] of Object.entries(standing)) {
      assertFalse(await log.isLost("lobby", cursor), what);
    }
    const lost = {
      "another message": placeOf(first, 0, "b"),
      "behind the entry": placeOf(second, 2, "d"),
      "another change": changed + placeOf(first, 0, "b").slice(16),
      "a commit of another room": placeOf(last, 0, "x"),
      "what is to come": placeOf("f".repeat(20), 0, "x"),
    };
    for (const [what, cursor] of Object.entries(lost)) {
      assert(await log.isLost("lobby", cursor), what);
    }
    assert(await log.isLost("empty", placeOf(first, 0, "a")));
  });

  test("reading on rejects where the record that it follows is lost", async (_, log) => {
    const [first, second] = await fill(log, "lobby", { texts: ["a", "b", "c"], perEntry: 2 });
    const follows = { limit: 9, follows: true };
    const read = async (cursor: string, options = {}) =>
      textsOf(await log.after("lobby", cursor, { ...follows, ...options }));
    assertEquals(await read(placeOf(first, 0, "a")), ["b", "c"]);
    assertEquals(await read(placeOf(first, 1, "b"), { until: placeOf(second, 0, "c") }), ["c"]);
    assertEquals(await read(placeOf(second, 0, "c")), []);
    assertEquals(await read(ORIGIN), ["a", "b", "c"]);
    for (
      const cursor of [
        placeOf(first, 0, "b"),
        placeOf(second, 0, "a"),
        placeOf(second, 1, "c"),
        placeOf("f".repeat(20), 0, "c"),
      ]
    ) {
      await assertRejects(() => read(cursor), PlaceLostError);
      await log.after("lobby", cursor, { limit: 9 });
    }
    const change = await react(log, placeOf(first, 0, "a"));
    const next = await react(log, placeOf(first, 0, "a"));
    assertEquals((await log.changes("lobby", change, follows)).map(({ cursor }) => cursor), [next]);
    assertEquals(await log.changes("lobby", next, follows), []);
    const other = change.slice(0, 16) + next.slice(16);
    await assertRejects(() => log.changes("lobby", other, follows), PlaceLostError);
  });

  test("what cannot be read is not lost", async (_, log) => {
    const commit = await log.append(new Map([["lobby", storedEntry(["a", "b"])]]));
    await log.rewrite("lobby", commit, (text) => text.replace('"', "!"));
    await log.append(new Map([["lobby", storedEntry(["c"])]]));
    const damaged = placeOf(commit, 0, "a");
    assertFalse(await log.isLost("lobby", damaged));
    const after = await log.after("lobby", damaged, { limit: 9, follows: true });
    assertEquals(textsOf(after), ["b", "c"]);
  });

  test("what retention removed is not lost, before its keys go and after", async (database) => {
    let now = Date.parse("2026-01-01T00:00:00.000Z");
    const clocks = { now: () => now, elapsed: () => now };
    const log = await database.open({ ...clocks, retentionMs: 60_000 });
    const keeps = await database.open(clocks);
    const say = async (text: string) => {
      const line = storedLine({ text, sent_at: new Date(now).toISOString() });
      const commit = await log.append(new Map([["lobby", joinLines([line], `id of ${text}`)]]));
      return placeOf(commit, 0, text);
    };
    const old = await say("old");
    const change = await react(log, old);
    now += 61_000;
    const isLost = async () => {
      const found: boolean[] = [];
      for (const store of [log, keeps]) {
        for (const cursor of [old, change]) found.push(await store.isLost("lobby", cursor));
        await store.after("lobby", old, { limit: 9, follows: true });
        await store.changes("lobby", change, { limit: 9, follows: true });
      }
      return found.includes(true);
    };
    assertFalse(await isLost(), "all of it has expired");
    await log.sweep("lobby");
    now += 61 * 60_000;
    await log.sweep("lobby");
    assertEquals(await keeps.last("lobby", { limit: 9 }), [], "it is gone");
    assertFalse(await isLost(), "all of it is gone");
    const young = await say("young");
    assertFalse(await isLost(), "something came after");
    assertFalse(await log.isLost("lobby", young));
    assert(await log.isLost("lobby", young.slice(0, 16) + old.slice(16)), "another one");
  });

  test("what stood in a deleted room is not lost", async (_, log) => {
    const [commit] = await fill(log, "lobby", { texts: ["a"], perEntry: 1 });
    const before = placeOf(commit, 0, "a");
    const change = await react(log, before);
    const deleted: StoredControl = {
      id: "deletion",
      user: "",
      at: 0,
      kind: "control",
      name: ROOM_DELETED,
      value: null,
    };
    await log.append(new Map([["lobby", withChanges([deleted])]]));
    for (const step of ["at once", "when its keys are gone"]) {
      for (const cursor of [before, change]) {
        assertFalse(await log.isLost("lobby", cursor), `${step}: ${cursor}`);
      }
      assertEquals(await log.after("lobby", before, { limit: 9, follows: true }), []);
      await log.clear("lobby");
    }
    const next = await log.append(new Map([["lobby", storedEntry(["b"])]]));
    const after = await log.after("lobby", before, { limit: 9, follows: true });
    assertEquals(textsOf(after), ["b"]);
    assert(await log.isLost("lobby", placeOf(next, 0, "a")), "another one in the new room");
  });
}

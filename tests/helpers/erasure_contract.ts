// What every store of room logs has to do about deleted rooms and erased users: the third part of
// room_log_contract.ts.

import { assert, assertEquals, assertFalse } from "@std/assert";
import type { LogEntry, RoomLog } from "@hubbub/hub";
import { ROOM_DELETED, type StoredControl, USER_ERASED } from "../../src/store/change.ts";
import { CHANGES_FROM, cursorAt, ORIGIN, tagOf } from "../../src/store/cursor.ts";
import { joinLines } from "../../src/store/entry.ts";
import { MessageState } from "../../src/store/message_state.ts";
import { storedChange, withChanges } from "./change_contract.ts";
import { type TestDatabase, textsOf } from "./room_log_contract.ts";
import { fill, numbers, storedEntry, storedLine } from "./stored_lines.ts";

type Test = (
  what: string,
  fn: (database: TestDatabase, log: RoomLog) => Promise<void>,
) => void;

let made = 0;

function control(name: string, value: StoredControl["value"] = null): StoredControl {
  return { id: `control ${++made}`, user: "", at: made, kind: "control", name, value };
}

/** Appends control records to a room, beside messages of the same commit. */
async function say(
  log: RoomLog,
  room: string,
  controls: readonly StoredControl[],
  entry?: LogEntry,
): Promise<string[]> {
  const commit = await log.append(new Map([[room, withChanges(controls, entry)]]));
  return controls.map(({ id }, index) => cursorAt(commit, CHANGES_FROM + index, tagOf(id)));
}

async function change(log: RoomLog, ...changes: Parameters<typeof withChanges>[0]) {
  await log.append(new Map([["lobby", withChanges(changes)]]));
}

/** Lines of several users, a commit each. */
async function write(log: RoomLog, room: string, lines: readonly [user: string, text: string][]) {
  const cursors: string[] = [];
  for (const [user, text] of lines) {
    const id = `id of ${text}`;
    const commit = await log.append(
      new Map([[room, joinLines([storedLine({ text, id, user })], id)]]),
    );
    cursors.push(cursorAt(commit, 0, tagOf(id)));
  }
  return cursors;
}

/** Registers the tests of the contract that are about deleting and erasing. */
export function testErasures(test: Test): void {
  test("nothing of a deleted room is read, at once and by everybody", async (database, log) => {
    const other = await database.open();
    await fill(log, "lobby", { texts: numbers(70), perEntry: 1 });
    await fill(log, "other", { texts: ["x"], perEntry: 1 });
    const old = (await log.last("lobby", { limit: 99 })).map(({ cursor }) => cursor);
    await change(
      log,
      storedChange(old[3], { kind: "edit", text: "secret" }),
      storedChange(old[4], { kind: "reaction", emoji: "👍", user: "bob", status: true }),
      control("mute:bob", { at: 1 }),
    );
    const [edit] = (await log.changes("lobby", ORIGIN, { limit: 9 })).map(({ cursor }) => cursor);
    assertEquals((await log.meta("lobby")).from, ORIGIN);
    const beside = storedEntry(["beside"]);
    const [deleted] = await say(log, "lobby", [control(ROOM_DELETED)], beside);
    for (const store of [other, log]) {
      for (const limit of [1, 99]) {
        assertEquals(await store.last("lobby", { limit }), []);
        assertEquals(await store.after("lobby", ORIGIN, { limit }), []);
        assertEquals(await store.after("lobby", old[9], { limit, until: deleted }), []);
        assertEquals(await store.before("lobby", deleted, { limit }), []);
      }
      assertEquals(await store.get("lobby", old[9]), undefined);
      for (const place of [ORIGIN, old[0], old[69], edit]) {
        assertFalse(await store.has("lobby", place), place);
      }
      assert(await store.has("lobby", deleted));
      for (const newest of [false, true]) {
        const changes = await store.changes("lobby", ORIGIN, { limit: 9, newest });
        assertEquals(changes.map(({ cursor }) => cursor), [deleted]);
      }
      const range = { from: old[0], to: old[69], limit: Infinity };
      const { messages, from } = await store.states("lobby", range);
      assertEquals([messages.size, from], [0, deleted]);
      assertEquals(await store.controls("lobby"), []);
      assertEquals(await store.meta("lobby"), {
        hasChanges: false,
        hasControls: false,
        from: deleted,
        erasing: new Map(),
      });
      assertEquals(await store.head("lobby"), deleted, "places go on rising");
      assertEquals(await store.rooms({ limit: 9 }), ["other"]);
      assertEquals(await store.rooms({ limit: 1 }), ["other"]);
    }
    assertEquals(textsOf(await log.last("other", { limit: 9 })), ["x"]);
  });

  test("what is written later is a new room of that name", async (database, log) => {
    await fill(log, "lobby", { texts: numbers(5), perEntry: 1 });
    const [old] = await log.last("lobby", { limit: 1 });
    // Of one commit, what stands behind the deletion belongs to the new room.
    const [, ban] = await say(log, "lobby", [
      control(ROOM_DELETED),
      control("ban:bob", { at: 2 }),
    ]);
    assertEquals(await log.rooms({ limit: 9 }), []);
    const other = await database.open();
    const [a] = await write(other, "lobby", [["ann", "new"]]);
    const late = storedChange(old.cursor, { kind: "edit", text: "by who had not heard of it" });
    const edit = storedChange(a, { kind: "edit", text: "newer" });
    await change(log, late, edit);
    for (const store of [log, other]) {
      assertEquals(textsOf(await store.last("lobby", { limit: 9 })), ["new"]);
      assertEquals(textsOf(await store.after("lobby", ORIGIN, { limit: 9 })), ["new"]);
      assertEquals(textsOf([(await store.get("lobby", a))!]), ["new"]);
      const controls = await store.controls("lobby");
      assertEquals(controls.map(({ name, cursor }) => [...name, cursor]), [["ban:bob", ban]]);
      const changes = await store.changes("lobby", a, { limit: 9 });
      assertEquals(changes.map(({ id }) => id), [edit.id]);
      const { hasChanges, hasControls } = await store.meta("lobby");
      assertEquals([hasChanges, hasControls], [true, true]);
      assertEquals(await store.rooms({ limit: 9 }), ["lobby"]);
      const { messages } = await store.states("lobby", { from: ORIGIN, to: a, limit: Infinity });
      assertEquals([...messages.keys()], [a]);
    }
    // And that may be deleted again.
    const [again] = await say(log, "lobby", [control(ROOM_DELETED)]);
    assertEquals((await other.meta("lobby")).from, again);
    assertEquals(await other.last("lobby", { limit: 9 }), []);
    assertEquals(await other.rooms({ limit: 9 }), []);
  });

  test("clear() leaves what counts, and may be done twice", async (database, log) => {
    await fill(log, "lobby", { texts: numbers(30), perEntry: 3 });
    const [old] = await log.last("lobby", { limit: 1 });
    await change(log, storedChange(old.cursor, { kind: "edit", text: "x" }), control("mute:a", {}));
    await say(log, "lobby", [control("mute:b", { at: 1 }), control(ROOM_DELETED)]);
    const [, kept] = await write(log, "lobby", [["ann", "a"], ["bob", "b"]]);
    await say(log, "lobby", [control("mute:b", { at: 3 })]);
    await change(log, storedChange(kept, { kind: "edit", text: "B" }));
    const look = async () => [
      textsOf(await log.after("lobby", ORIGIN, { limit: 99 })),
      (await log.changes("lobby", ORIGIN, { limit: 99 })).map(({ id }) => id),
      (await log.controls("lobby")).map(({ name }) => name),
      MessageState.of(
        (await log.states("lobby", { from: kept, to: kept, limit: 9 })).messages.get(kept)!,
      ).text,
      await log.meta("lobby"),
    ];
    const before = await look();
    const other = await database.open();
    await Promise.all([log.clear("lobby"), other.clear("lobby")]);
    await log.clear("lobby");
    await log.clear("other");
    assertEquals(await look(), before);
  });

  test("a user's messages are erased up to a place, others' are not", async (database, log) => {
    const other = await database.open();
    const mixed = joinLines([
      storedLine({ text: "one", id: "1", user: "ann", ref: "r" }),
      storedLine({ text: "two", id: "2", user: "bob" }),
      storedLine({ text: "of ann", id: "3", user: "an" }),
    ], "3");
    await log.append(new Map([["lobby", mixed]]));
    const names: [string, string][] = numbers(200).map((n) => [n.endsWith("7") ? "ann" : "bob", n]);
    const cursors = await write(log, "lobby", names);
    const [edited, quoted] = [cursors[7], cursors[8]];
    await change(
      log,
      storedChange(edited, { kind: "edit", text: "more", user: "ann" }),
      storedChange(edited, { kind: "reaction", emoji: "👍", user: "bob", status: true }),
      storedChange(quoted, { kind: "edit", text: "kept", user: "bob" }),
      storedChange(quoted, { kind: "reaction", emoji: "👍", user: "ann", status: true }),
      storedChange(quoted, { kind: "reaction", emoji: "👍", user: "bob", status: true }),
    );
    const [erased] = await say(log, "lobby", [control(USER_ERASED, { user: "ann" })]);
    assertEquals([...(await other.meta("lobby")).erasing], [["ann", erased]]);
    await write(log, "lobby", [["ann", "later"]]);
    await change(
      log,
      storedChange(cursors[9], { kind: "reaction", emoji: "❤", user: "ann", status: true }),
    );
    let [messages, reactions] = [0, 0];
    await other.eraseUser("lobby", "ann", (step) => {
      messages += step.messages;
      reactions += step.reactions;
    });
    assertEquals([messages, reactions], [21, 1]);
    const records = await log.after("lobby", ORIGIN, { limit: Infinity });
    assertEquals(records.length, 204, "all keep their places");
    const texts = records.map((record) => [record.user, textsOf([record])[0], record.isErased]);
    for (const [user, text, isErased] of texts) {
      const isGone = user === "ann" && text !== "later";
      assertEquals([text === "", isErased ?? false], [isGone, isGone], `${user}: ${text}`);
    }
    assert(records[0].refHash !== undefined, "a late retry is still known");
    const stateOf = async (message: string) => {
      const range = { from: message, to: message, limit: Infinity };
      return MessageState.of((await log.states("lobby", range)).messages.get(message) ?? []);
    };
    assertEquals((await stateOf(edited)).text, undefined);
    assertEquals((await stateOf(edited)).reactionCount, 0);
    const kept = await stateOf(quoted);
    assertEquals(kept.text, "kept");
    assertEquals(kept.reactions(), [{ emoji: "👍", count: 1, users: ["bob"] }]);
    assertEquals((await stateOf(cursors[9])).reactions()[0].users, ["ann"], "since then");
    const changes = await log.changes("lobby", ORIGIN, { limit: 99 });
    const said = JSON.stringify(changes.filter(({ cursor }) => cursor < erased));
    assertFalse(said.includes("more") || said.includes('"emoji":"👍","user":"ann"'), said);
    assertEquals(changes.length, 7);
    await log.eraseUser("lobby", "ann");
    await log.eraseUser("lobby", "nobody");
    assertEquals((await log.after("lobby", ORIGIN, { limit: Infinity })).length, 204);
  });

  test("a deleted room takes along who was being erased in it", async (_, log) => {
    await write(log, "lobby", [["ann", "a"]]);
    await say(log, "lobby", [control(USER_ERASED, { user: "ann" })]);
    await say(log, "lobby", [control(ROOM_DELETED)]);
    await log.eraseUser("lobby", "ann");
    await log.clear("lobby");
    assertEquals((await log.meta("lobby")).erasing.size, 0);
    await write(log, "lobby", [["ann", "b"]]);
    await log.eraseUser("lobby", "ann");
    assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["b"]);
  });
}

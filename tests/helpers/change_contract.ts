// What every store of room logs has to do with changes, states and control records: the second part
// of room_log_contract.ts.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import type { LogEntry, RoomLog } from "@hubbub/hub";
import { changeLine, type ChangeRecord, type StoredChange } from "../../src/store/change.ts";
import { writesOf } from "../../src/store/change.ts";
import { ClaimedError } from "../../src/store/claimed_error.ts";
import { CHANGES_FROM, cursorAt, isOfChange, ORIGIN, tagOf } from "../../src/store/cursor.ts";
import { joinLines } from "../../src/store/entry.ts";
import { MessageState } from "../../src/store/message_state.ts";
import type { TestDatabase } from "./room_log_contract.ts";
import { numbers, storedEntry, storedLine } from "./stored_lines.ts";

type Test = (
  what: string,
  fn: (database: TestDatabase, log: RoomLog) => Promise<void>,
) => void;

let made = 0;

/** Makes a change of a message; what is left out does not matter to the test. */
export function storedChange(
  message: string,
  change: Partial<StoredChange> & Pick<StoredChange, "kind">,
): StoredChange {
  return { id: `change ${++made}`, user: "ann", at: made, message, ...change } as StoredChange;
}

/** Adds changes to an entry; without one they stand alone. */
export function withChanges(changes: readonly StoredChange[], entry?: LogEntry): LogEntry {
  const lastId = changes.at(-1)!.id;
  const { bytes } = joinLines(changes.map(changeLine), lastId);
  const none = { bytes: new Uint8Array(), count: 0, lastId };
  return { ...(entry ?? none), changes: { bytes, changes: changes.map(writesOf) } };
}

/** Lets the changes of an entry claim names. */
function claiming(entry: LogEntry, names: readonly string[], hash = 7): LogEntry {
  const { bytes, changes } = entry.changes!;
  const claims = changes.map((writes, at) => ({ ...writes, claim: { name: names[at], hash } }));
  return { ...entry, changes: { bytes, changes: claims } };
}

function reaction(message: string, emoji: string, user: string, status = true): StoredChange {
  return storedChange(message, { kind: "reaction", emoji, user, status });
}

/** Appends to the lobby. */
async function append(log: RoomLog, ...[changes, entry]: Parameters<typeof withChanges>) {
  const commit = await log.append(new Map([["lobby", withChanges(changes, entry)]]));
  return changes.map(({ id }, index) => cursorAt(commit, CHANGES_FROM + index, tagOf(id)));
}

/** Appends messages to the lobby. */
async function say(log: RoomLog, ...texts: string[]): Promise<string[]> {
  const commit = await log.append(new Map([["lobby", storedEntry(texts)]]));
  return texts.map((text, index) => cursorAt(commit, index, tagOf(`id of ${text}`)));
}

/** The state of one message. */
async function stateOf(log: RoomLog, message: string): Promise<MessageState> {
  const { messages } = await log.states("lobby", { from: message, to: message, limit: Infinity });
  return MessageState.of(messages.get(message) ?? []);
}

/** The reactions; hubs write down by themselves which kind was first. */
function kindsOf(state: MessageState) {
  return state.reactions("u1").toSorted((one, other) => one.emoji < other.emoji ? -1 : 1);
}

function cursorsOf(records: readonly { readonly cursor: string }[]): string[] {
  return records.map(({ cursor }) => cursor);
}

/** Registers the tests of the contract that are about changes. */
export function testChanges(test: Test): void {
  test("changes stand behind a commit's messages, and are read apart", async (_, log) => {
    const [a] = await say(log, "a");
    const stored = [
      storedChange(a, { kind: "edit", text: "A", data: { x: [1, null] }, ref: "r" }),
      reaction(a, "👍", "bob"),
      storedChange(a, { kind: "delete", user: "carl" }),
    ];
    const cursors = await append(log, stored, storedEntry(["b", "c"]));
    const records = await log.changes("lobby", ORIGIN, { limit: 9 });
    assertEquals(records, stored.map((change, i) => ({ ...change, cursor: cursors[i] })));
    const all = await log.after("lobby", ORIGIN, { limit: 9 });
    assertEquals(all.length, 3);
    assert(cursorsOf(all).every((cursor) => cursor < cursors[0] && !isOfChange(cursor)));
    assert(cursors.every(isOfChange));
    assertEquals(await log.head("lobby"), cursors[2]);
    assertEquals(await log.changes("other", ORIGIN, { limit: 9 }), []);
  });

  test("changes() reads on from any place, so many, and up to a place", async (_, log) => {
    const [a] = await say(log, "a");
    const cursors: string[] = [];
    for (const part of [1, 3, 40]) {
      cursors.push(...await append(log, numbers(part).map((n) => reaction(a, "👍", n))));
    }
    const read = async (after: string, limit: number, until?: string) =>
      cursorsOf(await log.changes("lobby", after, { limit, until }));
    assertEquals(await read(ORIGIN, 100), cursors);
    assertEquals(await read(a, 2), cursors.slice(0, 2));
    assertEquals(await read(cursors[2], 4), cursors.slice(3, 7));
    assertEquals(await read(cursors[2], 100, cursors[20]), cursors.slice(3, 21));
    assertEquals(await read(cursors[2], 100, cursors[2]), []);
    assertEquals(await read(cursors.at(-1)!, 100), []);
    assertEquals(await read(ORIGIN, 0), []);
    const newest = async (limit: number, until?: string) =>
      cursorsOf(await log.changes("lobby", ORIGIN, { limit, until, newest: true }));
    assertEquals(await newest(5), cursors.slice(-5));
    assertEquals(await newest(100), cursors);
    assertEquals(await newest(3, cursors[20]), cursors.slice(18, 21));
  });

  test("get() finds no change, has() does, where its tag fits", async (database, log) => {
    const [a] = await say(log, "a");
    const [change] = await append(log, [reaction(a, "👍", "bob")]);
    const other = await database.open();
    assertEquals(await other.get("lobby", change), undefined);
    assertEquals([await other.has("lobby", change), await other.has("lobby", a)], [true, true]);
    const foreign = change.slice(0, -1) + (change.endsWith("1") ? "2" : "1");
    assertFalse(await other.has("lobby", foreign));
    assertFalse(await other.has("other", change));
  });

  test("a room without changes has none, and says so", async (database, log) => {
    const [a] = await say(log, "a");
    const none = { hasChanges: false, hasControls: false, from: ORIGIN, erasing: new Map() };
    assertEquals(await log.meta("lobby"), none);
    await append(log, [reaction(a, "👍", "bob")]);
    const other = await database.open();
    assertEquals(await other.meta("lobby"), { ...none, hasChanges: true });
    assertEquals(await other.meta("other"), none);
  });

  test("of each state the last write stands, whoever made it", async (database, log) => {
    const other = await database.open();
    const [a, b] = await say(log, "a", "b");
    await append(log, [storedChange(a, { kind: "edit", text: "1", at: 1 })]);
    await append(other, [storedChange(a, { kind: "edit", text: "2", data: { n: 2 }, at: 2 })]);
    const [first, last] = await append(log, [
      reaction(a, "👍", "bob"),
      storedChange(a, { kind: "edit", data: null, at: 3 }),
    ]);
    const state = await stateOf(other, a);
    assertEquals([state.text, state.data, state.editedAt], ["2", null, 3]);
    assertEquals(state.changed, last);
    assert(first < last);
    assertEquals(state.reactions("bob"), [
      { emoji: "👍", count: 1, users: ["bob"], mine: true },
    ]);
    assertEquals((await stateOf(other, b)).changed, "");
  });

  test("a state that was taken away is gone, its message's last change is not", async (_, log) => {
    const [a] = await say(log, "a");
    await append(log, [reaction(a, "👍", "bob"), reaction(a, "👍", "ann")]);
    const [end] = await append(log, [reaction(a, "👍", "bob", false)]);
    const state = await stateOf(log, a);
    assertEquals(state.reactions(), [{ emoji: "👍", count: 1, users: ["ann"] }]);
    assertEquals(state.changed, end);
    // The last one within a commit counts as well.
    const [, , last] = await append(
      log,
      [true, false, true].map((status) => {
        return reaction(a, "❤", "bob", status);
      }),
    );
    const after = await stateOf(log, a);
    assertEquals([after.changed, after.hasReaction("❤", "bob")], [last, true]);
  });

  test("what states come to is what the changes come to one by one", async (database, log) => {
    const other = await database.open();
    const cursors = await say(log, "a", "b", "c");
    for (let i = 0; i < 60; i++) {
      const message = cursors[i % 3];
      const user = `u${i % 5}`;
      const changes = [
        reaction(message, ["👍", "❤", "x"][i % 7 % 3], user, i % 4 !== 3),
        ...(i % 6 === 0 ? [storedChange(message, { kind: "edit", text: `${i}` })] : []),
        ...(i % 10 === 0 ? [storedChange(message, { kind: "edit", data: { i } })] : []),
        ...(i === 50 ? [storedChange(message, { kind: "delete" })] : []),
      ];
      await append(i % 2 ? log : other, changes);
    }
    const records = await log.changes("lobby", ORIGIN, { limit: Infinity });
    const { messages } = await log.states("lobby", {
      from: cursors[0],
      to: cursors[2],
      limit: Infinity,
    });
    for (const message of cursors) {
      const folded = new MessageState();
      for (const record of records) {
        if (record.kind !== "control" && record.message === message) folded.apply(record);
      }
      const kept = MessageState.of(messages.get(message)!);
      for (const state of [folded, kept]) {
        assertEquals(
          [state.changed, state.text, state.data, state.editedAt, kindsOf(state)],
          [kept.changed, kept.text, kept.data, kept.editedAt, kindsOf(kept)],
        );
      }
      assertEquals(folded.isDeleted, kept.isDeleted);
    }
  });

  for (const reverse of [false, true]) {
    test(`states() stops behind a limit, reverse: ${reverse}`, async (_, log) => {
      const cursors = await say(log, ...numbers(6));
      for (const message of cursors) {
        if (message === cursors[3]) continue;
        const users = numbers(message === cursors[1] ? 1_200 : 4);
        for (let at = 0; at < users.length; at += 200) {
          const some = users.slice(at, at + 200);
          await append(log, some.map((user) => reaction(message, "👍", user)));
        }
      }
      const [from, to] = [cursors[0], cursors[5]];
      const all = await log.states("lobby", { from, to, limit: Infinity, reverse });
      assertEquals(all.next, undefined);
      assertEquals([...all.messages.keys()].toSorted(), cursors.filter((_, i) => i !== 3));
      assertEquals(MessageState.of(all.messages.get(cursors[1])!).reactionCount, 1_200);
      const one = await log.states("lobby", { from, to, limit: 1, reverse });
      assertEquals([...one.messages.keys()], [reverse ? to : from]);
      assertEquals(one.next, reverse ? cursors[4] : cursors[1]);
      const some = await log.states("lobby", { from, to: cursors[4], limit: 100, reverse });
      assertEquals(some.next, reverse ? cursors[0] : cursors[2]);
      const none = await log.states("lobby", { from: cursors[3], to: cursors[3], limit: 9 });
      assertEquals([...none.messages], []);
    });
  }

  test("control records set states of the room, in the log's order", async (database, log) => {
    const [a] = await say(log, "a");
    const control = (name: string, value: Record<string, unknown> | null): StoredChange => {
      return { id: `control ${++made}`, user: "mod", at: 7, kind: "control", name, value };
    };
    const first = [control("ban ann", { until: 1 }), control("mute böb", { until: null })];
    const cursors = await append(log, [...first, reaction(a, "👍", "bob")]);
    const other = await database.open();
    const { hasChanges, hasControls } = await other.meta("lobby");
    assertEquals([hasChanges, hasControls], [true, true]);
    const records = await other.changes("lobby", ORIGIN, { limit: 9 });
    assertEquals(records[0] as ChangeRecord, { ...first[0], cursor: cursors[0] });
    assertEquals(await other.controls("lobby"), [
      { name: ["ban ann"], value: '{"until":1}', cursor: cursors[0] },
      { name: ["mute böb"], value: '{"until":null}', cursor: cursors[1] },
    ]);
    const [again] = await append(other, [
      control("mute böb", { until: 9 }),
      control("ban ann", null),
    ]);
    assertEquals(await log.controls("lobby"), [
      { name: ["mute böb"], value: '{"until":9}', cursor: again },
    ]);
    assertEquals(await log.controls("other"), []);
  });

  test("erase() leaves nothing of what a message said", async (database, log) => {
    const other = await database.open();
    const line = storedLine({ text: "SECRET", ref: "my ref", id: "id of b" });
    const entry = joinLines(
      [storedLine({ text: "a" }), line, storedLine({ text: "c" })],
      "id of c",
    );
    const commit = await log.append(new Map([["lobby", entry]]));
    const b = cursorAt(commit, 1, tagOf("id of b"));
    const a = cursorAt(commit, 0, tagOf("id of a"));
    await append(log, [
      storedChange(b, { kind: "edit", text: "SECRET 2", data: { SECRET: 3 } }),
      storedChange(a, { kind: "edit", text: "kept" }),
      reaction(b, "👍", "bob"),
    ]);
    const [deletion] = await append(other, [storedChange(b, { kind: "delete", user: "mod" })]);
    await log.erase("lobby", b);
    // Another isolate had not seen the deletion.
    const [late] = await append(other, [storedChange(b, { kind: "edit", text: "SECRET 4" })]);
    assertEquals((await stateOf(log, b)).hasLeftovers, true);
    await other.erase("lobby", b);
    await other.erase("lobby", b);
    const records = await log.last("lobby", { limit: 9 });
    const changes = await log.changes("lobby", ORIGIN, { limit: 9 });
    const { messages } = await log.states("lobby", { from: a, to: b, limit: Infinity });
    const everything = JSON.stringify([records, changes, [...messages]]);
    assertFalse(everything.includes("SECRET"), everything);
    assertFalse(everything.includes("my ref"), everything);
    assertEquals(records.map(({ isErased }) => isErased), [undefined, true, undefined]);
    assertEquals(cursorsOf(records)[1], b);
    assertEquals(records[1].refHash?.length, 2);
    assertEquals(changes.length, 5);
    const state = MessageState.of(messages.get(b)!);
    assertEquals([state.isDeleted, state.hasLeftovers, state.changed], [true, false, late]);
    assert(deletion < late);
    assertEquals(MessageState.of(messages.get(a)!).text, "kept");
    assert(await log.has("lobby", b), "its place is still known");
  });

  test("a change whose name another has is refused with its commit", async (database, log) => {
    const other = await database.open();
    const [a] = await say(log, "a");
    const first = reaction(a, "👍", "bob");
    const commit = await log.append(
      new Map([["lobby", claiming(withChanges([first]), ["r1"], 2 ** 32 - 1)]]),
    );
    const [same, fresh] = [reaction(a, "👍", "bob", false), reaction(a, "❤", "eve")];
    const entry = withChanges([same, fresh], storedEntry(["b"]));
    const both = new Map([["lobby", claiming(entry, ["r1", "r2"])], ["hall", storedEntry(["c"])]]);
    const error = await assertRejects(() => other.append(both), ClaimedError);
    const cursor = cursorAt(commit, CHANGES_FROM, tagOf(first.id));
    assertEquals([...error.claims], [[same.id, { cursor, id: first.id, hash: 2 ** 32 - 1 }]]);
    // Nothing of it was stored, and another room's names are its own.
    assertEquals([await log.head("lobby"), await log.head("hall")], [cursor, ORIGIN]);
    assertEquals((await stateOf(log, a)).hasReaction("👍", "bob"), true);
    const rest = claiming(withChanges([fresh]), ["r2"]);
    const elsewhere = claiming(withChanges([reaction(a, "x", "x")]), ["r1"]);
    await other.append(new Map([["lobby", rest], ["hall", elsewhere]]));
    assertEquals((await log.changes("lobby", ORIGIN, { limit: 9 })).length, 2);
  });

  test("a commit that comes once more is the same commit", async (database, log) => {
    const other = await database.open();
    const [a] = await say(log, "a");
    const entry = claiming(withChanges([reaction(a, "👍", "bob")], storedEntry(["b"])), ["r1"]);
    const commit = await log.append(new Map([["lobby", entry]]));
    assertEquals(await other.append(new Map([["lobby", entry]])), commit);
    assertEquals((await log.after("lobby", ORIGIN, { limit: 9 })).length, 2);
    assertEquals((await log.changes("lobby", ORIGIN, { limit: 9 })).length, 1);
  });

  test("many stores claim at once, and each name has one change", async (database, log) => {
    const logs = [log, await database.open(), await database.open()];
    const [a] = await say(log, "a");
    const names = numbers(12);
    const all = await Promise.all(logs.flatMap((store, at) => {
      return names.map(async (name) => {
        const change = reaction(a, "👍", `${name} by ${at}`);
        const entry = claiming(withChanges([change]), [name]);
        return await store.append(new Map([["lobby", entry]])).then(() => 1, (error) => {
          assert(error instanceof ClaimedError, error);
          return 0;
        });
      });
    }));
    assertEquals(all.reduce((sum: number, one) => sum + one, 0), names.length);
    assertEquals((await stateOf(log, a)).reactionCount, names.length);
  });

  test("a commit holds as many changes as its budget takes", async (_, log) => {
    const [a] = await say(log, "a");
    const users = numbers(3_000).map((n) => `${"é".repeat(58)}${n.padStart(6, "0")}`);
    const budget = log.budget();
    const taken: StoredChange[] = [];
    for (const user of users) {
      const change = reaction(a, "👨‍👩‍👧‍👦", user);
      const append = { room: "lobby", line: changeLine(change), writes: writesOf(change) };
      if (!budget.take(append)) break;
      taken.push(change);
    }
    assert(taken.length > 10, `${taken.length}`);
    await append(log, taken);
    assertEquals((await stateOf(log, a)).reactionCount, taken.length);
  });
}

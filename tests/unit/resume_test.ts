import { mock } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { Hub } from "@hubbub/hub";
import { commitOf, ORIGIN } from "../../src/store/cursor.ts";
import { joinLines } from "../../src/store/entry.ts";
import { holdOnce, injectFaults } from "../helpers/kv_faults.ts";
import { assertRun, readLog } from "../helpers/log_run.ts";
import { fill, numbers, storedLine } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { eventually } from "../helpers/patience.ts";
import { TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";

async function resume(hub: Hub, after: string, room = "lobby"): Promise<TestMember> {
  const member = new TestMember("ann");
  const subscription = hub.join(room, member, { after });
  await subscription.joined;
  subscription.leave();
  return member;
}

Deno.test("Hub.join() with `after` in the tail sends exactly what came since", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  await fill(log, "lobby", { texts: numbers(100), perEntry: 7 });
  const all = await readLog(log, "lobby");
  for (const place of [0, 6, 7, 50, 98, 99]) {
    const ann = await resume(hub, all[place].cursor);
    assertEquals(ann.messages, all.slice(place + 1), String(place));
    assertEquals(ann.joined.recovered, true);
    assertEquals(ann.joined.cursor, all[99].cursor);
  }
});

Deno.test("Hub.join() with `after` in the tail is done before it returns", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  await fill(log, "lobby", { texts: numbers(20), perEntry: 1 });
  await hub.join("lobby", new TestMember("bob")).joined;
  const [, , { cursor }] = await readLog(log, "lobby");
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann, { after: cursor });
  assertEquals(subscription.state, "live");
  assertEquals(ann.said, numbers(17, 3));
});

for (const perEntry of [1, 3, 250]) {
  const name = `Hub.join() resumes from before the tail, in entries of ${perEntry}`;
  Deno.test(name, async () => {
    using kv = await Deno.openKv(":memory:");
    const { hub, log } = createTestHub(kv);
    await fill(log, "lobby", { texts: numbers(1000), perEntry });
    const all = await readLog(log, "lobby");
    for (const place of [0, 1, 99, 100, 101, 642, 643, 742, 743, 744, 745]) {
      const ann = await resume(hub, all[place].cursor);
      assertEquals(ann.messages.length, 999 - place);
      assertRun(ann.messages, all, place + 1);
      assert(ann.joined.recovered);
    }
  });
}

for (const areStruck of [false, true]) {
  const which = areStruck ? "repeats that are struck out" : "repeats that are not struck out yet";
  Deno.test(`Hub.join() shows no ${which} on a long resume`, async () => {
    using kv = await Deno.openKv(":memory:");
    const { hub, log } = createTestHub(kv);
    const once = async (text: string, id: string, ref?: string) => {
      const entry = joinLines([storedLine({ text, id, ref })], id);
      return await log.append(new Map([["lobby", entry]]));
    };
    const texts = numbers(700);
    await once("first", "1", "r");
    await fill(log, "lobby", { texts: texts.slice(0, 20), perEntry: 5 });
    // As two isolates append one ref at once; and as a store repeats a write by itself.
    const repeats = [await once("again", "2", "r"), await once("19", "id of 19")];
    await fill(log, "lobby", { texts: texts.slice(20), perEntry: 100 });
    if (!areStruck) mock.method(log, "rewrite", () => Promise.resolve(false));
    await hub.join("lobby", new TestMember("bob")).joined;
    const all = () => log.after("lobby", ORIGIN, { limit: Infinity });
    const struck = async () => (await all()).filter(({ repeats }) => repeats !== undefined);
    if (areStruck) {
      await eventually(async () => (await struck()).length === 2, "both to be struck out");
    }
    assertEquals((await struck()).length, areStruck ? 2 : 0);
    const ann = await resume(hub, ORIGIN);
    assertEquals(ann.said, ["first", ...texts]);
    assert(ann.joined.recovered);
    assert(ann.frames.flat().every(({ type }) => type === "chat_message" || type === "joined"));
    // Also from the place of a repeat itself.
    for (
      const { cursor } of (await all()).filter(({ cursor }) => repeats.includes(commitOf(cursor)))
    ) {
      assertEquals((await resume(hub, cursor)).said, texts.slice(20), cursor);
    }
    await hub.drain();
  });
}

Deno.test("Hub.join() resumes from the beginning, in an empty room too", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const nobody = await resume(hub, ORIGIN);
  assertEquals(nobody.said, []);
  assert(nobody.joined.recovered);
  for (const count of [3, 300]) {
    await fill(log, "lobby", { texts: numbers(count, count), perEntry: 1 });
    const ann = await resume(hub, ORIGIN);
    assertEquals(ann.messages, await readLog(log, "lobby"));
    assert(ann.joined.recovered);
  }
});

Deno.test("Hub.join() has no gap between a long replay and what is said meanwhile", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv, { limits: { messages_per_second: 0 } });
  await fill(log, "lobby", { texts: numbers(1000), perEntry: 10 });
  const all = await readLog(log, "lobby");
  const talker = new TestMember("bob");
  const talk = hub.join("lobby", talker, { history: 0 });
  await talk.joined;
  // A slow member: with each page that it takes, half a page is said, and once two tails are.
  const ann = new TestMember("ann");
  let said = 1000;
  ann.drained = async () => {
    const count = said === 1000 ? 600 : 50;
    for (const text of numbers(count, said)) talk.publish({ text });
    said += count;
    await talker.until((member) => member.said.at(-1) === String(said - 1));
  };
  const subscription = hub.join("lobby", ann, { after: all[4].cursor });
  await subscription.joined;
  talk.publish({ text: "live" });
  await ann.until((member) => member.said.at(-1) === "live");
  const log2 = await readLog(log, "lobby");
  assert(log2.length > 2000, `${log2.length} messages`);
  assertEquals(ann.messages, log2.slice(5));
  assert(ann.joined.recovered);
});

// The end of the replay and the delivery come within a few microtasks of each other.
for (const lag of numbers(12)) {
  const name = `Hub.join() has no gap where its replay's end leaves the tail, ${lag} turns later`;
  Deno.test(name, async () => {
    using kv = await Deno.openKv(":memory:");
    const faults = injectFaults(kv);
    const { hub, log } = createTestHub(kv);
    await fill(log, "lobby", { texts: numbers(456), perEntry: 8 });
    const all = await readLog(log, "lobby");
    const talk = hub.join("lobby", new TestMember("bob"));
    await talk.joined;
    const [stored, told] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    faults.commit = async (commit) => {
      const result = await commit();
      stored.resolve();
      await told.promise;
      return result;
    };
    for (const text of ["456", "457", "458"]) talk.publish({ text });
    await stored.promise;
    const ann = new TestMember("ann");
    // The one page of this replay ends with 200, the oldest of the 256 messages in the tail.
    ann.onFrame = async () => {
      if (ann.frames.length > 1) return;
      assertEquals(ann.said.at(-1), "200");
      for (let turn = 0; turn < Number(lag); turn++) await Promise.resolve();
      told.resolve();
    };
    const subscription = hub.join("lobby", ann, { after: all[100].cursor });
    await subscription.joined;
    await ann.until(({ said }) => said.at(-1) === "458");
    assertEquals(ann.said, numbers(358, 101));
  });
}

Deno.test("Hub.join() says honestly that it does not know a cursor, and gives the newest", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  await fill(log, "lobby", { texts: numbers(300), perEntry: 3 });
  await fill(log, "other", { texts: ["elsewhere"], perEntry: 1 });
  await fill(log, "lobby", { texts: numbers(300, 300), perEntry: 3 });
  const all = await readLog(log, "lobby");
  const [remote] = await readLog(log, "other");
  const unknown = {
    "of another room": remote.cursor,
    "in the future": "z".repeat(20),
    "behind the end of an entry": all[10].cursor.slice(0, 20) + "0009",
    "garbage": "garbage",
    "in capitals": all[10].cursor.slice(0, 19) + "ABCDE",
    "too long": all[10].cursor + "0",
    "a path": "../../other",
  };
  for (const [what, after] of Object.entries(unknown)) {
    const ann = await resume(hub, after);
    assertEquals(ann.joined.recovered, false, what);
    assertEquals(ann.messages, all.slice(-10), what);
    assertEquals(ann.joined.cursor, all[599].cursor, what);
  }
});

Deno.test("Hub.join() takes `history` for the newest part where it cannot resume", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  await fill(log, "lobby", { texts: numbers(50), perEntry: 3 });
  const ann = new TestMember("ann");
  await hub.join("lobby", ann, { after: "garbage", history: 30 }).joined;
  assertEquals(ann.said, numbers(30, 20));
  assertEquals(ann.joined.recovered, false);
});

Deno.test("Hub.join() of a member that leaves during its replay ends there", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  await fill(log, "lobby", { texts: numbers(1000), perEntry: 10 });
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann, { after: ORIGIN });
  ann.onFrame = () => subscription.leave();
  await subscription.joined;
  assertEquals(ann.frames.length, 1);
  assertEquals(ann.said, numbers(100));
  await eventually(() => hub.roomCount === 0, "the room to leave memory");
});

Deno.test("Hub.join() resumes where another commit is in flight, and gets it live", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, log } = createTestHub(kv);
  await fill(log, "lobby", { texts: numbers(5), perEntry: 1 });
  const all = await readLog(log, "lobby");
  const talk = hub.join("lobby", new TestMember("bob"));
  await talk.joined;
  const held = holdOnce(faults);
  talk.publish({ text: "5" });
  await held.reached;
  const ann = new TestMember("ann");
  hub.join("lobby", ann, { after: all[2].cursor });
  assertEquals(ann.said, ["3", "4"]);
  held.release();
  await ann.until(({ said }) => said.length === 3);
  assertEquals(ann.said, ["3", "4", "5"]);
});

Deno.test("Hub.join() with a cursor in the future disturbs no delivery", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const bob = new TestMember("bob");
  const talk = hub.join("lobby", bob);
  await talk.joined;
  const joins: Promise<void>[] = [];
  const texts = numbers(300);
  for (const text of texts) {
    talk.publish({ text });
    for (let turn = 0; turn < Number(text) % 7; turn++) await Promise.resolve();
    const subscription = hub.join("lobby", new TestMember("mallory"), { after: "z".repeat(20) });
    joins.push(subscription.joined.then(() => subscription.leave()));
    if (Number(text) % 5 === 0) await bob.until(({ said }) => said.includes(text));
  }
  await Promise.all(joins);
  await bob.until(({ said }) => said.includes("299"));
  assertEquals(bob.said, texts);
  assertEquals(bob.messages, await readLog(log, "lobby"));
});

Deno.test("Hub.join() with a cursor in the future finds a commit before its writer does", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, log } = createTestHub(kv);
  const bob = new TestMember("bob");
  const talk = hub.join("lobby", bob);
  await talk.joined;
  const [stored, told] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  faults.commit = async (commit) => {
    faults.commit = undefined;
    const result = await commit();
    stored.resolve();
    await told.promise;
    return result;
  };
  talk.publish({ text: "1" });
  await stored.promise;
  await hub.join("lobby", new TestMember("mallory"), { after: "z".repeat(20) }).joined;
  assertEquals(bob.said, ["1"], "it is stored, and somebody read the log");
  told.resolve();
  talk.publish({ text: "2" });
  await bob.until(({ said }) => said.includes("2"));
  assertEquals(bob.said, ["1", "2"]);
  assertEquals(bob.messages, await readLog(log, "lobby"));
});

Deno.test("Hub.join() with a cursor that could not be read just now is no loss of what was missed", async () => {
  await using isolates = await TestIsolates.open();
  isolates.loses = () => true;
  const [a, b] = isolates.startAll(2);
  await a.hub.join("lobby", new TestMember("ann")).joined;
  await b.hub.join("lobby", new TestMember("bob")).joined;
  // Before the message: a watch that is quick must not find it either.
  const log = b.hub.log;
  const after = log.after.bind(log);
  log.after = () => Promise.reject(new Error("disk I/O error"));
  const result = await a.hub.publish("lobby", "ann", { text: "1" });
  assert(result.status === "stored");
  const { cursor } = result.record;
  const cleo = new TestMember("cleo");
  await b.hub.join("lobby", cleo, { after: cursor }).joined;
  assertEquals(cleo.envelopes.map(({ type }) => type), ["error"], "and no joined");
  assertEquals(cleo.of("error")[0].code, "unavailable");
  log.after = after;
  let again = new TestMember("cleo");
  await b.hub.join("lobby", again, { after: cursor }).joined;
  // A read that began before, for the room itself, may have failed this one too.
  for (let turn = 0; turn < 50 && again.of("joined").length === 0; turn++) {
    assertEquals(again.of("error")[0].code, "unavailable");
    again = new TestMember("cleo");
    await b.hub.join("lobby", again, { after: cursor }).joined;
  }
  assertEquals([again.of("joined")[0].recovered, again.said], [true, []]);
});

Deno.test("Hub.join() gets the history, however soon after one that was given up", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  for (let turns = 0; turns < 40; turns++) {
    const room = `room${turns}`;
    await fill(log, room, { texts: ["hello"], perEntry: 1 });
    hub.join(room, new TestMember("ann")).leave();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const bob = new TestMember("bob");
    await hub.join(room, bob).joined;
    assertEquals(bob.said, ["hello"], `${turns} turns later`);
  }
  await hub.drain();
});

import { mock } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { ORIGIN } from "../../src/store/cursor.ts";
import { injectFaults } from "../helpers/kv_faults.ts";
import { assertRun, readLog } from "../helpers/log_run.ts";
import { fill, numbers, storedEntry } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";

for (const count of [0, 3, 10, 1000]) {
  for (const perEntry of count === 0 ? [1] : [1, 250]) {
    const name = `Hub.join() sends the last 10 of ${count} messages in entries of ${perEntry}`;
    Deno.test(name, async () => {
      using kv = await Deno.openKv(":memory:");
      const { hub, log } = createTestHub(kv);
      await fill(log, "lobby", { texts: numbers(count), perEntry });
      const ann = new TestMember("ann");
      await hub.join("lobby", ann).joined;
      const all = await readLog(log, "lobby");
      assertEquals(ann.messages, all.slice(-10));
      assertEquals(ann.said, numbers(count).slice(-10));
      assertEquals(ann.envelopes.at(-1)?.type, "joined");
      assertEquals(ann.joined, {
        room: "lobby",
        user: "ann",
        cursor: all.at(-1)?.cursor ?? ORIGIN,
        recovered: true,
        users: ["ann"],
        typing: [],
        limits: {
          text_max_bytes: 4096,
          typing_timeout_ms: 3000,
          messages_per_second: 20,
          message_burst: 40,
        },
      });
    });
  }
}

Deno.test("Hub.join() sends as much history as was asked for, up to 100", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  await fill(log, "lobby", { texts: numbers(120), perEntry: 7 });
  for (const history of [0, 1, 10, 99, 100]) {
    const ann = new TestMember("ann");
    const subscription = hub.join("lobby", ann, { history });
    await subscription.joined;
    assertEquals(ann.said, numbers(120).slice(120 - history), String(history));
    subscription.leave();
  }
});

Deno.test("Hub.join() sends history, then joined, then what is live: nothing between", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const texts = numbers(60);
  const joiners: TestMember[] = [];
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann);
  for (const text of texts) {
    subscription.publish({ text });
    // A joiner at every stage of a commit: just queued, in flight, just delivered.
    const joiner = new TestMember(`joiner ${text}`);
    joiners.push(joiner);
    hub.join("lobby", joiner, { history: 100 });
    if (Number(text) % 3 > 0) await ann.until(({ said }) => said.includes(text));
    else await Promise.resolve();
  }
  await ann.until(({ said }) => said.includes("59"));
  const all = await readLog(log, "lobby");
  assertEquals(all.map(({ text }) => text), texts);
  assertEquals(ann.messages, all);
  for (const joiner of joiners) {
    assertRun(joiner.messages, all, 0);
    assertEquals(joiner.said.length, 60, joiner.user);
    const at = joiner.envelopes.findIndex(({ type }) => type === "joined");
    const history = joiner.envelopes.slice(0, at);
    assert(history.every(({ type }) => type === "chat_message"), "history comes first");
    const stood = history.length === 0 ? ORIGIN : joiner.messages[history.length - 1].cursor;
    assertEquals(joiner.joined.cursor, stood);
  }
  await hub.drain();
});

Deno.test("Hub.join() of a room that is being opened loses nothing that is said meanwhile", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, log } = createTestHub(kv);
  await fill(log, "lobby", { texts: ["old"], perEntry: 1 });
  const opened = Promise.withResolvers<void>();
  faults.read = () => opened.promise;
  const [ann, bob] = [new TestMember("ann"), new TestMember("bob")];
  const subscription = hub.join("lobby", ann);
  subscription.publish({ text: "new" });
  hub.join("lobby", bob);
  assertEquals(ann.frames, []);
  faults.read = undefined;
  opened.resolve();
  await bob.until(({ said }) => said.length === 2);
  for (const member of [ann, bob]) {
    assertEquals(member.said, ["old", "new"]);
    const types = member.envelopes.map(({ type }) => type);
    assertEquals(types.filter((type) => type !== "presence"), [
      "chat_message",
      "joined",
      "chat_message",
    ]);
  }
});

Deno.test("Hub.join() tells who is here and who types, and others that somebody came", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const [ann, bob, cid] = ["ann", "bob", "cid"].map((user) => new TestMember(user));
  await hub.join("lobby", bob).joined;
  const annsSeat = hub.join("lobby", ann);
  annsSeat.typing(true);
  hub.join("lobby", cid);
  assertEquals(cid.joined.users, ["ann", "bob", "cid"]);
  assertEquals(cid.joined.typing, ["ann"]);
  assertEquals(bob.of("presence"), [
    { user: "ann", status: "joined" },
    { user: "cid", status: "joined" },
  ]);
  assertEquals(cid.of("presence"), []);
  const anotherTab = new TestMember("ann");
  hub.join("lobby", anotherTab);
  assertEquals(anotherTab.joined.typing, [], "nobody is told that they type themselves");
  assertEquals(bob.of("presence").length, 2, "a second tab is no news");
  await hub.drain();
});

Deno.test("Hub.join() shows no history that has expired", async () => {
  using kv = await Deno.openKv(":memory:");
  let now = Date.parse("2026-01-01T00:00:00Z");
  const clocks = { now: () => now, elapsed: () => now };
  const { hub } = createTestHub(kv, { retentionMs: 60_000, ...clocks });
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann);
  await subscription.joined;
  await hub.publish("lobby", "ann", { text: "old" });
  now += 40_000;
  await hub.publish("lobby", "ann", { text: "young" });
  now += 40_000;
  const [bob, cid] = [new TestMember("bob"), new TestMember("cid")];
  hub.join("lobby", bob);
  assertEquals(bob.said, ["young"]);
  await hub.drain();
  now += 40_000;
  const { hub: restarted } = createTestHub(kv, { retentionMs: 60_000, ...clocks });
  await restarted.join("lobby", cid).joined;
  assertEquals(cid.said, []);
  assertEquals(cid.joined.cursor, ann.messages[1].cursor, "the room keeps its place");
  await restarted.drain();
});

for (const texts of [[], ["old"]]) {
  const which = texts.length === 0 ? "an empty room" : "a room";
  Deno.test(`A message that is stored while ${which} is being opened is shown`, async () => {
    await using isolates = await TestIsolates.open();
    const { hub, log } = isolates.start({ fanout: undefined });
    const append = (text: string) => {
      return isolates.logs.append(new Map([["lobby", storedEntry([text])]]));
    };
    for (const text of texts) await append(text);
    // Behind the read of the recent messages, and before whatever is read next.
    const last = log.last.bind(log);
    let reads = 0;
    mock.method(log, "last", async (...[room, options]: Parameters<typeof last>) => {
      const records = await last(room, options);
      if (reads++ === 0) await append("between");
      return records;
    });
    const bob = new TestMember("bob");
    const subscription = hub.join("lobby", bob);
    await subscription.joined;
    subscription.publish({ text: "later" });
    await bob.until(({ said }) => said.includes("later"));
    assertEquals(bob.said, [...texts, "between", "later"]);
    const late = new TestMember("late");
    await hub.join("lobby", late).joined;
    assertEquals(late.messages, bob.messages);
  });
}

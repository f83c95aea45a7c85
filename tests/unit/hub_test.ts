import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Draft, JoinOptions } from "@hubbub/hub";
import { KV_LIMITS } from "../../src/store/kv/limits.ts";
import { holdOnce, injectFaults } from "../helpers/kv_faults.ts";
import { readLog } from "../helpers/log_run.ts";
import { fill, numbers, storedLine } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";

Deno.test("Hub forgets a room when its last member has left", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const subscriptions = ["ann", "bob"].map((user) => hub.join("lobby", new TestMember(user)));
  const remote = hub.join("other", new TestMember("cid"));
  await Promise.all([...subscriptions, remote].map(({ joined }) => joined));
  assertEquals(hub.roomCount, 2);
  subscriptions[0].leave();
  assertEquals(hub.roomCount, 2);
  subscriptions[1].leave();
  assertEquals(hub.roomCount, 1);
  remote.leave();
  assertEquals(hub.roomCount, 0);
});

Deno.test("Hub keeps no room that was only looked at or published to", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  await Promise.all(numbers(50).map((room) => hub.publish(room, "ann", { text: "hi" })));
  await Promise.all(numbers(50).map((room) => hub.roomState(room)));
  assertEquals(hub.roomCount, 0);
});

Deno.test("Hub keeps a room without members until what was said is stored", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, log } = createTestHub(kv);
  const subscription = hub.join("lobby", new TestMember("ann"));
  await subscription.joined;
  const held = holdOnce(faults);
  subscription.publish({ text: "last words" });
  await held.reached;
  subscription.leave();
  assertEquals(hub.roomCount, 1);
  held.release();
  await hub.drain();
  assertEquals(hub.roomCount, 0);
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), ["last words"]);
});

Deno.test("Hub.join() finds in a forgotten room what was said there", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  for (const text of numbers(5)) {
    const member = new TestMember("ann");
    const subscription = hub.join("lobby", member);
    await subscription.joined;
    assertEquals(member.said, numbers(Number(text)));
    subscription.publish({ text });
    await member.until(({ said }) => said.includes(text));
    subscription.leave();
    assertEquals(hub.roomCount, 0);
  }
});

Deno.test("Hub.publish() gives the message as everybody gets it", async () => {
  using kv = await Deno.openKv(":memory:");
  const now = () => Date.parse("2026-01-02T03:04:05.678Z");
  const { hub, log } = createTestHub(kv, { now });
  const bob = new TestMember("bob");
  await hub.join("lobby", bob).joined;
  const outcome = await hub.publish("lobby", "ann", { text: "hi", ref: "1" });
  assert(outcome.status === "stored");
  const [message] = bob.messages;
  assertEquals(JSON.parse(outcome.record.envelope).payload, message);
  assertEquals(message, (await readLog(log, "lobby"))[0]);
  const { id: _, cursor, ...rest } = message;
  const sent_at = "2026-01-02T03:04:05.678Z";
  assertEquals(rest, { room: "lobby", user: "ann", text: "hi", sent_at, ref: "1" });
  assertEquals((await hub.roomState("lobby")).cursor, cursor);
});

Deno.test("Hub gives ids that are ULIDs, in order and never twice", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  await Promise.all(numbers(500).map((text) => hub.publish("lobby", "ann", { text })));
  const ids = (await readLog(log, "lobby")).map(({ id }) => id);
  for (const id of ids) assert(/^[0-9A-HJKMNP-TV-Z]{26}$/.test(id), id);
  assertEquals(ids, ids.toSorted());
  assertEquals(new Set(ids).size, 500);
});

Deno.test("Hub.roomState() tells where a room stands, in memory or not", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const cursor = "0".repeat(20);
  assertEquals(await hub.roomState("lobby"), { room: "lobby", cursor, users: [], typing: [] });
  await fill(log, "lobby", { texts: numbers(3), perEntry: 3 });
  const newest = (await readLog(log, "lobby"))[2].cursor;
  assertEquals((await hub.roomState("lobby")).cursor, newest);
  const subscriptions = ["bob", "ann", "ann"].map((user) =>
    hub.join("lobby", new TestMember(user))
  );
  await Promise.all(subscriptions.map(({ joined }) => joined));
  subscriptions[0].typing(true);
  const users = ["ann", "bob"];
  assertEquals(await hub.roomState("lobby"), {
    room: "lobby",
    cursor: newest,
    users,
    typing: ["bob"],
  });
  for (const subscription of subscriptions) subscription.leave();
});

Deno.test("Hub.publish() refuses a message that no entry could hold, and takes the largest", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv, { limits: { text_max_bytes: 100_000 } });
  const id = "0".repeat(26);
  const free = KV_LIMITS.valueBytes - storedLine({ id, user: "ann", text: "" }).length;
  const fits = await hub.publish("lobby", "ann", { text: "x".repeat(free) });
  assertEquals(fits.status, "stored");
  const over = await hub.publish("lobby", "ann", { text: "x".repeat(free + 1) });
  assert(over.status === "refused");
  assertEquals(over.problem.code, "text_too_long");
  const escaped = await hub.publish("lobby", "ann", { text: "x" + "\u0001".repeat(20_000) });
  assertEquals(escaped.status, "refused", "six bytes each as JSON");
  assertEquals((await hub.publish("lobby", "ann", { text: "next" })).status, "stored");
});

Deno.test("Hub stores what more than 500 rooms say at once", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const rooms = numbers(600).map((number) => number.padStart(64, "-"));
  const outcomes = await Promise.all(rooms.map((room) => hub.publish(room, "ann", { text: room })));
  for (const { status } of outcomes) assertEquals(status, "stored");
  for (const room of rooms) {
    assertEquals((await readLog(log, room)).map(({ text }) => text), [room]);
  }
  assertEquals(hub.roomCount, 0);
});

Deno.test("Hub used wrongly throws a TypeError that says what is wrong", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const join = (room: string, user: string, options?: JoinOptions) => () =>
    hub.join(room, new TestMember(user), options);
  assertThrows(join("no spaces", "ann"), TypeError, 'Cannot join room "no spaces": A room is 1 to');
  assertThrows(join("", "ann"), TypeError, 'Cannot join room "": A room is');
  assertThrows(join("x".repeat(65), "ann"), TypeError, "A room is 1 to 64");
  assertThrows(join("lobby", ""), TypeError, 'Cannot join room "lobby" as "": ');
  assertThrows(join("lobby", " ann "), TypeError, 'It should read "ann"');
  assertThrows(join("lobby", "Zoe\u0301"), TypeError, 'It should read "Zo\u00e9"');
  assertThrows(join("lobby", "\ud800"), TypeError, "not valid Unicode");
  const publish = (room: string, user: string) => () => hub.publish(room, user, { text: "hi" });
  await assertRejects(publish("a/b", "ann"), TypeError, 'Cannot publish to room "a/b"');
  await assertRejects(publish("lobby", "a\nb"), TypeError, "holds a control character");
  await assertRejects(() => hub.roomState("\ud800"), TypeError, "Cannot read the state of room");
  assertEquals(hub.roomCount, 0);
});

Deno.test("Hub.publish() throws at a draft that the protocol refuses, and stores nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const drafts: [unknown, string][] = [
    [{ text: "" }, '"text" is empty'],
    [{ text: "\ud800" }, '"text" holds a lone surrogate'],
    [{ text: 5 }, '"text" must be a string'],
    [{}, '"text" must be a string'],
    [{ text: "hi", ref: "" }, '"ref" must be a string of 1 to 128 characters'],
  ];
  for (const [draft, why] of drafts) {
    await assertRejects(
      () => hub.publish("lobby", "ann", draft as Draft),
      TypeError,
      `Cannot publish to room "lobby": ${why}`,
    );
  }
  assertEquals(await readLog(log, "lobby"), []);
});

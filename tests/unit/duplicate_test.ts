import { assert, assertEquals } from "@std/assert";
import { holdOnce, injectFaults } from "../helpers/kv_faults.ts";
import { mock } from "node:test";
import { joinLines } from "../../src/store/entry.ts";
import { readLog } from "../helpers/log_run.ts";
import { fill, numbers, storedLine } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { eventually, within } from "../helpers/patience.ts";
import { pause } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";

Deno.test("A repeat is answered with the first one's message, and shown to nobody else", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const [ann, bob] = [new TestMember("ann"), new TestMember("bob")];
  const subscription = hub.join("lobby", ann);
  hub.join("lobby", bob);
  subscription.publish({ text: "hi", ref: "1" });
  await bob.until(({ said }) => said.length === 1);
  subscription.publish({ text: "hi", ref: "1" });
  assertEquals(ann.messages.length, 2, "answered at once");
  assertEquals(ann.messages[1], ann.messages[0]);
  subscription.publish({ text: "next" });
  await bob.until(({ said }) => said.includes("next"));
  assertEquals(bob.said, ["hi", "next"]);
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), ["hi", "next"]);
  assertEquals(hub.metrics.repeats, 1);
});

Deno.test("A repeat counts by its ref alone, and another text is refused", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const first = await hub.publish("lobby", "ann", { text: "one", ref: "1" });
  const second = await hub.publish("lobby", "ann", { text: "two", ref: "1" });
  assert(first.status === "stored" && second.status === "refused");
  assertEquals([second.problem.code, second.problem.ref], ["ref_reused", "1"]);
  const third = await hub.publish("lobby", "ann", { text: "one", ref: "1" });
  assert(third.status === "duplicate");
  assertEquals(third.record, first.record);
});

Deno.test("A repeat that comes while the first is on its way waits for it", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, log } = createTestHub(kv);
  const [tab, otherTab, bob] = ["ann", "ann", "bob"].map((user) => new TestMember(user));
  const subscriptions = [tab, otherTab, bob].map((member) => hub.join("lobby", member));
  await Promise.all(subscriptions.map(({ joined }) => joined));
  const held = holdOnce(faults);
  subscriptions[0].publish({ text: "hi", ref: "1" });
  await held.reached;
  subscriptions[1].publish({ text: "hi", ref: "1" });
  const posted = hub.publish("lobby", "ann", { text: "hi", ref: "1" });
  held.release();
  const outcome = await posted;
  assertEquals(outcome.status, "duplicate");
  assertEquals(bob.said, ["hi"]);
  assertEquals(tab.said, ["hi"], "the first is answered by its delivery");
  assertEquals(new Set([...tab.messages, ...otherTab.messages].map(({ id }) => id)).size, 1);
  assertEquals((await readLog(log, "lobby")).length, 1);
});

Deno.test("A repeat is another user's own message with the same ref", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  for (const user of ["ann", "bob", "bob"]) {
    await hub.publish("lobby", user, { text: user, ref: "1" });
  }
  await hub.publish("other", "ann", { text: "ann", ref: "1" });
  assertEquals((await readLog(log, "lobby")).map(({ user }) => user), ["ann", "bob"]);
  assertEquals((await readLog(log, "other")).length, 1);
});

Deno.test("Messages without ref are never repeats", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  for (const _ of numbers(3)) {
    assertEquals((await hub.publish("lobby", "ann", { text: "hi" })).status, "stored");
  }
  assertEquals((await readLog(log, "lobby")).length, 3);
});

for (const isRestarted of [false, true]) {
  const when = isRestarted ? "also after a restart" : "in one hub";
  Deno.test(`A repeat is seen for two minutes, and within 256 messages, ${when}`, async () => {
    using kv = await Deno.openKv(":memory:");
    let now = Date.parse("2026-01-01T00:00:00Z");
    const options = { now: () => now };
    const { hub, log } = createTestHub(kv, options);
    // Keeps the room in memory.
    await hub.join("lobby", new TestMember("bob")).joined;
    const fresh = () => isRestarted ? createTestHub(kv, options).hub : hub;
    const again = () => fresh().publish("lobby", "ann", { text: "hi", ref: "1" });
    const say = (count: number) => {
      const other = fresh();
      return Promise.all(numbers(count).map((text) => other.publish("lobby", "ann", { text })));
    };
    const first = await again();
    assert(first.status === "stored");
    if (isRestarted) await hub.drain();
    await say(1_000);
    now += 120_000;
    await say(200);
    const inTime = await again();
    assert(inTime.status === "duplicate", "1,200 came after it, in two minutes");
    assertEquals(inTime.record, first.record);
    now += 1;
    await say(1);
    const late = await again();
    assert(late.status === "stored", "it is older than two minutes");
    now += 1_000_000;
    await say(255);
    const inside = await again();
    assert(inside.status === "duplicate", "it is the oldest of 256");
    assertEquals(inside.record, late.record);
    await say(1);
    assertEquals((await again()).status, "stored", "256 came after it");
    assertEquals((await readLog(log, "lobby")).length, 1_460);
  });
}

Deno.test("A repeat is compared by what was sent, not by what moderation made of it", async () => {
  using kv = await Deno.openKv(":memory:");
  let word = "****";
  const moderate = ({ text }: { text: string }) => ({ text: text.replaceAll("darn", word) });
  const { hub, log } = createTestHub(kv, { moderate });
  const send = (text: string) => hub.publish("lobby", "ann", { text, ref: "1" });
  const first = await send("darn it");
  assert(first.status === "stored");
  word = "####";
  const again = await send("darn it");
  assert(again.status === "duplicate");
  assertEquals(again.record, first.record);
  const other = await send("**** it");
  assert(other.status === "refused");
  assertEquals(other.problem.code, "ref_reused");
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), ["**** it"]);
});

Deno.test("A ref with another text is refused while the first is on its way, and on two hubs", async () => {
  using kv = await Deno.openKv(":memory:");
  const [a, b] = [createTestHub(kv, { alone: false }), createTestHub(kv, { alone: false })];
  const results = await Promise.all([a, a, b].map(({ hub }, index) => {
    return hub.publish("lobby", "ann", { text: `text ${index}`, ref: "1" });
  }));
  const codes = results.map((result) => {
    return result.status === "refused" ? result.problem.code : result.status;
  });
  assertEquals(codes.toSorted(), ["ref_reused", "ref_reused", "stored"]);
  await eventually(async () => (await readLog(a.log, "lobby")).length === 1, "one message");
  for (const { hub } of [a, b]) await hub.drain();
});

Deno.test("A write that the store repeats by itself is one message, with ref or without", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, log } = createTestHub(kv);
  const bob = new TestMember("bob");
  await hub.join("lobby", bob).joined;
  for (const ref of [undefined, "1"]) {
    // As the client of a remote KV does when an answer is lost.
    faults.commit = async (commit) => {
      faults.commit = undefined;
      await commit();
      return await commit();
    };
    const text = `ref ${ref}`;
    const result = await hub.publish("lobby", "ann", { text, ref });
    assert(result.status === "stored");
    await hub.publish("lobby", "ann", { text: "next" });
    const late = new TestMember("late");
    const other = createTestHub(kv);
    await other.hub.join("lobby", late).joined;
    assertEquals(late.said.filter((said) => said === text), [text]);
    await other.hub.drain();
  }
  assertEquals(bob.said, ["ref undefined", "next", "ref 1", "next"]);
  // The tombstones over the second copies are written behind the answers.
  const shown = async () => (await log.last("lobby", { limit: 99, shownOnly: true })).length;
  await eventually(async () => await shown() === 4, "the second copies to be struck");
  await hub.drain();
});

Deno.test("A repeat is seen after a reconnect that resumes", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann);
  await subscription.joined;
  const { cursor } = ann.joined;
  subscription.publish({ text: "hi", ref: "1" });
  // The connection breaks before the answer comes; the message is on its way.
  subscription.leave();
  const back = new TestMember("ann");
  const again = hub.join("lobby", back, { after: cursor });
  again.publish({ text: "hi", ref: "1" });
  await back.until(({ said }) => said.length > 0);
  await hub.drain();
  assertEquals((await readLog(log, "lobby")).length, 1);
  assertEquals(new Set(back.messages.map(({ id }) => id)).size, 1);
});

Deno.test("joins and messages wait for the window to be read", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const sent_at = new Date().toISOString();
  for (let at = 0; at < 600; at += 100) {
    const lines = numbers(100, at).map((ref) => {
      return storedLine({ text: ref, id: `id ${ref}`, ref, sent_at });
    });
    await log.append(new Map([["lobby", joinLines(lines, `id ${at + 99}`)]]));
  }
  // What opening reads comes at once; what is read back after it does not.
  const readBack = log.before.bind(log);
  const held = Promise.withResolvers<void>();
  const reading = mock.method(log, "before", async (...args: Parameters<typeof readBack>) => {
    await held.promise;
    return await readBack(...args);
  });
  const members = ["ann", "bob"].map((user) => new TestMember(user));
  const joined = members.map((member) => hub.join("lobby", member).joined);
  await eventually(() => reading.mock.callCount() > 0, "the window to be read");
  const answered: string[] = [];
  const publish = async (text: string, ref?: string) => {
    answered.push((await hub.publish("lobby", "ann", { text, ref })).status);
  };
  const published = [publish("0", "0"), publish("new"), publish("another", "1")];
  await pause(50);
  assertEquals(answered, [], "who knows what they repeat");
  assertEquals(members.map(({ said }) => said), [[], []], "who knows what it repeats");
  held.resolve();
  await within(Promise.all(joined), "the members to join");
  for (const { said } of members) assertEquals(said.slice(0, 10), numbers(10, 590));
  await within(Promise.all(published), "the answers");
  assertEquals(answered.sort(), ["duplicate", "duplicate", "stored"]);
  assertEquals((await log.last("lobby", { limit: 999 })).length, 601);
  await hub.drain();
});

Deno.test("Who joins a room as it is opened is shown no repeat of what is far behind", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const append = async (lines: readonly { text: string; id?: string; ref?: string }[]) => {
    const last = lines.at(-1)!;
    const entry = joinLines(lines.map(storedLine), last.id ?? `id of ${last.text}`);
    return await log.append(new Map([["lobby", entry]]));
  };
  await append([{ text: "first", ref: "1" }]);
  await fill(log, "lobby", { texts: numbers(300), perEntry: 50 });
  const [{ cursor }] = await log.last("lobby", { limit: 1 });
  // The isolate that wrote it has no time to strike it out.
  await append([{ text: "first", id: "again", ref: "1" }, { text: "next" }]);
  const before = mock.method(log, "before", async (...given: Parameters<typeof log.before>) => {
    await pause(50);
    before.mock.restore();
    return await log.before(...given);
  });
  const [newcomer, returned] = ["ann", "bob"].map((user) => new TestMember(user));
  await Promise.all([
    hub.join("lobby", newcomer).joined,
    hub.join("lobby", returned, { after: cursor }).joined,
  ]);
  assertEquals(newcomer.said, [...numbers(9, 291), "next"]);
  assertEquals(returned.said, ["next"]);
  await hub.drain();
});

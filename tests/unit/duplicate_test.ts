import { assert, assertEquals } from "@std/assert";
import { holdOnce, injectFaults } from "../helpers/kv_faults.ts";
import { readLog } from "../helpers/log_run.ts";
import { numbers } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
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
  Deno.test(`A repeat is seen within 256 messages and not further, ${when}`, async () => {
    using kv = await Deno.openKv(":memory:");
    const { hub, log } = createTestHub(kv);
    // Keeps the room in memory.
    await hub.join("lobby", new TestMember("bob")).joined;
    const again = async () => {
      const asked = isRestarted ? createTestHub(kv).hub : hub;
      return await asked.publish("lobby", "ann", { text: "hi", ref: "1" });
    };
    const first = await again();
    assert(first.status === "stored");
    if (isRestarted) await hub.drain();
    const other = isRestarted ? createTestHub(kv).hub : hub;
    await Promise.all(numbers(255).map((text) => other.publish("lobby", "ann", { text })));
    const inside = await again();
    assert(inside.status === "duplicate", "the first is the oldest of 256");
    assertEquals(inside.record, first.record);
    await other.publish("lobby", "ann", { text: "one too many" });
    const outside = await again();
    assertEquals(outside.status, "stored");
    assertEquals((await readLog(log, "lobby")).length, 258);
  });
}

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

import { assert, assertEquals } from "@std/assert";
import { holdOnce, injectFaults } from "../helpers/kv_faults.ts";
import { readLog } from "../helpers/log_run.ts";
import { fill, numbers } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";
import { Stopwatch } from "../helpers/stopwatch.ts";

function assertSentAway(member: TestMember): void {
  const [{ reconnect_after_ms: wait }, ...more] = member.of("draining");
  assertEquals(more, []);
  assert(Number.isInteger(wait) && wait >= 0 && wait <= 30_000, `${wait} ms`);
  assertEquals(member.envelopes.at(-1)?.type, "draining");
  assertEquals(member.closes, [{ code: 4000, reason: "The server is stopping" }]);
}

Deno.test("Hub.drain() stores and shows what was taken, then sends everybody away", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, log } = createTestHub(kv);
  const members = ["ann", "bob", "cid"].map((user) => new TestMember(user));
  const subscriptions = members.map((member, index) =>
    hub.join(index < 2 ? "lobby" : "other", member)
  );
  await Promise.all(subscriptions.map(({ joined }) => joined));
  const held = holdOnce(faults);
  for (const text of numbers(5)) subscriptions[0].publish({ text });
  await held.reached;
  for (const text of numbers(5, 5)) subscriptions[1].publish({ text });
  const drained = hub.drain();
  subscriptions[0].publish({ text: "too late", ref: "late" });
  assertEquals(members[0].of("error").map(({ code, ref }) => [code, ref]), [["draining", "late"]]);
  for (const member of members) assertEquals(member.of("draining"), []);
  held.release();
  await drained;
  for (const member of members.slice(0, 2)) assertEquals(member.said, numbers(10));
  for (const member of members) assertSentAway(member);
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), numbers(10));
  assertEquals(hub.roomCount, 0);
  assert(hub.isDraining);
});

Deno.test("Hub.drain() spreads the return of many members", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const members = numbers(200).map((user) => new TestMember(user));
  await Promise.all(members.map((member) => hub.join("lobby", member).joined));
  await hub.drain();
  for (const member of members) assertSentAway(member);
  const waits = members.map((member) => member.of("draining")[0].reconnect_after_ms);
  assert(new Set(waits.map((wait) => Math.floor(wait / 200))).size >= 8, "over two seconds");
});

Deno.test("Hub.drain() sends away who is still waiting for its history", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, log } = createTestHub(kv);
  await fill(log, "lobby", { texts: numbers(1000), perEntry: 10 });
  const [cursor] = (await readLog(log, "lobby")).map((message) => message.cursor);
  const slow = new TestMember("slow");
  const [takes, waits] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  slow.drained = () => {
    waits.resolve();
    return takes.promise;
  };
  const slowSeat = hub.join("lobby", slow, { after: cursor });
  await waits.promise;
  const opens = Promise.withResolvers<void>();
  faults.read = () => opens.promise;
  const early = new TestMember("early");
  const earlySeat = hub.join("other", early);
  await hub.drain();
  for (const member of [slow, early]) assertSentAway(member);
  takes.resolve();
  opens.resolve();
  await Promise.all([slowSeat.joined, earlySeat.joined]);
  for (const member of [slow, early]) assertSentAway(member);
  assertEquals(hub.roomCount, 0);
});

Deno.test("Hub.drain() refuses what comes after it", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  await hub.drain();
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann);
  await subscription.joined;
  assertSentAway(ann);
  const outcome = await hub.publish("lobby", "ann", { text: "hi", ref: "1" });
  assert(outcome.status === "refused");
  assertEquals([outcome.problem.code, outcome.problem.ref], ["draining", "1"]);
  assertEquals(await readLog(log, "lobby"), []);
  assertEquals(hub.roomCount, 0);
});

Deno.test("Hub.drain() called again is done when the first call is", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub } = createTestHub(kv);
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann);
  await subscription.joined;
  const held = holdOnce(faults);
  subscription.publish({ text: "hi" });
  await held.reached;
  const first = hub.drain();
  const again = hub.drain().then(() => ann.closes.length);
  held.release();
  assertEquals(await again, 1);
  await first;
  assertSentAway(ann);
});

Deno.test("Hub.drain() does not wait for storage that hangs, and says so", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, events } = createTestHub(kv);
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann);
  await subscription.joined;
  const held = holdOnce(faults);
  subscription.publish({ text: "hi" });
  await held.reached;
  using watch = new Stopwatch();
  await hub.drain();
  assert(watch.ms < 3000, `${watch.ms} ms`);
  assertSentAway(ann);
  assertEquals(events.map(({ event }) => event), ["drain_incomplete"]);
  held.release();
});

Deno.test("Hub.drain() stops all timers", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  // Both leak a timer if forgotten, which the sanitizer of Deno would find.
  const subscriptions = numbers(30).map((user) => hub.join("lobby", new TestMember(user)));
  await Promise.all(subscriptions.map(({ joined }) => joined));
  for (const subscription of subscriptions) subscription.typing(true);
  await hub.drain();
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { failOnce, injectFaults, loseAnswerOnce } from "../helpers/kv_faults.ts";
import { readLog } from "../helpers/log_run.ts";
import { numbers } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";

/** A hub with two members in a room and one in another, whose database can be made to fail. */
async function createRooms(kv: Deno.Kv) {
  const faults = injectFaults(kv);
  const { hub, log, events } = createTestHub(kv);
  const [ann, bob, cid] = ["ann", "bob", "cid"].map((user) => new TestMember(user));
  const subscriptions = {
    ann: hub.join("lobby", ann),
    bob: hub.join("lobby", bob),
    cid: hub.join("other", cid),
  };
  await Promise.all(Object.values(subscriptions).map(({ joined }) => joined));
  return { hub, log, events, faults, subscriptions, ann, bob, cid };
}

Deno.test("A commit that fails reaches every sender in it, and shows nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log, events, faults, subscriptions, ann, bob, cid } = await createRooms(kv);
  failOnce(faults, new TypeError("database or disk is full"));
  const posting = hub.publish("other", "dan", { text: "5", ref: "d" });
  subscriptions.ann.publish({ text: "1", ref: "a" });
  subscriptions.ann.publish({ text: "2" });
  subscriptions.bob.publish({ text: "3", ref: "b" });
  subscriptions.cid.publish({ text: "4", ref: "c" });
  const posted = await posting;
  assert(posted.status === "refused");
  assertEquals([posted.problem.code, posted.problem.ref], ["not_stored", "d"]);
  const message = "The message could not be stored";
  const refs = (member: TestMember) => member.of("error").map(({ ref }) => ref);
  assertEquals([refs(ann), refs(bob), refs(cid)], [["a", undefined], ["b"], ["c"]]);
  for (const member of [ann, bob, cid]) {
    assertEquals(member.messages, []);
    for (const problem of member.of("error")) {
      assertEquals([problem.code, problem.message], ["not_stored", message]);
    }
  }
  assertEquals(events.map(({ level, event, fields }) => [level, event, fields?.messages]), [
    ["error", "commit_failed", 5],
  ]);
  assertEquals(hub.metrics.commitFailures, 1);
  assertEquals(hub.metrics.messagesNotStored, 5);
  assertEquals(hub.metrics.messagesStored, 0);
  assertEquals(await readLog(log, "lobby"), []);
});

Deno.test("The commit after one that failed works, also for the same refs", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log, faults, subscriptions, ann, bob, cid } = await createRooms(kv);
  failOnce(faults);
  subscriptions.ann.publish({ text: "1", ref: "a" });
  subscriptions.cid.publish({ text: "2", ref: "c" });
  await cid.until((member) => member.of("error").length > 0);
  subscriptions.ann.publish({ text: "1", ref: "a" });
  subscriptions.bob.publish({ text: "3" });
  subscriptions.cid.publish({ text: "2", ref: "c" });
  await Promise.all([
    bob.until(({ said }) => said.length === 2),
    cid.until(({ said }) => said.length > 0),
  ]);
  assertEquals([ann.said, bob.said, cid.said], [["1", "3"], ["1", "3"], ["2"]]);
  assertEquals(ann.messages, await readLog(log, "lobby"));
  assertEquals(ann.of("error").length, 1);
  assertEquals(hub.metrics.commitFailures, 1);
  assertEquals(hub.metrics.messagesStored, 3);
});

Deno.test("A repeat that waits for a message that fails is refused with it", async () => {
  using kv = await Deno.openKv(":memory:");
  const { faults, subscriptions, ann } = await createRooms(kv);
  failOnce(faults);
  for (const _ of numbers(3)) subscriptions.ann.publish({ text: "1", ref: "a" });
  await ann.until((member) => member.of("error").length === 3);
  assertEquals(ann.messages, []);
});

Deno.test("Commits that fail again and again end when storage works again", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log, faults, subscriptions, ann, bob } = await createRooms(kv);
  faults.commit = () => Promise.reject(new Error("disk full"));
  for (const text of numbers(20)) {
    subscriptions.ann.publish({ text, ref: text });
    await ann.until((member) => member.of("error").length === Number(text) + 1);
  }
  faults.commit = undefined;
  subscriptions.ann.publish({ text: "at last" });
  await bob.until(({ said }) => said.length > 0);
  assertEquals(bob.said, ["at last"]);
  assertEquals(hub.metrics.commitFailures, 20);
  assertEquals(await readLog(log, "lobby"), bob.messages);
});

Deno.test("A commit that was written although it failed: the log's order, nothing twice", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log, faults, subscriptions, ann, bob } = await createRooms(kv);
  subscriptions.bob.publish({ text: "0" });
  await ann.until(({ said }) => said.length === 1);
  loseAnswerOnce(faults);
  subscriptions.ann.publish({ text: "1" });
  subscriptions.bob.publish({ text: "2" });
  await bob.until((member) => member.of("error").length === 1);
  assertEquals(ann.said, ["0"]);
  subscriptions.bob.publish({ text: "3" });
  subscriptions.ann.publish({ text: "4" });
  await ann.until(({ said }) => said.includes("4"));
  subscriptions.bob.publish({ text: "5" });
  await ann.until(({ said }) => said.includes("5"));
  const all = await readLog(log, "lobby");
  assertEquals(all.map(({ text }) => text), ["0", "1", "2", "3", "4", "5"]);
  assertEquals(ann.messages, all);
  assertEquals(bob.messages, all);
});

Deno.test("A message sent again after its commit was written and failed is shown once", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, faults, subscriptions, ann, bob } = await createRooms(kv);
  loseAnswerOnce(faults);
  subscriptions.ann.publish({ text: "hi", ref: "1" });
  await ann.until((member) => member.of("error").length === 1);
  subscriptions.ann.publish({ text: "hi", ref: "1" });
  await ann.until(({ said }) => said.length > 0);
  subscriptions.bob.publish({ text: "next" });
  await ann.until(({ said }) => said.includes("next"));
  assertEquals(bob.said, ["hi", "next"]);
  assertEquals(new Set(ann.messages.map(({ id }) => id)).size, 2);
  const late = new TestMember("late");
  hub.join("lobby", late);
  assertEquals(late.messages, bob.messages);
  await hub.drain();
  const afterRestart = new TestMember("late");
  await createTestHub(kv).hub.join("lobby", afterRestart).joined;
  assertEquals(afterRestart.messages, bob.messages);
});

Deno.test("A room whose log cannot be read refuses who joins, and works again", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, events } = createTestHub(kv);
  faults.read = () => Promise.reject(new Error("disk I/O error"));
  const members = ["ann", "bob"].map((user) => new TestMember(user));
  await Promise.all(members.map((member) => hub.join("lobby", member).joined));
  for (const member of members) {
    assertEquals(member.of("error").map(({ code }) => code), ["unavailable"]);
    assertEquals(member.closes.map(({ code }) => code), [1011]);
  }
  assertEquals(events.map(({ event }) => event), ["join_failed", "join_failed"]);
  assertEquals(hub.metrics.readFailures, 2);
  const publish = () => hub.publish("lobby", "ann", { text: "hi" });
  await assertRejects(publish, Error, "disk I/O error");
  assertEquals(hub.roomCount, 0);
  faults.read = undefined;
  assertEquals((await publish()).status, "stored");
});

Deno.test("A catch-up that fails is tried again, and then shows everything in order", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log, events, faults, subscriptions, ann, bob } = await createRooms(kv);
  loseAnswerOnce(faults);
  subscriptions.ann.publish({ text: "1" });
  await ann.until((member) => member.of("error").length > 0);
  faults.read = () => {
    faults.read = undefined;
    return Promise.reject(new Error("disk I/O error"));
  };
  // What is stored must be read first, and that fails once.
  subscriptions.bob.publish({ text: "2" });
  await ann.until(({ said }) => said.includes("2"));
  assertEquals(ann.messages, await readLog(log, "lobby"));
  assertEquals(bob.said, ["1", "2"]);
  assertEquals(events.map(({ event }) => event), ["commit_failed", "catch_up_failed"]);
  assertEquals(hub.metrics.readFailures, 1);
});

Deno.test("What was written although it failed comes before what is stored during a catch-up", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log, faults, subscriptions, ann } = await createRooms(kv);
  loseAnswerOnce(faults);
  subscriptions.ann.publish({ text: "1" });
  await ann.until((member) => member.of("error").length > 0);
  const [begun, reads] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  faults.read = () => {
    begun.resolve();
    return reads.promise;
  };
  // A cursor in the future makes the room read its log, and that takes a while.
  const late = hub.join("lobby", new TestMember("late"), { after: "z".repeat(20) });
  await begun.promise;
  subscriptions.bob.publish({ text: "2" });
  while (hub.metrics.messagesStored === 0) await new Promise((resolve) => setTimeout(resolve));
  assertEquals(ann.said, []);
  reads.resolve();
  await late.joined;
  await ann.until(({ said }) => said.includes("2"));
  assertEquals(ann.messages, await readLog(log, "lobby"));
});

import { mock } from "node:test";
import { killHub } from "../../src/hub/hub.ts";
import { assert, assertEquals } from "@std/assert";
import type { LogRecord, Message } from "@hubbub/hub";
import { ORIGIN } from "../../src/store/cursor.ts";
import { messageText } from "../../src/store/entry.ts";
import { holdOnce, injectFaults } from "../helpers/kv_faults.ts";
import { numbers } from "../helpers/stored_lines.ts";
import { createTestHub, type TestHub } from "../helpers/test_hub.ts";
import { TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";
import { eventually, within } from "../helpers/patience.ts";

/** Joins the lobby, and resolves when the member is live. */
async function join(to: TestHub, user: string) {
  const member = new TestMember(user);
  const subscription = to.hub.join("lobby", member);
  await subscription.joined;
  return { member, subscription };
}

/** Everything in the log of the lobby, struck out or not. */
function readRecords({ log }: TestHub): Promise<LogRecord[]> {
  return log.after("lobby", ORIGIN, { limit: Infinity });
}

/** Resolves when so many repeats are struck out of the log. */
async function untilStruck(hub: TestHub, count: number): Promise<LogRecord[]> {
  let struck = 0;
  return await eventually(async () => {
    const records = await readRecords(hub);
    struck = records.filter(({ repeats }) => repeats).length;
    return struck === count && records;
  }, () => `${count} repeats to be struck out, not ${struck}`);
}

/** What the log shows, read in every way: whole, backwards in pages, and forwards in pages. */
async function readShown({ log }: TestHub): Promise<Message[][]> {
  const options = { limit: 3, shownOnly: true };
  const all = await log.after("lobby", ORIGIN, { limit: Infinity, shownOnly: true });
  const backwards = await log.last("lobby", options);
  for (let page = backwards; page.length > 0;) {
    page = await log.before("lobby", backwards[0].cursor, options);
    backwards.unshift(...page);
  }
  const forwards = await log.after("lobby", ORIGIN, options);
  for (let page = forwards; page.length > 0;) {
    page = await log.after("lobby", forwards[forwards.length - 1].cursor, options);
    forwards.push(...page);
  }
  return [all, backwards, forwards].map((records) => {
    return records.map((record) => JSON.parse(messageText(record)));
  });
}

Deno.test("One ref through two isolates at once is one message", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b, c] = isolates.startAll(3);
  const [one, other] = [await join(a, "ann"), await join(b, "ann")];
  const watchers = [await join(a, "bob"), await join(b, "cid"), await join(c, "dan")];
  const scheduler = 20;
  for (const turn of numbers(scheduler)) {
    for (const { subscription } of [one, other]) {
      subscription.publish({ text: `before ${turn}` });
      subscription.publish({ text: `both ${turn}`, ref: turn });
      subscription.publish({ text: `after ${turn}` });
    }
  }
  const shown = 5 * scheduler;
  for (const { member } of watchers) {
    await member.until(({ messages }) => messages.length === shown);
    const refs = member.messages.flatMap(({ ref }) => ref ?? []);
    assertEquals(refs.sort(), numbers(scheduler).sort(), "each once");
    assertEquals(member.messages, watchers[0].member.messages, "one order");
  }
  // Each sender got every message; the answer to a repeat is the first one again.
  for (const { member } of [one, other]) {
    await member.until(({ messages }) => new Set(messages.map(({ id }) => id)).size === shown);
    for (const ref of numbers(scheduler)) {
      const answers = member.messages.filter((message) => message.ref === ref);
      const [first] = watchers[0].member.messages.filter((message) => message.ref === ref);
      assert(answers.length > 0);
      for (const answer of answers) assertEquals(answer, first);
    }
  }
  const records = await untilStruck(a, scheduler);
  assertEquals(records.length, shown + scheduler);
  for (const messages of await readShown(a)) assertEquals(messages, watchers[0].member.messages);
  // Who reads the log only now sees the same.
  const late = isolates.start();
  const newcomer = new TestMember("eve");
  await late.hub.join("lobby", newcomer, { history: 100 }).joined;
  assertEquals(newcomer.messages, watchers[0].member.messages);
});

Deno.test("HTTP posts of one ref to two isolates at once are answered with one message", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2);
  // Both have the room in memory, and neither hears of the other's before it commits.
  await Promise.all([join(a, "eve"), join(b, "eve")]);
  const posts = numbers(40).map((index) => {
    const to = Number(index) % 2 === 0 ? a : b;
    return to.hub.publish("lobby", "ann", { text: "hi", ref: "1" });
  });
  const outcomes = await within(Promise.all(posts), "the answers to all posts");
  const messages = outcomes.map((outcome) => {
    assert(outcome.status !== "refused");
    return messageText(outcome.record);
  });
  assertEquals(new Set(messages).size, 1);
  assertEquals(outcomes.filter(({ status }) => status === "stored").length, 1);
  assertEquals((await untilStruck(a, 1)).length, 2);
  for (const shown of await readShown(b)) assertEquals(shown, [JSON.parse(messages[0])]);
});

Deno.test("A repeat that is struck out leaves the cursors of its entry as they were", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2);
  const [one, other] = [await join(a, "ann"), await join(b, "ann")];
  const { member: bob } = await join(a, "bob");
  one.subscription.publish({ text: "first", ref: "1" });
  for (const text of ["x", "y"]) other.subscription.publish({ text });
  other.subscription.publish({ text: "again", ref: "1" });
  for (const text of ["z", "w"]) other.subscription.publish({ text });
  await bob.until(({ messages }) => messages.length === 5);
  const seen = [...bob.messages];
  const records = await untilStruck(a, 1);
  assertEquals(records.filter(({ repeats }) => !repeats).map(messageText), seen.map(text));
  const struck = records.find(({ repeats }) => repeats)!;
  // From every place, the repeat's included, members resume and pages go on.
  for (const { cursor } of records) {
    const rest = seen.filter((message) => message.cursor > cursor);
    for (const hub of [a, b, isolates.start()]) {
      const back = new TestMember("eve");
      const subscription = hub.hub.join("lobby", back, { after: cursor });
      await subscription.joined;
      assertEquals([back.messages, back.joined.recovered], [rest, true]);
      subscription.leave();
    }
    const page = await a.log.after("lobby", cursor, { limit: 100, shownOnly: true });
    assertEquals(page.map(messageText), rest.map(text));
    assert(await a.log.has("lobby", cursor));
  }
  assertEquals(struck.repeats, seen.find(({ ref }) => ref === "1")?.cursor);
});

Deno.test("A repeat whose isolate died before it could strike it out is struck out all the same", async () => {
  await using isolates = await TestIsolates.open();
  const faults = injectFaults(isolates.kv);
  const [a, b] = isolates.startAll(2);
  const { subscription } = await join(a, "ann");
  const { member: bob } = await join(b, "bob");
  const held = holdOnce(faults);
  subscription.publish({ text: "under way", ref: "1" });
  await within(held.reached, "the commit");
  killHub(a.hub);
  const { member, subscription: again } = await join(b, "ann");
  again.publish({ text: "under way", ref: "1" });
  await member.until(({ messages }) => messages.length === 1);
  held.release();
  const records = await untilStruck(b, 1);
  assertEquals(records.length, 2);
  assertEquals([bob.messages.length, member.messages.length], [1, 1]);
  for (const shown of await readShown(b)) assertEquals(shown, bob.messages);
});

Deno.test("A repeat that could not be struck out is so when the store works again", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2);
  let failures = 0;
  for (const { log } of [a, b]) {
    const rewrite = log.rewrite.bind(log);
    mock.method(log, "rewrite", (...args: Parameters<typeof rewrite>) => {
      return failures++ < 4 ? Promise.reject(new Error("disk I/O error")) : rewrite(...args);
    });
  }
  const [one, other] = [await join(a, "ann"), await join(b, "ann")];
  for (const { subscription } of [one, other]) subscription.publish({ text: "hi", ref: "1" });
  assertEquals((await untilStruck(a, 1)).length, 2);
  const logged = [...a.events, ...b.events].filter(({ event }) => event === "tombstone_failed");
  assert(logged.length <= 2, "each says so once");
  assert(failures > 4);
});

Deno.test("A repeat that nobody lived to see is struck out when the room is opened", async () => {
  using kv = await Deno.openKv(":memory:");
  // Hubs that take themselves for the only one do not read what the other one wrote.
  const [a, b] = [createTestHub(kv), createTestHub(kv)];
  const subscriptions = [(await join(a, "ann")).subscription, (await join(b, "ann")).subscription];
  for (const subscription of subscriptions) subscription.publish({ text: "hi", ref: "1" });
  await eventually(async () => (await readRecords(a)).length === 2, "both to be stored");
  const { member } = await join(createTestHub(kv), "bob");
  assertEquals(member.said, ["hi"]);
  await untilStruck(a, 1);
  for (const shown of await readShown(a)) assertEquals(shown, member.messages);
});

function text(message: Message): string {
  return JSON.stringify(message);
}

Deno.test("What is sent twice at once is told to nobody before what stands between", async () => {
  await using isolates = await TestIsolates.open();
  isolates.loses = () => true;
  const [a, b] = isolates.startAll(2);
  const [first, second] = [await join(a, "ann"), await join(a, "ann")];
  const { member: bob, subscription: bobs } = await join(b, "bob");
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const after = a.log.after.bind(a.log);
  mock.method(a.log, "after", async (...args: Parameters<typeof after>) => {
    reach();
    await held;
    return await after(...args);
  });
  bobs.publish({ text: "between" });
  await bob.until(({ messages }) => messages.length === 1);
  for (const { subscription } of [first, second]) subscription.publish({ text: "x", ref: "1" });
  await within(reached, "the log to be read");
  await eventually(() => a.hub.metrics.commits === 1, "the commit");
  // What the hub asks the store after a commit is answered before this is.
  for (let i = 0; i < 20; i++) await isolates.logs.head("lobby");
  // The room is given up with its members in it, as where a drain takes too long.
  killHub(a.hub);
  release();
  for (const { member } of [first, second]) assertEquals(member.messages, []);
});

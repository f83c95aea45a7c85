import { assert, assertEquals } from "@std/assert";
import type { ClusterMessage } from "../../src/cluster/cluster_message.ts";
import { mock } from "node:test";
import { readLog } from "../helpers/log_run.ts";
import { numbers } from "../helpers/stored_lines.ts";
import type { TestHub } from "../helpers/test_hub.ts";
import { pause, TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";

type MessagesDelivered = Extract<ClusterMessage, { kind: "messages" }>;

/** Joins the lobby, and resolves when the member is live. */
async function join(to: TestHub, user: string, options: { after?: string } = {}) {
  const member = new TestMember(user);
  const subscription = to.hub.join("lobby", member, options);
  await subscription.joined;
  return { member, subscription };
}

/** Two isolates between which messages travel by hand: ann is on the one, bob on the other. */
async function createPair() {
  const isolates = await TestIsolates.open();
  const passed = new Set<ClusterMessage>();
  isolates.loses = (message) => message.kind === "messages" && !passed.has(message);
  const [a, b] = isolates.startAll(2);
  // The store's watch heals what is lost: here it is to be seen that nothing is.
  mock.method(b.log, "grownSince", (upTo: string) => Promise.resolve({ upTo, rooms: new Map() }));
  const [ann, bob] = [await join(a, "ann"), await join(b, "bob")];
  const by = isolates.connect();
  /** Lets ann say something, and returns the packet about it, which bob's isolate did not get. */
  const say = async (text: string): Promise<MessagesDelivered> => {
    ann.subscription.publish({ text });
    await ann.member.until(({ said }) => said.at(-1) === text);
    return isolates.of("messages").at(-1)!;
  };
  const pass = (message: ClusterMessage) => {
    passed.add(message);
    by.publish(message);
  };
  return { isolates, a, b, ann, bob: bob.member, say, pass };
}

Deno.test("a packet that follows on is delivered as it came, without a read", async () => {
  const { isolates, b, bob, say, pass } = await createPair();
  await using _isolates = isolates;
  const reads = (["after", "last"] as const).map((name) => mock.method(b.log, name));
  const packets = [await say("0"), await say("1"), await say("2")];
  for (const message of packets) pass(message);
  await bob.until(({ messages }) => messages.length === 3);
  assertEquals(reads.map((read) => read.mock.callCount()), [0, 0]);
  assertEquals(bob.messages, await readLog(isolates.logs, "lobby"));
});

Deno.test("a packet that comes again, or late, changes nothing", async () => {
  const { isolates, b, bob, say, pass } = await createPair();
  await using _isolates = isolates;
  const packets = [await say("0"), await say("1"), await say("2")];
  for (const message of packets) pass(message);
  await bob.until(({ messages }) => messages.length === 3);
  const after = mock.method(b.log, "after");
  for (const message of [...packets, ...packets.toReversed()]) pass(message);
  pass(await say("3"));
  await bob.until(({ messages }) => messages.length === 4);
  assertEquals(bob.said, numbers(4));
  assertEquals(after.mock.callCount(), 0);
  assertEquals(b.hub.metrics.clusterMessagesLost, 0);
});

Deno.test("a packet before which something is missing makes the room read its log", async () => {
  const { isolates, b, bob, say, pass } = await createPair();
  await using _isolates = isolates;
  await say("0");
  await say("1");
  pass(await say("2"));
  await bob.until(({ messages }) => messages.length === 3);
  assertEquals(bob.messages, await readLog(isolates.logs, "lobby"));
  assertEquals(b.hub.metrics.clusterMessagesLost, 1);
});

Deno.test("packets in the wrong order show messages in the right one", async () => {
  const { isolates, bob, say, pass } = await createPair();
  await using _isolates = isolates;
  const packets: ClusterMessage[] = [];
  for (const text of numbers(30)) packets.push(await say(text));
  for (const message of packets.toReversed()) pass(message);
  await bob.until(({ messages }) => messages.length === 30);
  await pause(50);
  assertEquals(bob.messages, await readLog(isolates.logs, "lobby"));
});

const DAMAGED: [string, (message: MessagesDelivered) => Partial<MessagesDelivered>][] = [
  ["without its lines", () => ({ lines: [] })],
  ["with lines that are no JSON", () => ({ lines: ["{"] })],
  ["with lines that hold no message", () => ({ lines: ["null", "{}", "[]"] })],
  ["with fewer lines than it should", ({ lines }) => ({ lines: lines.slice(0, -1) })],
  ["that stands at a place that is not there", () => ({ prev: "0".repeat(19) + "1" })],
];

for (const [what, damage] of DAMAGED) {
  Deno.test(`a packet ${what} makes the room read its log`, async () => {
    const { isolates, ann, bob, say, pass } = await createPair();
    await using _isolates = isolates;
    for (const text of ["x", "y"]) ann.subscription.publish({ text });
    const message = await say("z");
    pass({ ...message, ...damage(message) });
    await bob.until(({ messages }) => messages.length === 3);
    assertEquals(bob.messages, await readLog(isolates.logs, "lobby"));
  });
}

Deno.test("a packet about what is large carries no lines, and is read from the log", async () => {
  const { isolates, bob, say, pass } = await createPair();
  await using _isolates = isolates;
  const text = "long ".repeat(800);
  const message = await say(text);
  assertEquals(message.lines, []);
  pass(message);
  await bob.until(({ messages }) => messages.length === 1);
  assertEquals(bob.said, [text]);
});

Deno.test("a packet about a room in which nobody is brings nothing into memory", async () => {
  const { isolates, b, bob, say, pass } = await createPair();
  await using _isolates = isolates;
  const message = await say("0");
  const reads = (["last", "after"] as const).map((name) => mock.method(b.log, name));
  pass({ ...message, room: "elsewhere" });
  // Who joins it asks who is typing.
  const { from } = message;
  pass({ kind: "typing", from, room: "attic", user: "ann", status: true });
  pass({ ...message, room: "attic" });
  pass(message);
  await bob.until(({ messages }) => messages.length === 1);
  assertEquals(reads.map((read) => read.mock.callCount()), [0, 0]);
  assertEquals(b.hub.roomCount, 1);
});

Deno.test("a packet that comes while a room is being opened leaves no gap", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2);
  const ann = await join(a, "ann");
  const last = b.log.last.bind(b.log);
  const read = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  mock.method(b.log, "last", async (...args: Parameters<typeof last>) => {
    const records = await last(...args);
    read.resolve();
    await goOn.promise;
    return records;
  });
  const joining = join(b, "bob");
  await read.promise;
  // After the read, and before the room is open.
  for (const text of numbers(3)) ann.subscription.publish({ text });
  await ann.member.until(({ messages }) => messages.length === 3);
  await pause(20);
  goOn.resolve();
  const { member: bob } = await joining;
  await bob.until(({ messages }) => messages.length === 3);
  assertEquals(bob.messages, ann.member.messages);
});

Deno.test("a resume at an isolate that is behind waits until it has caught up", async () => {
  const { isolates, b, ann, bob, say } = await createPair();
  await using _isolates = isolates;
  for (const text of numbers(5)) await say(text);
  assertEquals(bob.messages, []);
  const cursor = ann.member.messages[4].cursor;
  const { member: back } = await join(b, "ann", { after: cursor });
  assertEquals([back.messages, back.joined.recovered, back.joined.cursor], [[], true, cursor]);
  assertEquals(bob.said, numbers(5));
});

Deno.test("a room that cannot read its log tries again, and shows everything in order", async () => {
  const { isolates, b, bob, say, pass } = await createPair();
  await using _isolates = isolates;
  const after = b.log.after.bind(b.log);
  let failing = 2;
  mock.method(b.log, "after", (...args: Parameters<typeof after>) => {
    return failing-- > 0 ? Promise.reject(new Error("disk I/O error")) : after(...args);
  });
  await say("0");
  pass(await say("1"));
  await bob.until(({ messages }) => messages.length === 2);
  assertEquals(bob.said, ["0", "1"]);
  assertEquals(b.hub.metrics.readFailures, 2);
  assert(b.events.every(({ event }) => event === "catch_up_failed"));
});

Deno.test("isolates that all write at once show everybody the log's order", async () => {
  await using isolates = await TestIsolates.open();
  const hubs = isolates.startAll(4);
  const guests = await Promise.all(hubs.flatMap((to, index) => {
    return [join(to, `user${index}`), join(to, `user${index + 4}`)];
  }));
  const each = 100;
  for (const text of numbers(each)) {
    for (const { subscription } of guests) subscription.publish({ text });
    if (Number(text) % 10 === 9) await pause(1);
  }
  const total = each * guests.length;
  await Promise.all(guests.map(({ member }) => {
    return member.until(({ messages }) => messages.length === total);
  }));
  const log = await readLog(isolates.logs, "lobby");
  for (const { member } of guests) {
    assertEquals(member.messages, log);
    const own = member.messages.filter(({ user }) => user === member.user);
    assertEquals(own.map(({ text }) => text), numbers(each), "a sender's own order");
  }
});

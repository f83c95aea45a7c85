import { assert, assertEquals } from "@std/assert";
import type { KvRoomLog, Logger } from "@hubbub/hub";
import { mock } from "node:test";
import { LogWatcher, type WatchedRoom } from "../../src/cluster/log_watcher.ts";
import { cursorAt, ORIGIN } from "../../src/store/entry.ts";
import { BELL_COUNT, bellOf } from "../../src/store/kv/keys.ts";
import { readLog } from "../helpers/log_run.ts";
import { numbers, storedEntry } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { pause, TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";
import { eventually, within } from "../helpers/patience.ts";
import { Stopwatch } from "../helpers/stopwatch.ts";

/** Rooms that share a bell, and rooms of which no two do. */
const NAMES = Array.from({ length: 200 }, (_, index) => `room${index}`);
const OF_ONE_BELL = NAMES.filter((name) => bellOf(name) === 3).slice(0, 12);
const OF_ALL_BELLS = Array.from({ length: BELL_COUNT }, (_, bell) => {
  return NAMES.find((name) => bellOf(name) === bell)!;
});

/** Joins a room, and resolves when the member is live. */
async function join(
  to: { hub: ReturnType<typeof createTestHub>["hub"] },
  room: string,
  user: string,
) {
  const member = new TestMember(user);
  const subscription = to.hub.join(room, member);
  await subscription.joined;
  return { member, subscription };
}

Deno.test("LogWatcher heal a lost packet within 500 ms", async () => {
  await using isolates = await TestIsolates.open();
  isolates.loses = () => true;
  const [a, b] = isolates.startAll(2);
  const { subscription } = await join(a, "lobby", "ann");
  const { member: bob } = await join(b, "lobby", "bob");
  const took: number[] = [];
  for (const text of numbers(5)) {
    using watch = new Stopwatch();
    subscription.publish({ text });
    await bob.until(({ said }) => said.includes(text));
    took.push(watch.ms);
  }
  assertEquals(bob.said, numbers(5));
  // The machine may be busy for a moment: the usual time is what counts.
  const usual = took.sort((one, other) => one - other)[2];
  assert(usual < 500, `${took} ms`);
  assertEquals(b.hub.metrics.roomsHealed, 5);
  assertEquals(a.hub.metrics.roomsHealed, 0, "who wrote was never behind");
});

Deno.test("LogWatcher heal several rooms of one bell, and of different bells, at once", async () => {
  await using isolates = await TestIsolates.open();
  isolates.loses = () => true;
  const [a, b] = isolates.startAll(2);
  assertEquals([OF_ONE_BELL.length, new Set(OF_ALL_BELLS).size], [12, BELL_COUNT]);
  const rooms = [...new Set([...OF_ONE_BELL, ...OF_ALL_BELLS])];
  const quiet = await join(b, "quiet", "bob");
  const there = await Promise.all(rooms.map(async (room) => {
    const { subscription } = await join(a, room, "ann");
    return { room, subscription, bob: (await join(b, room, "bob")).member };
  }));
  for (const { room, subscription } of there) {
    for (const text of numbers(3)) subscription.publish({ text: `${room} ${text}` });
  }
  for (const { room, bob } of there) {
    await bob.until(({ said }) => said.length === 3);
    assertEquals(bob.said, numbers(3).map((text) => `${room} ${text}`));
  }
  assertEquals(b.hub.metrics.roomsHealed, rooms.length);
  assertEquals(quiet.member.messages, []);
});

Deno.test("LogWatcher that ring often make few reads", async () => {
  await using isolates = await TestIsolates.open();
  isolates.loses = () => true;
  const [a, b] = isolates.startAll(2);
  const { subscription, member: ann } = await join(a, "lobby", "ann");
  const { member: bob } = await join(b, "lobby", "bob");
  const heads = mock.method(b.log, "heads");
  const after = mock.method(b.log, "after");
  const startedAt = performance.now();
  let commits = 0;
  while (performance.now() - startedAt < 1_500) {
    subscription.publish({ text: String(commits++) });
    await ann.until(({ messages }) => messages.length === commits);
  }
  await bob.until(({ messages }) => messages.length === commits);
  const looks = heads.mock.callCount();
  const most = (performance.now() - startedAt) / 250 + 2;
  assert(commits > 100, `${commits} commits`);
  assert(looks >= 3 && looks <= most, `${looks} looks for ${commits} commits`);
  // A page is 100 messages, and each catch-up ends with one that is not full.
  const reads = after.mock.callCount();
  assert(reads <= looks + commits / 100 + 1, `${reads} reads for ${commits} commits`);
  assertEquals(bob.messages, await readLog(b.log, "lobby"));
});

Deno.test("LogWatcher read nothing while nobody writes", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2);
  const { subscription } = await join(a, "lobby", "ann");
  const { member: bob } = await join(b, "lobby", "bob");
  subscription.publish({ text: "1" });
  await bob.until(({ messages }) => messages.length === 1);
  await pause(400);
  const reads = (["heads", "after", "last", "head"] as const).map((name) =>
    mock.method(b.log, name)
  );
  await pause(600);
  assertEquals(reads.map((read) => read.mock.callCount()), [0, 0, 0, 0]);
  assertEquals(b.hub.metrics.roomsHealed, 0, "the packet came before the bell");
});

Deno.test("A hub that shares its database without a fan-out shows messages within a second", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, { fanout: undefined });
  assertEquals([a.hub.reach, a.hub.peerCount], ["database", 0]);
  const { subscription: ann, member: annMember } = await join(a, "lobby", "ann");
  const { subscription: bob, member: bobMember } = await join(b, "lobby", "bob");
  const took: number[] = [];
  for (
    const [subscription, member] of [[ann, bobMember], [bob, annMember], [ann, bobMember]] as const
  ) {
    using watch = new Stopwatch();
    const text = String(took.length);
    subscription.publish({ text });
    await member.until(({ said }) => said.includes(text));
    took.push(watch.ms);
  }
  const log = await readLog(a.log, "lobby");
  assertEquals([annMember.messages, bobMember.messages], [log, log]);
  assertEquals(isolates.packets, []);
  assert(took.sort((one, other) => one - other)[1] < 1_000, `${took} ms`);
});

/** LogWatcher over a log, a room that counts how often it catches up, and what was logged. */
function createBells(log: KvRoomLog) {
  const logged: string[] = [];
  const healed: string[] = [];
  const logger: Logger = (level, event) => void logged.push(`${level} ${event}`);
  const caughtUp = Promise.withResolvers<void>();
  const room: WatchedRoom = {
    name: "lobby",
    cursor: ORIGIN,
    catchUp: () => Promise.resolve(caughtUp.resolve()),
  };
  const open = () => {
    return new LogWatcher({
      log,
      logger,
      rooms: () => [room],
      onHealed: (name) => healed.push(name),
    });
  };
  const append = async () => {
    return cursorAt(await log.append(new Map([["lobby", storedEntry(["text"])]])), 0);
  };
  return { open, append, logged, healed, caughtUp: caughtUp.promise };
}

Deno.test("LogWatcher whose watch fails say so once, and watch again", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, logged, healed, caughtUp } = createBells(log);
  const works = log.watch.bind(log);
  let failing = 2;
  const watch = mock.method(log, "watch", () => {
    if (failing-- > 0) return new ReadableStream({ start: (stream) => stream.error(new Error()) });
    return works();
  });
  await append();
  const bells = open();
  await within(caughtUp, "the room to catch up");
  assertEquals(watch.mock.callCount(), 3);
  assertEquals([logged, healed], [["error watch_failed"], ["lobby"]]);
  bells.close();
});

Deno.test("LogWatcher whose watch ends by itself watch again", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, logged, caughtUp } = createBells(log);
  const works = log.watch.bind(log);
  const first = new ReadableStream<number[]>({ start: (stream) => stream.close() });
  const watch = mock.method(log, "watch", works);
  watch.mock.mockImplementationOnce(() => first);
  await append();
  const bells = open();
  await within(caughtUp, "the room to catch up");
  assertEquals(watch.mock.callCount(), 2);
  assertEquals(logged, []);
  bells.close();
});

Deno.test("LogWatcher that cannot read where the logs end say so once, and try again", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, logged, healed, caughtUp } = createBells(log);
  const works = log.heads.bind(log);
  let failing = 3;
  mock.method(log, "heads", (rooms: readonly string[]) => {
    return failing-- > 0 ? Promise.reject(new Error("disk I/O error")) : works(rooms);
  });
  await append();
  const bells = open();
  await within(caughtUp, "the room to catch up");
  assertEquals([logged, healed], [["error bell_failed"], ["lobby"]]);
  bells.close();
});

Deno.test("LogWatcher.close() leaves nothing behind, whatever is going on", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, logged, healed } = createBells(log);
  const held = Promise.withResolvers<string[]>();
  const heads = mock.method(log, "heads", () => held.promise);
  open().close();
  const ringing = open();
  await append();
  const looking = open();
  await eventually(() => heads.mock.callCount() > 0, "a look");
  for (const bells of [ringing, looking]) bells.close();
  looking.close();
  held.reject(new Error("closed"));
  const failing = mock.method(log, "watch", () => {
    return new ReadableStream({ start: (stream) => stream.error(new Error()) });
  });
  const waiting = open();
  while (logged.length === 0) await pause(10);
  waiting.close();
  await pause(1_200);
  assertEquals(failing.mock.callCount(), 1);
  assertEquals([logged, healed], [["error watch_failed"], []]);
});

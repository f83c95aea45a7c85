import { assert, assertEquals } from "@std/assert";
import type { Growth, KvRoomLog, Logger, RoomLog } from "@hubbub/hub";
import { mock } from "node:test";
import { LogWatcher } from "../../src/cluster/log_watcher.ts";
import { cursorAt, ORIGIN } from "../../src/store/cursor.ts";
import { readLog } from "../helpers/log_run.ts";
import { numbers, storedEntry } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { pause, TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";
import { eventually, within } from "../helpers/patience.ts";
import { Stopwatch } from "../helpers/stopwatch.ts";

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

Deno.test("LogWatcher heals a lost message within 500 ms", async () => {
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
  // A commit that takes long is told by the watch before it is answered; as a rule it is not.
  const { roomsHealed } = a.hub.metrics;
  assert(roomsHealed < 5, `who wrote was behind ${roomsHealed} times`);
});

Deno.test("LogWatcher heals several rooms at once", async () => {
  await using isolates = await TestIsolates.open();
  isolates.loses = () => true;
  const [a, b] = isolates.startAll(2);
  const rooms = numbers(22).map((number) => `room${number}`);
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

Deno.test("LogWatcher makes few reads, however often others commit", async () => {
  await using isolates = await TestIsolates.open();
  isolates.loses = ({ kind }) => kind === "messages";
  const [a, b] = isolates.startAll(2);
  await eventually(() => b.hub.peerCount === 1, "the other to be heard");
  const { subscription, member: ann } = await join(a, "lobby", "ann");
  const { member: bob } = await join(b, "lobby", "bob");
  const grown = mock.method(b.log, "grownSince");
  const after = mock.method(b.log, "after");
  const startedAt = performance.now();
  let commits = 0;
  while (performance.now() - startedAt < 1_500 || commits <= 100) {
    subscription.publish({ text: String(commits++) });
    await ann.until(({ messages }) => messages.length === commits);
  }
  await bob.until(({ messages }) => messages.length === commits);
  const looks = grown.mock.callCount();
  const most = (performance.now() - startedAt) / 250 + 2;
  assert(looks >= 3 && looks <= most, `${looks} looks for ${commits} commits`);
  // A page is 100 messages, and each catch-up ends with one that is not full.
  const reads = after.mock.callCount();
  assert(reads <= looks + commits / 100 + 1, `${reads} reads for ${commits} commits`);
  assertEquals(bob.messages, await readLog(b.log, "lobby"));
});

Deno.test("LogWatcher reads nothing while nobody writes", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2);
  const { subscription } = await join(a, "lobby", "ann");
  const { member: bob } = await join(b, "lobby", "bob");
  subscription.publish({ text: "1" });
  await bob.until(({ messages }) => messages.length === 1);
  await pause(400);
  const reads = (["heads", "grownSince", "after", "last", "head"] as const).map((name) =>
    mock.method(b.log, name)
  );
  await pause(600);
  assertEquals(reads.map((read) => read.mock.callCount()), [0, 0, 0, 0, 0]);
  assertEquals(b.hub.metrics.roomsHealed, 0, "the message came before the look");
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

Deno.test("Two hubs without a fan-out agree at once, with three reads a message", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, { fanout: undefined });
  const { subscription } = await join(a, "lobby", "ann");
  const { member: bob } = await join(b, "lobby", "bob");
  // Rooms that are open in both and quiet cost nothing.
  for (const room of numbers(100)) for (const hub of [a, b]) await join(hub, room, "cid");
  subscription.publish({ text: "first" });
  await bob.until(({ said }) => said.includes("first"));
  await pause(50);
  const names = ["after", "before", "get", "grownSince", "head", "heads", "last"] as const;
  const reads = [a, b].flatMap(({ log }) => names.map((name) => mock.method(log, name)));
  const count = () => reads.reduce((sum, { mock }) => sum + mock.callCount(), 0);
  const [took, counts]: number[][] = [[], []];
  for (const text of numbers(21)) {
    const [startedAt, before] = [performance.now(), count()];
    subscription.publish({ text });
    await bob.until(({ said }) => said.includes(text));
    took.push(performance.now() - startedAt);
    counts.push(count() - before);
  }
  // The machine may be busy for a moment, and then a commit that is late costs one more: what is
  // usual counts.
  const usual = (values: number[]) => values.sort((one, other) => one - other)[10];
  assert(usual(counts) <= 3, `${counts} reads`);
  assert(usual(took) < 200, `${took} ms`);
});

/** A log watcher, a room that counts how often it catches up, and what was logged. */
function createWatchers(log: KvRoomLog) {
  const logged: string[] = [];
  const healed: string[] = [];
  const logger: Logger = (level, event) => void logged.push(`${level} ${event}`);
  const caughtUp = Promise.withResolvers<void>();
  const wentBack = Promise.withResolvers<void>();
  const room = {
    name: "lobby",
    cursor: ORIGIN,
    catchUp: () => Promise.resolve(caughtUp.resolve()),
  };
  const open = (
    watched: Pick<RoomLog, "grownSince" | "heads" | "isLost" | "watch"> = log,
    rooms = () => [room],
  ) => {
    return new LogWatcher({
      log: watched,
      logger,
      rooms,
      find: (name) => name === room.name ? room : undefined,
      isHeard: () => false,
      onHealed: (name) => healed.push(name),
      onWentBack: () => wentBack.resolve(),
    });
  };
  const append = async (name = "lobby") => {
    return await log.append(new Map([[name, storedEntry(["text"])]]));
  };
  return {
    open,
    append,
    room,
    logged,
    healed,
    caughtUp: caughtUp.promise,
    wentBack: wentBack.promise,
  };
}

/** Resolves when a condition holds. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    assert(performance.now() < end, "it did not happen within 10 s");
    await pause(5);
  }
}

Deno.test("LogWatcher whose watch fails says so once, and watches again", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, logged, healed, caughtUp } = createWatchers(log);
  const works = log.watch.bind(log);
  let failing = 2;
  const watch = mock.method(log, "watch", () => {
    if (failing-- > 0) return new ReadableStream({ start: (stream) => stream.error(new Error()) });
    return works();
  });
  await append();
  const watcher = open();
  await within(caughtUp, "the room to catch up");
  assertEquals(watch.mock.callCount(), 3);
  assertEquals([logged, healed], [["error watch_failed"], ["lobby"]]);
  watcher.close();
});

Deno.test("LogWatcher whose watch ends by itself watches again", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, logged, caughtUp } = createWatchers(log);
  const works = log.watch.bind(log);
  const first = new ReadableStream<string>({ start: (stream) => stream.close() });
  const watch = mock.method(log, "watch", works);
  watch.mock.mockImplementationOnce(() => first);
  await append();
  const watcher = open();
  await within(caughtUp, "the room to catch up");
  assertEquals(watch.mock.callCount(), 2);
  assertEquals(logged, []);
  watcher.close();
});

Deno.test("LogWatcher that cannot read where the logs end says so once, and tries again", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, logged, healed, caughtUp } = createWatchers(log);
  const works = log.heads.bind(log);
  let failing = 3;
  mock.method(log, "heads", (rooms: readonly string[]) => {
    return failing-- > 0 ? Promise.reject(new Error("disk I/O error")) : works(rooms);
  });
  await append();
  const watcher = open();
  await within(caughtUp, "the room to catch up");
  assertEquals([logged, healed], [["error look_failed"], ["lobby"]]);
  watcher.close();
});

Deno.test("LogWatcher.close() leaves nothing behind, whatever is going on", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, logged, healed } = createWatchers(log);
  const held = Promise.withResolvers<string[]>();
  const heads = mock.method(log, "heads", () => held.promise);
  open().close();
  const ringing = open();
  await append();
  const looking = open();
  await eventually(() => heads.mock.callCount() > 0, "a look");
  for (const watcher of [ringing, looking]) watcher.close();
  looking.close();
  held.reject(new Error("closed"));
  const failing = mock.method(log, "watch", () => {
    return new ReadableStream({ start: (stream) => stream.error(new Error()) });
  });
  const waiting = open();
  while (logged.length === 0) await pause(10);
  waiting.close();
  await pause(700);
  assertEquals(failing.mock.callCount(), 1);
  assertEquals([logged, healed], [["error watch_failed"], []]);
});

Deno.test("LogWatcher looks at all heads where the store does not reach back", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, room, healed } = createWatchers(log);
  const first = await append();
  room.cursor = await log.head("lobby");
  const grown = mock.method(log, "grownSince", () => Promise.resolve(undefined));
  const heads = mock.method(log, "heads");
  const watcher = open();
  await until(() => watcher.position === first);
  assertEquals([heads.mock.callCount(), healed], [1, []]);
  const second = await append();
  await until(() => watcher.position === second);
  // A commit that the store was not seen to hold says nothing of what came after.
  assertEquals([grown.mock.callCount(), heads.mock.callCount(), healed], [2, 2, ["lobby"]]);
  watcher.close();
});

Deno.test("LogWatcher.committed() names the rooms that others appended to", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, room } = createWatchers(log);
  const first = await append();
  room.cursor = await log.head("lobby");
  let growth: Growth | undefined;
  let isThere = true;
  const asked: unknown[] = [];
  const watcher = open({
    isLost: () => Promise.resolve(false),
    heads: () => Promise.resolve([room.cursor]),
    grownSince: (from, until) => {
      if (until === undefined) {
        return Promise.resolve(isThere ? { upTo: from, rooms: new Map() } : undefined);
      }
      asked.push([from, until]);
      return Promise.resolve(growth);
    },
    watch: () => new ReadableStream({ start: (stream) => stream.enqueue(first) }),
  });
  assertEquals(
    await watcher.committed(first, ["lobby"]),
    new Set(["lobby"]),
    "nothing is known yet",
  );
  await until(() => watcher.position === first);
  const commit = (number: number) =>
    (BigInt(`0x${first}`) + BigInt(number)).toString(16).padStart(20, "0");
  const told = (number: number, cursor: string) => {
    growth = { upTo: commit(number), rooms: new Map([["lobby", cursor]]) };
  };
  const at = (number: number, tag = 0) => cursorAt(commit(number), 0, tag);
  told(1, room.cursor);
  assertEquals(await watcher.committed(commit(1), ["lobby"]), new Set());
  told(3, at(2));
  assertEquals(await watcher.committed(commit(3), ["lobby"]), new Set(["lobby"]), "others did");
  assertEquals(watcher.position, commit(3));
  assertEquals(asked, [[first, commit(1)], [commit(1), commit(3)]]);
  room.cursor = at(3);
  told(4, at(3));
  assertEquals(await watcher.committed(commit(4), ["lobby"]), new Set());
  // Others stand where the log has another record, or none.
  room.cursor = at(4);
  told(5, at(4, 1));
  assertEquals(await watcher.committed(commit(5), ["lobby"]), new Set(["lobby"]), "another one");
  growth = { upTo: commit(6), rooms: new Map() };
  room.cursor = at(5);
  assertEquals(await watcher.committed(commit(6), ["lobby"]), new Set(["lobby"]), "none");
  growth = undefined;
  assertEquals(await watcher.committed(commit(7), ["lobby"]), new Set(["lobby"]));
  isThere = false;
  assertEquals(await watcher.committed(commit(8), ["lobby"]), undefined, "it was lost");
  watcher.close();
});

Deno.test("LogWatcher notices that the database was put back", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, room, wentBack } = createWatchers(log);
  const commit = await append();
  const watcher = open();
  await until(() => watcher.position === commit);
  // The room has seen what the database has lost.
  room.cursor = cursorAt(commit, 7, 0);
  watcher.close();
  const anew = open();
  await wentBack;
  anew.close();
});

Deno.test("LogWatcher notices a database that goes on from an earlier state", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, append, room, wentBack } = createWatchers(log);
  const commit = await append();
  room.cursor = cursorAt("f".repeat(20), 0, 0);
  let told: ReadableStreamDefaultController<string> | undefined;
  const heads = mock.method(log, "heads", () => Promise.resolve([room.cursor]));
  const watcher = open({
    isLost: (room, cursor) => log.isLost(room, cursor),
    heads: (rooms) => log.heads(rooms),
    grownSince: (from) => log.grownSince(from),
    watch: () => new ReadableStream({ start: (stream) => void (told = stream) }),
  });
  told!.enqueue("f".repeat(20));
  await until(() => watcher.position === "f".repeat(20));
  heads.mock.restore();
  told!.enqueue(commit);
  await wentBack;
  assertEquals(watcher.position, commit);
  watcher.close();
});

/** A cursor, and its commit, by number. */
function places() {
  const commit = (number: number) => number.toString(16).padStart(20, "0");
  return { commit, at: (number: number) => cursorAt(commit(number), 0, 0) };
}

Deno.test("LogWatcher.committed() trusts no look at all rooms that began before what is known", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, room } = createWatchers(log);
  const { commit, at } = places();
  room.cursor = at(4);
  let told: ReadableStreamDefaultController<string> | undefined;
  const looked: PromiseWithResolvers<string[]>[] = [];
  const grown = Promise.withResolvers<Growth>();
  const watcher = open({
    isLost: () => Promise.resolve(false),
    heads: () => {
      looked.push(Promise.withResolvers());
      return looked.at(-1)!.promise;
    },
    grownSince: (from, until) => {
      if (until === commit(8)) return grown.promise;
      if (until === commit(6)) {
        return Promise.resolve({ upTo: until, rooms: new Map([["lobby", at(5)]]) });
      }
      // The first that was told is there no longer: all is looked at.
      const isLost = from === commit(5) && looked.length > 0;
      return Promise.resolve(isLost ? undefined : { upTo: from, rooms: new Map() });
    },
    watch: () => new ReadableStream({ start: (stream) => void (told = stream) }),
  });
  told!.enqueue(commit(5));
  await until(() => looked.length === 1);
  looked[0].resolve([at(4)]);
  await until(() => watcher.position === commit(5));
  told!.enqueue(commit(3));
  await until(() => looked.length === 2);
  // Somebody else appends to the room meanwhile.
  await watcher.committed(commit(6), ["other"]);
  const committed = watcher.committed(commit(8), ["lobby"]);
  looked[1].resolve([at(4)]);
  await until(() => watcher.position === commit(3));
  grown.resolve({ upTo: commit(8), rooms: new Map() });
  assertEquals(await committed, new Set(["lobby"]));
  watcher.close();
});

Deno.test("LogWatcher.committed() asks from no commit that the store was not seen to hold", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, room } = createWatchers(log);
  const { commit, at } = places();
  room.cursor = at(4);
  const watcher = open({
    isLost: () => Promise.resolve(false),
    heads: () => Promise.resolve([room.cursor]),
    // A database that was put back has another commit at that place some time later.
    grownSince: (from, until) => {
      const growth = { upTo: until ?? from, rooms: new Map() };
      return Promise.resolve(until === undefined ? undefined : growth);
    },
    watch: () => new ReadableStream({ start: (stream) => stream.enqueue(commit(9)) }),
  });
  await until(() => watcher.position === commit(9));
  assertEquals(await watcher.committed(commit(12), ["lobby"]), new Set(["lobby"]));
  watcher.close();
});

Deno.test("LogWatcher.committed() names an empty room of which nothing was told", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log } = createTestHub(kv);
  const { open, room } = createWatchers(log);
  const { commit } = places();
  let isOpen = false;
  const watched = {
    isLost: () => Promise.resolve(false),
    heads: (rooms: readonly string[]) => Promise.resolve(rooms.map(() => room.cursor)),
    grownSince: (from: string, until?: string) => {
      return Promise.resolve({ upTo: until ?? from, rooms: new Map() });
    },
    watch: () => new ReadableStream<string>({ start: (stream) => stream.enqueue(commit(5)) }),
  };
  const watcher = open(watched, () => isOpen ? [room] : []);
  await until(() => watcher.position === commit(5));
  isOpen = true;
  assertEquals(await watcher.committed(commit(6), ["lobby"]), new Set(["lobby"]));
  watcher.close();
});

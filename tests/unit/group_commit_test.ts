import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { KvRoomLog } from "@hubbub/hub";
import { entryLine } from "../../src/store/entry_line.ts";
import { type Append, GroupCommit } from "../../src/store/group_commit.ts";
import { KV_LIMITS, KvCommitBudget } from "../../src/store/kv/limits.ts";
import { failOnce, injectFaults } from "../helpers/kv_faults.ts";
import { readLog } from "../helpers/log_run.ts";
import { within } from "../helpers/patience.ts";
import { numbers, storedLine } from "../helpers/stored_lines.ts";

/** What a commit may hold. */
const LIMITS = {
  entryMaxBytes: KV_LIMITS.valueBytes,
  budget: () => new KvCommitBudget(0, false),
};

/** A group commit onto a database that keeps account of the commits. */
function createCommits(kv: Deno.Kv) {
  const log = new KvRoomLog(kv);
  const commits: { versionstamp: string; batch: ReadonlyMap<string, readonly Append[]> }[] = [];
  const failures: { messages: number; error: unknown }[] = [];
  const group = new GroupCommit<Append>({
    limits: log,
    write: (entries) => log.append(entries),
    onCommit: (versionstamp, batch) => void commits.push({ versionstamp, batch }),
    onFailure: (batch, error) => void failures.push({ messages: count(batch), error }),
  });
  return { log, group, commits, failures };
}

function count(batch: ReadonlyMap<string, readonly Append[]>): number {
  return [...batch.values()].reduce((sum, appends) => sum + appends.length, 0);
}

/** An append of exactly so many bytes. */
function sized(room: string, text: string, bytes: number): Append {
  const filler = bytes - storedLine({ text }).length;
  const id = `id of ${text}${"x".repeat(filler)}`;
  return { room, line: storedLine({ text, id }), id };
}

async function textsOf(log: KvRoomLog, room: string): Promise<string[]> {
  return (await readLog(log, room)).map(({ text }) => text);
}

Deno.test("GroupCommit.add() puts what one turn of the event loop adds into one commit", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log, group, commits, failures } = createCommits(kv);
  for (const text of numbers(30)) {
    assert(group.add({ room: `room-${Number(text) % 3}`, line: storedLine({ text }), id: text }));
  }
  await group.idle();
  assertEquals(commits.length, 1);
  assertEquals(count(commits[0].batch), 30);
  assertEquals(failures, []);
  assertEquals(await textsOf(log, "room-1"), numbers(30).filter((n) => Number(n) % 3 === 1));
});

Deno.test("GroupCommit has one commit in flight; what arrives meanwhile goes into the next", async () => {
  const flights: PromiseWithResolvers<string>[] = [];
  const seen: string[] = [];
  const group = new GroupCommit<Append>({
    limits: LIMITS,
    write: () => {
      flights.push(Promise.withResolvers());
      return flights[flights.length - 1].promise;
    },
    onCommit: (versionstamp, batch) => void seen.push(`${versionstamp}: ${count(batch)}`),
    onFailure: () => assert(false),
  });
  const add = () => group.add({ room: "lobby", line: storedLine({ text: "x" }), id: "x" });
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  add();
  await turn();
  assertEquals(flights.length, 1);
  for (let i = 0; i < 5; i++) {
    add();
    await turn();
  }
  assertEquals(flights.length, 1, "the second commit waits for the first");
  flights[0].resolve("first");
  await turn();
  assertEquals(flights.length, 2);
  flights[1].resolve("second");
  await group.idle();
  assertEquals(seen, ["first: 1", "second: 5"]);
});

Deno.test("GroupCommit begins the next commit when onCommit is through with the last", async () => {
  const delivered = Promise.withResolvers<void>();
  let writes = 0;
  const group = new GroupCommit<Append>({
    limits: LIMITS,
    write: () => Promise.resolve(String(++writes)),
    onCommit: (versionstamp) => versionstamp === "1" ? delivered.promise : undefined,
    onFailure: () => assert(false),
  });
  group.add({ room: "lobby", line: storedLine({ text: "1" }), id: "1" });
  await new Promise((resolve) => setTimeout(resolve));
  group.add({ room: "lobby", line: storedLine({ text: "2" }), id: "2" });
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(writes, 1);
  delivered.resolve();
  await group.idle();
  assertEquals(writes, 2);
});

Deno.test("GroupCommit hands back the very appends that it was given, in order", async () => {
  using kv = await Deno.openKv(":memory:");
  const { group, commits } = createCommits(kv);
  const appends = numbers(5).map((text) => ({
    room: "lobby",
    line: storedLine({ text }),
    id: text,
  }));
  for (const append of appends) group.add(append);
  await group.idle();
  const back = commits[0].batch.get("lobby")!;
  for (const [index, append] of appends.entries()) assert(back[index] === append);
});

Deno.test("GroupCommit fails only what was in the commit, once, and goes on", async () => {
  using kv = await Deno.openKv(":memory:");
  const error = new TypeError("disk I/O error");
  failOnce(injectFaults(kv), error);
  const { log, group, commits, failures } = createCommits(kv);
  for (const text of ["1", "2"]) {
    group.add({ room: `room-${text}`, line: storedLine({ text }), id: text });
  }
  await group.idle();
  assertEquals(failures, [{ messages: 2, error }]);
  assertEquals(commits.length, 0);
  group.add({ room: "room-1", line: storedLine({ text: "3" }), id: "3" });
  await group.idle();
  assertEquals(failures.length, 1);
  assertEquals(await textsOf(log, "room-1"), ["3"]);
  assertEquals(await textsOf(log, "room-2"), []);
});

Deno.test("GroupCommit writes what came while a write failed, though nothing comes after", async () => {
  const writes: string[][] = [];
  const failures: number[] = [];
  const add = (text: string) => group.add({ room: text, line: storedLine({ text }), id: text });
  const group: GroupCommit<Append> = new GroupCommit<Append>({
    limits: LIMITS,
    write: (entries) => {
      writes.push([...entries.keys()]);
      if (writes.length > 2) return Promise.resolve("0".repeat(20));
      add(`after ${writes.length}`);
      return Promise.reject(new Error("disk full"));
    },
    onCommit: () => {},
    onFailure: (batch) => void failures.push(count(batch)),
  });
  add("first");
  await within(group.idle(), "the group commit to be idle");
  assertEquals(writes, [["first"], ["after 1"], ["after 2"]]);
  assertEquals(failures, [1, 1]);
});

Deno.test("GroupCommit fills an entry to exactly a KV value", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log, group, commits, failures } = createCommits(kv);
  const half = (KV_LIMITS.valueBytes - 2) / 2;
  // 32,767 + 1 + 32,768 bytes: full to the last byte.
  group.add(sized("full", "1", half));
  group.add(sized("full", "2", half + 1));
  group.add(sized("over", "1", half));
  group.add(sized("over", "2", half + 2));
  await group.idle();
  assertEquals(failures, []);
  assertEquals(commits.map(({ batch }) => batch.get("full")?.length), [2, undefined]);
  assertEquals(commits.map(({ batch }) => batch.get("over")?.length), [1, 1]);
  assertEquals(await textsOf(log, "full"), ["1", "2"]);
  assertEquals(await textsOf(log, "over"), ["1", "2"]);
});

Deno.test("GroupCommit.add() takes a line of a whole KV value, and refuses a byte more", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log, group, failures } = createCommits(kv);
  for (const text of ["1", "2"]) group.add(sized("lobby", text, KV_LIMITS.valueBytes));
  const more = sized("lobby", "3", KV_LIMITS.valueBytes + 1);
  assertThrows(() => group.add(more), RangeError, '65537 bytes to room "lobby"');
  await group.idle();
  assertEquals(failures, []);
  assertEquals(await textsOf(log, "lobby"), ["1", "2"]);
});

Deno.test("GroupCommit splits at the bytes of an atomic", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log, group, commits, failures } = createCommits(kv);
  // 30 rooms of 60,000 bytes: 13 of them fit into 819,200.
  const rooms = numbers(30);
  for (const room of rooms) group.add(sized(room, room, 60_000));
  await group.idle();
  assertEquals(failures, []);
  assertEquals(commits.map(({ batch }) => batch.size), [13, 13, 4]);
  for (const room of rooms) assertEquals(await textsOf(log, room), [room]);
});

Deno.test("GroupCommit makes no atomic that KV refuses, with sizes around the limit", async () => {
  using kv = await Deno.openKv(":memory:");
  const { group, commits, failures } = createCommits(kv);
  // With 12 rooms of 65,000 bytes an atomic has about 36,000 left.
  for (let last = 30_000; last < 42_000; last += 499) {
    for (let room = 0; room < 12; room++) group.add(sized(`room-${room}`, "x", 65_000));
    group.add(sized("last", "x", last));
    await group.idle();
  }
  assertEquals(failures, []);
  const together = commits.filter(({ batch }) => batch.size === 13).length;
  assert(together > 10 && together < 15, `${together} atomics took all 13 rooms`);
});

Deno.test("GroupCommit splits at the bytes of an atomic's keys", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log, group, commits, failures } = createCommits(kv);
  const rooms = numbers(1200).map((number) => number.padStart(64, "r"));
  for (const room of rooms) group.add({ room, line: storedLine({ text: "x" }), id: "x" });
  await group.idle();
  assertEquals(failures, []);
  assertEquals(commits.reduce((sum, { batch }) => sum + batch.size, 0), 1200);
  assert(commits[0].batch.size < 498, "the keys are the limit here, not the mutations");
  assert(commits[0].batch.size > 440, "no room is given away");
  for (const room of [rooms[0], rooms[457], rooms[1199]]) {
    assertEquals(await textsOf(log, room), ["x"]);
  }
});

Deno.test("GroupCommit splits at 1,000 mutations", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log, group, commits, failures } = createCommits(kv);
  for (const room of numbers(1100)) group.add({ room, line: storedLine({ text: room }), id: room });
  await group.idle();
  assertEquals(failures, []);
  assertEquals(commits.map(({ batch }) => batch.size), [498, 498, 104]);
  for (const room of ["0", "497", "498", "1099"]) assertEquals(await textsOf(log, room), [room]);
});

Deno.test("GroupCommit lets a room with much to store starve no other", async () => {
  using kv = await Deno.openKv(":memory:");
  const { group, commits } = createCommits(kv);
  const texts = numbers(40);
  for (const text of texts) group.add(sized("busy", text, 60_000));
  for (const room of numbers(26)) group.add(sized(room, "x", 60_000));
  await group.idle();
  const first = commits.findIndex(({ batch }) => batch.has("25"));
  assert(first <= 2, `the last quiet room waited for ${first} commits`);
  const busy = commits.flatMap(({ batch }) => batch.get("busy") ?? []);
  const said = busy.map(({ line }) => JSON.parse(line.text).text);
  assertEquals(said, texts);
});

Deno.test("GroupCommit.add() takes no more than 32 MiB while storage hangs", async () => {
  const hangs = Promise.withResolvers<string>();
  const group = new GroupCommit<Append>({
    limits: LIMITS,
    write: () => hangs.promise,
    onCommit: () => {},
    onFailure: () => {},
  });
  const append = sized("lobby", "x", KV_LIMITS.valueBytes);
  let taken = 0;
  while (taken < 1000 && group.add(append)) taken++;
  assertEquals(taken, 512);
  assertFalse(group.add({ room: "other", line: storedLine({ text: "x" }), id: "x" }));
  hangs.resolve("1");
  await group.idle();
  assert(group.add(append), "there is room again");
  await group.idle();
});

Deno.test("GroupCommit.idle() resolves at once where nothing was added", async () => {
  const group = new GroupCommit<Append>({
    limits: LIMITS,
    write: () => Promise.resolve(""),
    onCommit: () => {},
    onFailure: () => {},
  });
  await group.idle();
});

Deno.test("GroupCommit stores together what comes while the last batch goes out", async () => {
  const out = Promise.withResolvers<void>();
  const batches: string[][] = [];
  let drains = 0;
  const commits = new GroupCommit<Append>({
    limits: LIMITS,
    write: () => Promise.resolve("v"),
    onCommit: (_versionstamp, appends) => {
      batches.push([...appends.values()].flat().map(({ line }) => line.text));
    },
    onFailure() {},
    drained: () => drains++ === 0 ? out.promise : Promise.resolve(),
  });
  const add = async (text: string) => {
    commits.add({ room: "lobby", line: entryLine(text), id: text });
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  await add("1");
  assertEquals(batches, [["1"]], "the first one waits for nothing");
  await add("2");
  await add("3");
  assertEquals(batches, [["1"]]);
  out.resolve();
  await commits.idle();
  assertEquals(batches, [["1"], ["2", "3"]]);
});

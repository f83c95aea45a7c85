import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvRoomLog } from "@hubbub/hub";
import { UnreadCounts } from "../../src/hub/unread_counts.ts";
import { type OverviewRead, readOverview } from "../../src/hub/user_overview.ts";
import { fill, numbers } from "../helpers/stored_lines.ts";

const BOB = { user: "bob" };
const START = "0".repeat(16);

/** Counts how often messages of a log are read forward. */
function countReads(log: KvRoomLog): { reads: number } {
  const counted = { reads: 0 };
  const after = log.after.bind(log);
  log.after = (...args) => {
    counted.reads++;
    return after(...args);
  };
  return counted;
}

Deno.test("UnreadCounts counts once for all who ask the same, and again when it has changed", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const commits = await fill(log, "lobby", { texts: numbers(20), perEntry: 1 });
  const counted = countReads(log);
  const counts = new UnreadCounts(log);
  let head = await log.head("lobby");
  const ask = (mark: string) => counts.count("lobby", { head, mark }, BOB);
  const all = await Promise.all(numbers(100).map(() => ask(START)));
  assertEquals(new Set(all.map(({ unread }) => unread)), new Set([20]));
  assertEquals(await ask(START), { unread: 20, mentions: 0 });
  assertEquals(counted.reads, 1, "for a hundred connections");
  assertEquals(await ask(commits[4]), { unread: 15, mentions: 0 });
  assertEquals(await counts.count("lobby", { head, mark: START }, { user: "eve" }), all[0]);
  assertEquals(counted.reads, 3, "another mark, another user");
  await fill(log, "lobby", { texts: ["@bob, more"], perEntry: 1 });
  head = await log.head("lobby");
  assertEquals(await ask(START), { unread: 21, mentions: 1 });
  assertEquals([await ask(head.slice(0, 16)), counted.reads], [{ unread: 0, mentions: 0 }, 4]);
});

Deno.test("UnreadCounts keeps no failure, and pauses behind long counts until it is closed", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const long = "x".repeat(4_000);
  for (const room of ["a", "b", "c"]) {
    await fill(log, room, { texts: numbers(80).map(() => long), perEntry: 8 });
  }
  const counts = new UnreadCounts(log);
  const ask = async (room: string) => {
    return (await counts.count(room, { head: await log.head(room), mark: START }, BOB)).unread;
  };
  const { after } = log;
  log.after = () => Promise.reject(new Error("no answer"));
  await assertRejects(() => ask("a"), Error, "no answer");
  log.after = after;
  const found = Promise.all([ask("a"), ask("b"), ask("c")]);
  await Promise.all([ask("a"), ask("b")]);
  counts.close();
  for (const unread of await found) assert(unread >= 30, `${unread} in 256 KiB`);
});

Deno.test("readOverview() reads a few rooms in a turn, and ends where there is none", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const rooms = numbers(10).map((number) => `room-${number}`);
  for (const room of rooms) await fill(log, room, { texts: ["hello"], perEntry: 1 });
  const turns: OverviewRead[] = [];
  const options = {
    log,
    counts: new UnreadCounts(log),
    reader: BOB,
    marks: new Map(rooms.map((room) => [room, START])),
    isOpen: () => Promise.resolve(true),
    limit: 10,
  };
  const overview = await readOverview({
    ...options,
    inTurn: (what, read) => {
      turns.push(what);
      return read();
    },
  });
  assertEquals(overview.rooms.map(({ unread }) => unread), new Array(10).fill(1));
  assertEquals(turns, [{ heads: 10 }, { rooms: 4 }, { rooms: 4 }, { rooms: 2 }]);
  const inTurn = () => Promise.reject(new Error("The server is stopping"));
  await assertRejects(() => readOverview({ ...options, inTurn }), Error, "stopping");
});

Deno.test("readOverview() asks where many rooms end a hundred at a time, whatever the page", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const turns: OverviewRead[] = [];
  await readOverview({
    log,
    counts: new UnreadCounts(log),
    reader: BOB,
    marks: new Map(numbers(250).map((number) => [`room-${number}`, START])),
    isOpen: () => Promise.resolve(true),
    limit: 1,
    inTurn: (what, read) => {
      turns.push(what);
      return read();
    },
  });
  assertEquals(turns.map(({ heads }) => heads), [100, 100, 50, undefined]);
});

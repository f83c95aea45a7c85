// Databases in which something is not as it should be, and those of the form before 0.1.0.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { KvRoomLog, type StoreEvent } from "@hubbub/hub";
import { mock } from "node:test";
import { commitOf, cursorAt, isCursor, ORIGIN, tagOf } from "../../src/store/cursor.ts";
import { joinLines } from "../../src/store/entry.ts";
import { readLog } from "../helpers/log_run.ts";
import { eventually } from "../helpers/patience.ts";
import { Random } from "../helpers/random.ts";
import { textsOf } from "../helpers/room_log_contract.ts";
import { numbers, storedEntry, storedLine } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { pause } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";

const SENT_AT = "2026-01-02T03:04:05.678Z";

/** Writes an entry as versions before 0.1.0 did, and returns its commit. */
async function appendOld(kv: Deno.Kv, room: string, lines: readonly object[]): Promise<string> {
  const bytes = new TextEncoder().encode(lines.map((line) => JSON.stringify(line)).join("\n"));
  const result = await kv.atomic()
    .set(["rooms", room, "log", kv.commitVersionstamp()], bytes)
    .set(["rooms", room, "head"], lines.length)
    .set(["bells", room.length % 10], true)
    .commit();
  assert(result.ok);
  return result.versionstamp;
}

/** A database of the form before 0.1.0: three messages, one that repeats the first, one more. */
async function createOld(kv: Deno.Kv): Promise<{ commits: string[] }> {
  const message = (text: string, ref?: string) => {
    return { id: `id of ${text}`, user: "ann", text, sent_at: SENT_AT, ref };
  };
  const first = await appendOld(kv, "lobby", [message("a", "1"), message("b")]);
  const repeats = { room: "lobby", cursor: `${first}0000`, ...message("a", "1") };
  const second = await appendOld(kv, "lobby", [
    message("c"),
    { struck: "id of a again", repeats },
  ]);
  await appendOld(kv, "quiet", [message("alone")]);
  return { commits: [first, second] };
}

Deno.test("a database of the form before 0.1.0 is read as it is", async () => {
  using kv = await Deno.openKv(":memory:");
  const { commits: [first, second] } = await createOld(kv);
  const log = new KvRoomLog(kv);
  const events: StoreEvent[] = [];
  const detach = log.attach((event) => void events.push(event));
  const records = await log.after("lobby", ORIGIN, { limit: 9 });
  assertEquals(records.map(({ id }) => id), ["id of a", "id of b", "id of c", "id of a again"]);
  assertEquals(records[3].repeats, cursorAt(first, 0, tagOf("id of a")));
  assertEquals([records[3].user, records[3].ref, records[3].sentAt], ["ann", "1", SENT_AT]);
  assertEquals(textsOf(await log.last("lobby", { limit: 9, shownOnly: true })), ["a", "b", "c"]);
  const head = cursorAt(second, 1, tagOf("id of a again"));
  assertEquals(await log.head("lobby"), head);
  assertEquals(await log.heads(["lobby", "nowhere", "quiet"]), [
    head,
    ORIGIN,
    (await log.last("quiet", { limit: 1 }))[0].cursor,
  ]);
  assertEquals(await log.rooms({ limit: 9 }), ["lobby", "quiet"]);
  for (const { cursor } of records) assert(isCursor(cursor) && await log.has("lobby", cursor));
  assertEquals(events, []);
  detach();
});

Deno.test("a hub goes on with a database of the form before 0.1.0", async () => {
  using kv = await Deno.openKv(":memory:");
  const { commits: [first] } = await createOld(kv);
  const { hub, events } = createTestHub(kv, { alone: false, now: () => Date.parse(SENT_AT) });
  const bob = new TestMember("bob");
  await hub.join("lobby", bob).joined;
  assertEquals(bob.said, ["a", "b", "c"]);
  // What clients remember of it has another form: they are told so.
  const cid = new TestMember("cid");
  await hub.join("lobby", cid, { after: `${first}0000` }).joined;
  assertEquals([cid.joined.recovered, cid.said], [false, ["a", "b", "c"]]);
  assertEquals((await hub.publish("lobby", "ann", { text: "a", ref: "1" })).status, "duplicate");
  await hub.publish("lobby", "ann", { text: "d" });
  await hub.publish("quiet", "ann", { text: "not alone" });
  await bob.until(({ said }) => said.includes("d"));
  assertEquals((await readLog(hub.log, "quiet")).map(({ text }) => text), ["alone", "not alone"]);
  assertEquals(events.filter(({ level }) => level === "error"), []);
  await hub.drain();
});

Deno.test("retention deletes messages of the form before 0.1.0", async () => {
  using kv = await Deno.openKv(":memory:");
  await createOld(kv);
  let now = Date.parse(SENT_AT) + 3_600_000;
  const clocks = { now: () => now, elapsed: () => now };
  const log = new KvRoomLog(kv, { ...clocks, retentionMs: 60_000 });
  assertEquals(await log.last("lobby", { limit: 9 }), []);
  await log.sweep("lobby");
  now += 3_600_001;
  await log.sweep("lobby");
  assertEquals(await new KvRoomLog(kv).after("lobby", ORIGIN, { limit: 9 }), []);
});

/** Values that nobody of ours wrote. */
const FOREIGN: readonly unknown[] = [
  null,
  undefined,
  7,
  -1,
  NaN,
  "text",
  true,
  {},
  [],
  [1],
  [1, 2, 3],
  [-1, 5],
  [0.5, 5],
  ["0", "1"],
  [0, -1],
  [5_000, 1],
  new Deno.KvU64(3n),
  new Uint8Array(3),
  new Map(),
];

Deno.test("a head that is none does not matter", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  await log.append(new Map([["lobby", storedEntry(["a", "b"])]]));
  const head = await log.head("lobby");
  for (const value of FOREIGN) {
    await kv.set(["rooms", "lobby", "head"], value);
    assertEquals(await log.head("lobby"), head, String(value));
  }
});

Deno.test("a hub whose heads and feed were damaged or deleted goes on, and disconnects nobody", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, events } = createTestHub(kv, { alone: false });
  const other = createTestHub(kv, { alone: false });
  const bob = new TestMember("bob");
  await hub.join("lobby", bob).joined;
  const expected: string[] = [];
  const say = async (text: string) => {
    expected.push(text);
    await other.hub.publish("lobby", "ann", { text });
    await bob.until(({ said }) => said.includes(text));
  };
  await say("first");
  for (const [index, value] of [...FOREIGN, "gone"].entries()) {
    for await (const { key } of kv.list({ prefix: ["feed"] })) {
      await (value === "gone" ? kv.delete(key) : kv.set(key, value));
    }
    await kv.set(["feed", "of somebody else"], value);
    if (value === "gone") await kv.delete(["rooms", "lobby", "head"]);
    else await kv.set(["rooms", "lobby", "head"], value);
    await say(`after ${index}`);
  }
  assertEquals(bob.said, expected);
  assertEquals(bob.closes, []);
  assertEquals(hub.metrics.storeWentBack, 0);
  assertEquals(events.filter(({ event }) => event !== "joined" && event !== "left"), []);
  await hub.drain();
  await other.hub.drain();
});

Deno.test("values and keys of others among a room's entries are passed over, and reported", async () => {
  using kv = await Deno.openKv(":memory:");
  let now = Date.parse(SENT_AT);
  const options = { now: () => now, elapsed: () => now };
  for (const retentionMs of [undefined, 60_000]) {
    const room = `room${retentionMs}`;
    const log = new KvRoomLog(kv, { ...options, retentionMs });
    const events: StoreEvent[] = [];
    const detach = log.attach((event) => void events.push(event));
    const at = (text: string) => {
      const line = storedLine({ text, sent_at: new Date(now).toISOString() });
      return joinLines([line], `id of ${text}`);
    };
    await log.append(new Map([[room, at("a")]]));
    const prefix = ["rooms", room, "log"];
    for (const value of FOREIGN) {
      await kv.atomic().set([...prefix, kv.commitVersionstamp()], value).commit();
    }
    for (const key of ["x", "~", 5, true, new Uint8Array(2), `${"0".repeat(19)}G`]) {
      await kv.set([...prefix, key], at("not ours").bytes);
    }
    await log.append(new Map([[room, at("b")]]));
    for (
      const read of [
        await log.last(room, { limit: 9 }),
        await log.after(room, ORIGIN, { limit: 9 }),
        await log.before(room, "z".repeat(ORIGIN.length), { limit: 9 }),
      ]
    ) assertEquals(textsOf(read), ["a", "b"]);
    assert(events.length >= FOREIGN.length);
    assert(events.every(({ type }) => type === "record_damaged"));
    now += 30_000;
    assertEquals(textsOf(await log.last(room, { limit: 9 })), ["a", "b"]);
    detach();
  }
});

Deno.test("keys of an application below `rooms` are nobody's room", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  for (const part of [1, 2n, true, new Uint8Array(2)]) await kv.set(["rooms", part, "x"], 1);
  await log.append(new Map([["lobby", storedEntry(["a"])], ["z", storedEntry(["a"])]]));
  assertEquals(await log.rooms({ limit: 9 }), ["lobby", "z"]);
  assertEquals(await log.rooms({ limit: 9, after: "z" }), []);
});

Deno.test("one flipped bit of an entry costs its line at most, and never what others are sent", async () => {
  using kv = await Deno.openKv(":memory:");
  const random = new Random(1);
  const lines = numbers(5).map((text) => storedLine({ text, h: "01234567", ref: text } as never));
  const entry = joinLines(lines, "id of 4");
  const { bytes } = entry;
  for (let round = 0; round < 120; round++) {
    const room = `room${round}`;
    const log = new KvRoomLog(kv);
    const commit = await log.append(new Map([[room, entry]]));
    const flipped = bytes.slice();
    flipped[random.below(bytes.length)] ^= 1 << random.below(8);
    await kv.set(["rooms", room, "log", commit], flipped);
    const records = await log.last(room, { limit: 99 });
    assert(records.length >= 3, `${records.length} records`);
    for (const { envelope, cursor } of records) {
      const { type, payload } = JSON.parse(envelope);
      assertEquals([type, payload.cursor, payload.room], ["chat_message", cursor, room]);
      assert(isCursor(cursor) && commitOf(cursor) === commit);
    }
  }
});

Deno.test("a lease of another form is taken", async () => {
  for (const value of FOREIGN) {
    using kv = await Deno.openKv(":memory:");
    await kv.set(["lease", "sweep"], value);
    let now = Date.parse(SENT_AT);
    const clocks = { now: () => now, elapsed: () => now };
    const timers = mock.timers;
    timers.enable({ apis: ["setTimeout"] });
    const log = new KvRoomLog(kv, { ...clocks, retentionMs: 60_000 });
    const events: StoreEvent[] = [];
    try {
      const detach = log.attach((event) => void events.push(event));
      await log.append(new Map([["lobby", storedEntry(["a"])]]));
      now += 3_600_000;
      timers.tick(11 * 60_000);
      timers.reset();
      await eventually(async () => {
        const lease = (await kv.get<{ holder?: string }>(["lease", "sweep"])).value;
        return typeof lease?.holder === "string";
      }, () => `the lease: ${value}`);
      detach();
    } finally {
      timers.reset();
    }
    assertFalse(events.some(({ type }) => type === "store_sweep_failed"), JSON.stringify(events));
  }
  await pause(0);
});

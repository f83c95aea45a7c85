// What a commit leaves to be done is done, whoever dies in between.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvRoomLog, type StoreEvent } from "@hubbub/hub";
import { ROOM_DELETED, type StoredControl, USER_ERASED } from "../../src/store/change.ts";
import { ORIGIN } from "../../src/store/cursor.ts";
import { KvPlaces } from "../../src/store/kv/kv_places.ts";
import { KvKeys } from "../../src/store/kv/keys.ts";
import { KvChanges } from "../../src/store/kv/kv_changes.ts";
import { KvExpiry } from "../../src/store/kv/kv_expiry.ts";
import { KvHandle } from "../../src/store/kv/kv_handle.ts";
import { KvRoomMeta } from "../../src/store/kv/kv_room_meta.ts";
import { createKvUpkeep } from "../../src/store/kv/kv_upkeep.ts";
import { SteadyClock } from "../../src/store/steady_clock.ts";
import { storedChange, withChanges } from "../helpers/change_contract.ts";
import { textsOf } from "../helpers/room_log_contract.ts";
import { fill, numbers, storedEntry } from "../helpers/stored_lines.ts";

const MINUTE = 60_000;
const keys = new KvKeys([]);

/** The upkeep of one more isolate over a database. */
function upkeepOf(kv: Deno.Kv) {
  const events: StoreEvent[] = [];
  const onEvent = (event: StoreEvent) => void events.push(event);
  const fenceKey = keys.fence(crypto.randomUUID());
  const handle = new KvHandle(kv, { timeoutMs: 10_000, fenceKey, onEvent });
  const elapsed = () => performance.now();
  const clock = new SteadyClock(Date.now, elapsed);
  const meta = new KvRoomMeta({ handle, keys });
  const expiry = new KvExpiry({ handle, keys, meta, clock, retentionMs: undefined });
  const places = new KvPlaces({ handle, keys, expiry, meta });
  const changes = new KvChanges({ handle, keys, expiry, meta, places, onDamaged: () => {} });
  const rooms = () => Promise.resolve([]);
  const parts = { handle, keys, meta, expiry, changes, clock, elapsed, rooms, onEvent };
  return createKvUpkeep({ ...parts, file: undefined });
}

async function say(log: KvRoomLog, name: string, value: StoredControl["value"] = null) {
  const control: StoredControl = {
    id: crypto.randomUUID(),
    user: "",
    at: 1,
    kind: "control",
    name,
    value,
  };
  await log.append(new Map([["lobby", withChanges([control])]]));
}

/** Makes all tasks as old as that, and left alone since. */
async function age(kv: Deno.Kv, ms: number): Promise<void> {
  const listed = kv.list<{ since: number }>({ prefix: keys.tasks });
  for await (const { key, value } of listed) {
    await kv.set(key, { ...value, since: Date.now() - ms, at: Date.now() - ms });
  }
}

/** A database whose commits fail from the so-manieth on, as if the isolate had died there. */
function dyingAfter(kv: Deno.Kv, commits: number): Deno.Kv {
  let left = commits;
  return new Proxy(kv, {
    get(target, name) {
      if ((name === "atomic" || name === "set" || name === "delete") && left-- <= 0) {
        throw new Error("The isolate has died");
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function countKeys(kv: Deno.Kv, prefix: Deno.KvKey): Promise<number> {
  return (await Array.fromAsync(kv.list({ prefix }))).length;
}

Deno.test("what a deleted room leaves goes, at whichever step its isolate dies", async () => {
  for (const commits of [0, 1, 2, 3, 5]) {
    using kv = await Deno.openKv(":memory:");
    const log = new KvRoomLog(kv);
    await fill(log, "lobby", { texts: numbers(900), perEntry: 1 });
    const [{ cursor: message }] = await log.last("lobby", { limit: 1 });
    const edit = storedChange(message, { kind: "edit", text: "secret" });
    await log.append(new Map([["lobby", withChanges([edit])]]));
    await say(log, "ban:bob", { at: 1 });
    await say(log, ROOM_DELETED);
    const dying = upkeepOf(dyingAfter(kv, commits));
    const name = { kind: "clear", room: "lobby", user: "" } as const;
    await assertRejects(() => dying.tasks.run(name), Error, "died");
    assertEquals(await log.last("lobby", { limit: 9 }), [], "nobody reads it meanwhile");
    await log.append(new Map([["lobby", storedEntry(["new"])]]));
    const next = upkeepOf(kv);
    assertEquals(await next.tasks.tick(), 0, "somebody may be at it");
    await age(kv, 31_000);
    assertEquals(await next.tasks.tick(), 1);
    for (const prefix of [keys.state("lobby"), keys.edits("lobby"), keys.controls("lobby")]) {
      assertEquals(await countKeys(kv, prefix), 0, String(prefix));
    }
    assertEquals(await countKeys(kv, keys.log("lobby")), 1);
    // Who had not heard of the deletion writes once more about what was there.
    const late = storedChange(message, { kind: "edit", text: "late secret" });
    await log.append(new Map([["lobby", withChanges([late])]]));
    assertEquals(await countKeys(kv, keys.tasks), 1, "it is looked for");
    await age(kv, 2 * MINUTE);
    assertEquals(await next.tasks.tick(), 1);
    assertEquals(await countKeys(kv, keys.state("lobby")), 0);
    assertEquals(await countKeys(kv, keys.tasks), 0, "it is done");
    assertEquals(textsOf(await log.after("lobby", ORIGIN, { limit: 9 })), ["new"]);
  }
});

Deno.test("the erasing of a user goes on, at whichever step its isolate dies", async () => {
  for (const commits of [0, 1, 4, 40, 90]) {
    using kv = await Deno.openKv(":memory:");
    const log = new KvRoomLog(kv);
    await fill(log, "lobby", { texts: numbers(130), perEntry: 1 });
    await say(log, USER_ERASED, { user: "ann" });
    const dying = upkeepOf(dyingAfter(kv, commits));
    const name = { kind: "erase_user", room: "lobby", user: "ann" } as const;
    await assertRejects(() => dying.tasks.run(name), Error, "died");
    const next = upkeepOf(kv);
    await age(kv, 31_000);
    assertEquals(await next.tasks.tick(), 1);
    const records = await log.after("lobby", ORIGIN, { limit: Infinity });
    assertEquals(records.length, 130);
    assert(records.every(({ isErased }) => isErased), `after ${commits}`);
    assertEquals((await log.meta("lobby")).erasing.size, 1, "reads that began before still know");
    await age(kv, 2 * MINUTE);
    await next.tasks.tick();
    assertEquals((await log.meta("lobby")).erasing.size, 0);
    assertEquals(await countKeys(kv, keys.tasks), 0);
  }
});

Deno.test("two isolates at one task do not undo each other's work", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  await fill(log, "lobby", { texts: numbers(300), perEntry: 2 });
  await say(log, ROOM_DELETED);
  await age(kv, 2 * MINUTE);
  const isolates = [upkeepOf(kv), upkeepOf(kv), upkeepOf(kv)];
  await Promise.all(isolates.map(({ tasks }) => tasks.tick()));
  assertEquals(await countKeys(kv, keys.log("lobby")), 0);
  await age(kv, 2 * MINUTE);
  for (const { tasks } of isolates) await tasks.tick();
  assertEquals(await countKeys(kv, keys.tasks), 0);
});

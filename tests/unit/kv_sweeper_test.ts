import { assert, assertEquals, assertRejects } from "@std/assert";
import { KvRoomLog, type StoreEvent } from "@hubbub/hub";
import { joinLines } from "../../src/store/entry.ts";
import { KvKeys } from "../../src/store/kv/keys.ts";
import { KvExpiry } from "../../src/store/kv/kv_expiry.ts";
import { KvHandle } from "../../src/store/kv/kv_handle.ts";
import { KvRoomMeta } from "../../src/store/kv/kv_room_meta.ts";
import { KvSweeper } from "../../src/store/kv/kv_sweeper.ts";
import { SteadyClock } from "../../src/store/steady_clock.ts";
import { numbers, storedLine } from "../helpers/stored_lines.ts";

const MINUTE = 60_000;
const RETENTION_MS = 30 * MINUTE;
const ROOMS = numbers(5).map((number) => `room${number}`);

/** One isolate's sweeper, and what it did. */
interface Isolate {
  readonly sweeper: KvSweeper;
  /** How many times it began to pass over all rooms. */
  passes: number;
  /** What it throws in place of listing the rooms, once. */
  failure?: Error;
  readonly events: StoreEvent[];
}

/** Several isolates on one database, with clocks that the test sets. */
class Sweep implements Disposable {
  now = Date.parse("2026-01-01T00:00:00.000Z");
  readonly isolates: readonly Isolate[];
  readonly log: KvRoomLog;

  constructor(readonly kv: Deno.Kv, count: number) {
    this.log = new KvRoomLog(kv, { now: () => this.now, elapsed: () => this.now });
    this.isolates = Array.from({ length: count }, () => this.#isolate());
  }

  #isolate(): Isolate {
    const keys = new KvKeys([]);
    const onEvent = (event: StoreEvent) => isolate.events.push(event);
    const fenceKey = keys.fence(crypto.randomUUID());
    const handle = new KvHandle(this.kv, { timeoutMs: 10_000, fenceKey, onEvent });
    const clock = new SteadyClock(() => this.now, () => this.now);
    const meta = new KvRoomMeta({ handle, keys });
    const expiry = new KvExpiry({ handle, keys, meta, clock, retentionMs: RETENTION_MS });
    const rooms = async (options: { limit: number; after?: string }) => {
      if (options.after === undefined) isolate.passes++;
      const { failure } = isolate;
      isolate.failure = undefined;
      if (failure) throw failure;
      return await this.log.rooms(options);
    };
    const sweeper = new KvSweeper({ handle, keys, expiry, clock, rooms, onEvent });
    const isolate: Isolate = { sweeper, passes: 0, events: [] };
    sweeper.start();
    return isolate;
  }

  /** Stores one message in each room, too old half an hour later. */
  async fill(text: string): Promise<void> {
    const line = storedLine({ text, sent_at: new Date(this.now).toISOString() });
    const entry = joinLines([line], `id of ${text}`);
    await this.log.append(new Map(ROOMS.map((room) => [room, entry])));
  }

  /** Lets time pass; every ten minutes these isolates see what is due, all at the same time. */
  async pass(minutes: number, isolates: readonly Isolate[] = this.isolates): Promise<void> {
    for (let passed = 0; passed < minutes; passed += 10) {
      this.now += 10 * MINUTE;
      await Promise.all(isolates.map(({ sweeper }) => sweeper.tick()));
    }
  }

  /** How many messages are in the file, expired or not. */
  async stored(): Promise<number> {
    const counts = ROOMS.map(async (room) => {
      return (await this.log.last(room, { limit: 99 })).length;
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  /** By isolate, how many times it passed over all rooms. */
  get passes(): number[] {
    return this.isolates.map(({ passes }) => passes);
  }

  /** By isolate, the messages that it deleted. */
  get deleted(): number[] {
    return this.isolates.map(({ events }) =>
      events.reduce((sum, event) => sum + (event.type === "store_swept" ? event.entries : 0), 0)
    );
  }

  [Symbol.dispose](): void {
    for (const { sweeper } of this.isolates) sweeper.stop();
  }
}

Deno.test("one isolate of three passes over all rooms, once a day", async () => {
  using kv = await Deno.openKv(":memory:");
  using sweep = new Sweep(kv, 3);
  await sweep.fill("a");
  sweep.now += RETENTION_MS + 1;
  await sweep.pass(10);
  assertEquals(sweep.passes.toSorted(), [0, 0, 1]);
  assertEquals(await sweep.stored(), 5, "the first look deletes nothing");
  await sweep.pass(50);
  assertEquals(await sweep.stored(), 5, "an hour has not passed");
  await sweep.pass(10);
  assertEquals(await sweep.stored(), 0);
  assertEquals(sweep.deleted.toSorted(), [0, 0, 5], "the one that looked first");
  await sweep.fill("b");
  await sweep.pass(23 * 60);
  assertEquals(sweep.passes.toSorted(), [0, 0, 1], "the day is not over");
  assertEquals(await sweep.stored(), 5);
  await sweep.pass(3 * 60);
  assertEquals(sweep.passes.reduce((sum, passes) => sum + passes), 2);
  assertEquals(await sweep.stored(), 0);
});

Deno.test("a pass goes over to another isolate within half an hour of a death", async () => {
  using kv = await Deno.openKv(":memory:");
  using sweep = new Sweep(kv, 3);
  await sweep.fill("a");
  sweep.now += RETENTION_MS + 1;
  await sweep.pass(10);
  const dead = sweep.isolates.find(({ passes }) => passes === 1)!;
  dead.sweeper.stop();
  const alive = sweep.isolates.filter((isolate) => isolate !== dead);
  await sweep.pass(20, alive);
  assertEquals(sweep.passes.reduce((sum, passes) => sum + passes), 1, "it may still live");
  await sweep.pass(20, alive);
  assertEquals(alive.map(({ passes }) => passes).toSorted(), [0, 1]);
  await sweep.pass(40, alive);
  assertEquals(await sweep.stored(), 5, "looks of the dead do not count");
  await sweep.pass(30, alive);
  assertEquals(await sweep.stored(), 0);
});

Deno.test("an isolate that was away does not go on with a pass that another has begun", async () => {
  using kv = await Deno.openKv(":memory:");
  using sweep = new Sweep(kv, 2);
  const [away, other] = sweep.isolates;
  await sweep.fill("a");
  sweep.now += RETENTION_MS + 1;
  await sweep.pass(10, [away]);
  await sweep.pass(40, [other]);
  assertEquals(sweep.passes, [1, 1]);
  await sweep.pass(40, [away, other]);
  assertEquals(await sweep.stored(), 5, "its first look is no longer good for anything");
  await sweep.pass(30, [away, other]);
  assertEquals(await sweep.stored(), 0);
  assertEquals([sweep.passes, sweep.deleted], [[1, 1], [0, 5]]);
});

Deno.test("a pass that failed is begun again at the next tick, by the same isolate", async () => {
  using kv = await Deno.openKv(":memory:");
  using sweep = new Sweep(kv, 2);
  const [one, two] = sweep.isolates;
  await sweep.fill("a");
  sweep.now += RETENTION_MS + 1;
  one.failure = new Error("the disk is tired");
  await assertRejects(() => one.sweeper.tick(), Error, "the disk is tired");
  await sweep.pass(10, [two, one]);
  assertEquals([one.passes, two.passes], [2, 0]);
  await sweep.pass(60, [two, one]);
  assertEquals(await sweep.stored(), 0);
  assertEquals(sweep.deleted, [5, 0]);
});

Deno.test("a lease of a clock that was far ahead holds nobody up", async () => {
  using kv = await Deno.openKv(":memory:");
  using sweep = new Sweep(kv, 1);
  const lease = { until: sweep.now + 30 * 24 * 60 * MINUTE, holder: "of a wrong clock" };
  await kv.set(new KvKeys([]).sweepLease, lease);
  await sweep.pass(10);
  assertEquals(sweep.passes, [1]);
  const { value } = await kv.get<{ until: number }>(new KvKeys([]).sweepLease);
  assert(value!.until < lease.until);
});

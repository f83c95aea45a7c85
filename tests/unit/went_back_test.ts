import { assert, assertEquals } from "@std/assert";
import { backup, DatabaseSync } from "node:sqlite";
import { Hub, KvRoomLog, type RoomLog } from "@hubbub/hub";
import { mock } from "node:test";
import { commitOf } from "../../src/store/cursor.ts";
import { joinLines } from "../../src/store/entry.ts";
import { readLog } from "../helpers/log_run.ts";
import { needs } from "../helpers/permissions.ts";
import { inFolder } from "../helpers/folder.ts";
import { injectFaults } from "../helpers/kv_faults.ts";
import { eventually } from "../helpers/patience.ts";
import { RestorableStore } from "../helpers/restorable_store.ts";
import { fill, numbers, storedLine } from "../helpers/stored_lines.ts";
import { createTestHub, linesOf } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";

/** A database file that can be put back to what it was, under the hubs that use it. */
class RestorableDatabase implements AsyncDisposable {
  readonly #folder: string;
  #kv: Deno.Kv;
  #count = 0;

  private constructor(folder: string, kv: Deno.Kv) {
    this.#folder = folder;
    this.#kv = kv;
  }

  static async open(): Promise<RestorableDatabase> {
    const folder = await Deno.makeTempDir();
    return new RestorableDatabase(folder, await Deno.openKv(`${folder}/0`));
  }

  /** The database as it is now. */
  get kv(): Deno.Kv {
    // What a hub holds on to is there under the same name, and another file.
    return new Proxy({} as Deno.Kv, {
      get: (_, name) => {
        const value = Reflect.get(this.#kv, name);
        return typeof value === "function" ? value.bind(this.#kv) : value;
      },
    });
  }

  get log(): RoomLog {
    return new KvRoomLog(this.kv);
  }

  /** Makes a backup, and returns what puts it back. */
  async backUp(): Promise<() => Promise<void>> {
    const path = `${this.#folder}/${this.#count}`;
    const copy = `${this.#folder}/${++this.#count}`;
    using database = new DatabaseSync(path);
    await backup(database, copy, { rate: -1 });
    return async () => {
      this.#kv.close();
      this.#kv = await Deno.openKv(copy);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kv.close();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function join(hub: Hub, user: string, after?: string) {
  const member = new TestMember(user);
  const subscription = hub.join("lobby", member, { after });
  await subscription.joined;
  return { member, subscription };
}

/** Puts a database back under a hub that nothing tells, and writes more into it than was taken away. */
async function overtake(folder: string) {
  const store = new RestorableStore(folder);
  const { hub } = createTestHub(await store.open(() => {}), { alone: false });
  const { member: bob } = await join(hub, "bob");
  await hub.publish("lobby", "ann", { text: "kept" });
  await store.backUp();
  for (const text of numbers(3)) await hub.publish("lobby", "ann", { text: `lost ${text}` });
  await bob.until(({ said }) => said.length === 4);
  // Nothing ends: the hub's watch tells nothing any more, and what comes next lies behind.
  await store.restore(false);
  const kv = await Deno.openKv(store.path());
  const log = new KvRoomLog(kv);
  const texts = numbers(60).map((text) => `new ${text}`);
  await fill(log, "lobby", { texts, perEntry: 1 });
  const end = async () => {
    await hub.drain();
    kv.close();
    store.close();
  };
  return { hub, bob, log, texts, [Symbol.asyncDispose]: end };
}

for (const alone of [true, false]) {
  const who = alone ? "A hub alone" : "A hub among others";
  Deno.test(`${who} notices that its database was put back`, needs("write"), async () => {
    await using database = await RestorableDatabase.open();
    const { hub, events } = createTestHub(database.kv, { alone });
    const { member: ann } = await join(hub, "ann");
    for (const text of numbers(3)) await hub.publish("lobby", "bob", { text });
    const restore = await database.backUp();
    for (const text of numbers(40, 3)) await hub.publish("lobby", "bob", { text });
    const seen = ann.messages.at(-1)!.cursor;
    await restore();
    const result = await hub.publish("lobby", "bob", { text: "after", ref: "1" });
    assertEquals(result.status, "stored", "it settles");
    assertEquals(ann.closes.map(({ code }) => code), [1011], "members are to come back");
    assert(events.some(({ event }) => event === "store_went_back"));
    assertEquals(hub.metrics.storeWentBack, 1);
    const log = await readLog(database.log, "lobby");
    assertEquals(log.map(({ text }) => text), ["0", "1", "2", "after"]);
    const { member: back } = await join(hub, "ann", seen);
    assertEquals([back.joined.recovered, back.messages], [false, log]);
    // It goes on as if nothing had been.
    const again = await hub.publish("lobby", "bob", { text: "after", ref: "1" });
    assertEquals(again.status, "duplicate");
    await hub.publish("lobby", "bob", { text: "last" });
    await back.until(({ said }) => said.includes("last"));
    assertEquals(hub.metrics.storeWentBack, 1);
    await hub.drain();
  });
}

Deno.test(
  "A database that was put back and has grown past it is noticed",
  needs("write"),
  async () => {
    await inFolder(async (folder) => {
      await using overtaken = await overtake(folder);
      const { hub, bob, log, texts } = overtaken;
      const seen = bob.messages.at(-1)!.cursor;
      assert((await log.last("lobby", { limit: 1 }))[0].cursor > seen);
      await bob.until(({ closes }) => closes.length > 0);
      assertEquals(bob.said, ["kept", "lost 0", "lost 1", "lost 2"], "and nothing after a gap");
      const { member: back } = await join(hub, "bob", seen);
      assertEquals([back.joined.recovered, back.said], [false, texts.slice(-10)]);
      assertEquals(hub.metrics.storeWentBack, 1);
    });
  },
);

Deno.test(
  "A cursor of a lost future is no place of what came instead",
  needs("write"),
  async () => {
    await using database = await RestorableDatabase.open();
    const first = createTestHub(database.kv);
    await first.hub.publish("lobby", "ann", { text: "kept" });
    const restore = await database.backUp();
    const lost: string[] = [];
    for (const text of numbers(30)) {
      const result = await first.hub.publish("lobby", "ann", { text });
      if (result.status === "stored") lost.push(result.record.cursor);
    }
    await first.hub.drain();
    await restore();
    const { hub } = createTestHub(database.kv);
    for (const text of numbers(60)) await hub.publish("lobby", "ann", { text: `new ${text}` });
    for (const cursor of lost) {
      const { member, subscription } = await join(hub, "bob", cursor);
      assertEquals(member.joined.recovered, false, cursor);
      subscription.leave();
    }
    await hub.drain();
  },
);

Deno.test(
  "a commit that went down with the database is no stored message",
  needs("write"),
  async () => {
    await inFolder(async (folder) => {
      const store = new RestorableStore(folder);
      let faults: ReturnType<typeof injectFaults> | undefined;
      const kv = await store.open((kv) => void (faults ??= injectFaults(kv)));
      const { hub, events } = createTestHub(kv, { alone: false });
      const { member: bob } = await join(hub, "bob");
      await hub.publish("lobby", "ann", { text: "kept" });
      await bob.until(({ said }) => said.length === 1);
      await store.backUp();
      // It is written, and put back before that was answered: what the room has seen still stands.
      faults!.commit = async (commit) => {
        const result = await commit();
        await store.restore(false);
        return result;
      };
      const result = await hub.publish("lobby", "ann", { text: "lost", ref: "1" });
      assert(result.status === "refused" && result.problem.code === "not_stored", result.status);
      assertEquals(bob.said, ["kept"]);
      assertEquals(bob.closes.map(({ code }) => code), [1011], "members come back");
      const { member: back } = await join(hub, "bob", bob.messages.at(-1)!.cursor);
      assertEquals([back.joined.recovered, back.said], [true, []], "and miss nothing");
      const again = await hub.publish("lobby", "ann", { text: "again", ref: "1" });
      assertEquals(
        [again.status, hub.metrics.storeWentBack, back.closes],
        ["stored", 1, []],
        JSON.stringify([again, linesOf(events)]),
      );
      await back.until(({ said }) => said.includes("again"));
      assertEquals(hub.metrics.storeWentBack, 1);
      await hub.drain();
      store.close();
    });
  },
);

Deno.test(
  "who resumes from the new history makes a hub of the old one notice",
  needs("write"),
  async () => {
    await inFolder(async (folder) => {
      await using overtaken = await overtake(folder);
      const { hub, bob, log, texts } = overtaken;
      const records = await log.last("lobby", { limit: 60 });
      // Places before and behind where the hub stands, each of which is right for others.
      for (const at of [0, 30, 59]) {
        const { member } = await join(hub, "cid", records[at].cursor);
        const isTold = member.of("joined").length > 0;
        if (isTold && member.joined.recovered) assertEquals(member.said, texts.slice(at + 1));
        assertEquals(bob.said, ["kept", "lost 0", "lost 1", "lost 2"], "and nothing after a gap");
      }
      await bob.until(({ closes }) => closes.length > 0);
      assertEquals(hub.metrics.storeWentBack, 1);
    });
  },
);

Deno.test("a commit of another history has another mark, at the same place too", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const [first, second] = await fill(log, "lobby", { texts: ["a", "b"], perEntry: 1 });
  const reader = log.watch().getReader();
  assertEquals((await reader.read()).value, second);
  await kv.set(["feed", first], "0 lobby/0.1");
  assertEquals(await log.grownSince(first), undefined, "it is another one");
  assertEquals(await log.grownSince(first, second), undefined);
  const feed = await kv.get<string>(["feed", second]);
  await kv.set(["feed", second], `1${feed.value}`);
  assertEquals(await log.grownSince(second), undefined);
  await kv.set(["feed", second], feed.value);
  assertEquals((await log.grownSince(second))?.upTo, second);
  await reader.cancel();
  // A bell that another commit has rung at that place.
  mock.method(kv, "watch", () =>
    new ReadableStream({
      start(stream) {
        stream.enqueue([{ key: ["bell"], value: "another", versionstamp: second }]);
      },
    }));
  const again = log.watch().getReader();
  assertEquals((await again.read()).done, true, "it has to be watched anew");
});

for (const removal of ["retention", "the deletion of its room"]) {
  Deno.test(`a record that is gone by ${removal} is no database that was put back`, async () => {
    using kv = await Deno.openKv(":memory:");
    let now = Date.parse("2026-01-01T00:00:00.000Z");
    const clocks = { now: () => now, elapsed: () => now };
    const retentionMs = removal === "retention" ? 60_000 : undefined;
    const events: string[] = [];
    const hub = new Hub(new KvRoomLog(kv, { ...clocks, retentionMs }), {
      now: () => now,
      logger: (_, event) => void events.push(event),
    });
    const { member: bob } = await join(hub, "bob");
    await hub.publish("lobby", "ann", { text: "old" });
    await bob.until(({ said }) => said.length === 1);
    // The room stays open, and nothing is said for a long time.
    const other = new KvRoomLog(kv, { ...clocks, retentionMs });
    if (removal === "retention") {
      now += 60_001;
      await other.sweep("lobby");
      now += 61 * 60_000;
      await other.sweep("lobby");
    } else {
      await kv.delete(["rooms", "lobby", "log", commitOf(bob.messages[0].cursor)]);
      await kv.set(["rooms", "lobby", "meta", "from"], [0, 0]);
    }
    assertEquals(await other.last("lobby", { limit: 9 }), []);
    // All heads are looked at, and the log is read on, and a commit of its own is made.
    for await (const { key } of kv.list({ prefix: ["feed"] })) await kv.delete(key);
    const line = storedLine({ text: "young", sent_at: new Date(now).toISOString() });
    await other.append(new Map([["lobby", joinLines([line], "id of young")]]));
    await bob.until(({ said }) => said.length === 2);
    await hub.publish("lobby", "ann", { text: "own" });
    await eventually(() => bob.said.length === 3, "all of it");
    assertEquals([bob.said, bob.closes], [["old", "young", "own"], []]);
    assertEquals([hub.metrics.storeWentBack, events], [0, []]);
    await hub.drain();
  });
}

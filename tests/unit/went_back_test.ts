import { assert, assertEquals } from "@std/assert";
import { backup, DatabaseSync } from "node:sqlite";
import { type Hub, KvRoomLog, type RoomLog } from "@hubbub/hub";
import { readLog } from "../helpers/log_run.ts";
import { needs } from "../helpers/permissions.ts";
import { inFolder } from "../helpers/folder.ts";
import { RestorableStore } from "../helpers/restorable_store.ts";
import { numbers, storedEntry } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
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
      const store = new RestorableStore(folder);
      const { hub } = createTestHub(await store.open(() => {}), { alone: false });
      const { member: bob } = await join(hub, "bob");
      const { member: cid } = await join(hub, "cid");
      await hub.publish("lobby", "ann", { text: "kept" });
      await store.backUp();
      for (const text of numbers(3)) await hub.publish("lobby", "ann", { text: `lost ${text}` });
      await cid.until(({ said }) => said.length === 4);
      // Nothing ends: the hub's watch tells nothing any more, and what comes next lies behind.
      await store.restore(false);
      using kv = await Deno.openKv(store.path());
      const log = new KvRoomLog(kv);
      const texts = numbers(60).map((text) => `new ${text}`);
      for (const text of texts) await log.append(new Map([["lobby", storedEntry([text])]]));
      const seen = bob.messages.at(-1)!.cursor;
      assert((await log.last("lobby", { limit: 1 }))[0].cursor > seen);
      await bob.until(({ closes }) => closes.length > 0);
      assertEquals(bob.said, ["kept", "lost 0", "lost 1", "lost 2"], "and nothing after a gap");
      const { member: back } = await join(hub, "bob", seen);
      assertEquals([back.joined.recovered, back.said], [false, texts.slice(-10)]);
      assertEquals(hub.metrics.storeWentBack, 1);
      await hub.drain();
      store.close();
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

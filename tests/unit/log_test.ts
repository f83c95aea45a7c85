import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { KvRoomLog, type StoreEvent } from "@hubbub/hub";
import { NO_COMMIT, ORIGIN } from "../../src/store/cursor.ts";
import { joinLines } from "../../src/store/entry.ts";
import { KV_LIMITS } from "../../src/store/kv/limits.ts";
import { failOnce, injectFaults } from "../helpers/kv_faults.ts";
import { needs } from "../helpers/permissions.ts";
import { type TestDatabase, testRoomLog, textsOf } from "../helpers/room_log_contract.ts";
import { fill, numbers, storedEntry, storedLine } from "../helpers/stored_lines.ts";

testRoomLog("KvRoomLog in memory", async () => {
  const kv = await Deno.openKv(":memory:");
  return {
    open: (options) => new KvRoomLog(kv, options),
    [Symbol.asyncDispose]: () => Promise.resolve(kv.close()),
  };
});

testRoomLog("KvRoomLog under a prefix, fenced", async () => {
  const kv = await Deno.openKv(":memory:");
  return {
    open: (options) => {
      const reopen = () => Promise.reject(new Error("nothing timed out"));
      return new KvRoomLog(kv, { ...options, prefix: ["an application", 7n, true], reopen });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(kv.close()),
  };
});

if ((await Deno.permissions.query({ name: "write" })).state === "granted") {
  // Every store object has a connection of its own, as the isolates of a process have.
  testRoomLog("KvRoomLog on a file", async (): Promise<TestDatabase> => {
    const folder = await Deno.makeTempDir();
    const opened: Deno.Kv[] = [];
    return {
      open: async (options) => {
        const kv = await Deno.openKv(`${folder}/kv.sqlite3`);
        opened.push(kv);
        return new KvRoomLog(kv, options);
      },
      [Symbol.asyncDispose]: async () => {
        for (const kv of opened) kv.close();
        await Deno.remove(folder, { recursive: true });
      },
    };
  });
}

Deno.test("KvRoomLog.append() rejects with what KV rejects with, and nothing is stored", async () => {
  using kv = await Deno.openKv(":memory:");
  failOnce(injectFaults(kv), new TypeError("database or disk is full"));
  const log = new KvRoomLog(kv);
  const entries = new Map([["lobby", storedEntry(["a"])]]);
  await assertRejects(() => log.append(entries), TypeError, "database or disk is full");
  assertEquals(await log.last("lobby", { limit: 10 }), []);
  assertEquals(await log.head("lobby"), ORIGIN);
});

Deno.test("KvRoomLog.append() takes an entry of exactly a KV value, and not a byte more", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  assertEquals(log.entryMaxBytes, KV_LIMITS.valueBytes);
  const text = "x".repeat(KV_LIMITS.valueBytes - storedLine({ text: "", id: "1" }).length + 1);
  const more = joinLines([storedLine({ text, id: "1" })], "1");
  await assertRejects(() => log.append(new Map([["lobby", more]])), TypeError, "65536");
});

Deno.test("KvRoomLog keeps everything below its prefix, and leaves the rest alone", async () => {
  using kv = await Deno.openKv(":memory:");
  await kv.set(["rooms", "lobby", "log", "x"], "the application's");
  const log = new KvRoomLog(kv, { prefix: ["chat"] });
  const other = new KvRoomLog(kv, { prefix: ["chat 2"] });
  await fill(log, "lobby", { texts: ["a"], perEntry: 1 });
  await fill(other, "lobby", { texts: ["b"], perEntry: 1 });
  await log.probe(5_000);
  assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["a"]);
  assertEquals(textsOf(await other.last("lobby", { limit: 9 })), ["b"]);
  const first = new Set<Deno.KvKeyPart>();
  for await (const { key } of kv.list({ prefix: [] })) first.add(key[0]);
  assertEquals([...first].sort(), ["chat", "chat 2", "rooms"]);
  const prefix = ["p".repeat(1_100)];
  assertThrows(() => new KvRoomLog(kv, { prefix }), RangeError, "prefix of 1102 bytes");
});

Deno.test("KvRoomLog deletes its own feed, so that it stays short", async () => {
  using kv = await Deno.openKv(":memory:");
  const log = new KvRoomLog(kv);
  const commits = await fill(log, "lobby", { texts: numbers(1_100), perEntry: 1 });
  const feed: string[] = [];
  for await (const { key } of kv.list({ prefix: ["feed"] })) feed.push(String(key[1]));
  assertEquals(feed, commits.slice(-1_024));
  assertEquals(await log.grownSince(commits[0]), undefined);
  assertEquals(await log.grownSince(NO_COMMIT), undefined);
  assertEquals((await log.grownSince(commits[80]))?.upTo, commits.at(-1));
});

Deno.test("KvRoomLog.probe() fails where the database fails, and where it does not answer", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const log = new KvRoomLog(kv);
  await log.probe(5_000); // This one writes.
  faults.read = () => Promise.reject(new TypeError("disk I/O error"));
  await assertRejects(() => log.probe(5_000), TypeError, "disk I/O error");
  const { promise, resolve } = Promise.withResolvers<void>();
  faults.read = () => promise;
  await assertRejects(() => log.probe(10), Error, "did not answer within 10 ms: probe");
  resolve();
});

Deno.test("KvRoomLog.probe() writes now and then, so that a full disk shows", async () => {
  using kv = await Deno.openKv(":memory:");
  const set = kv.set.bind(kv);
  let [isFull, elapsed, writes] = [false, 0, 0];
  kv.set = (...args: Parameters<typeof set>) => {
    writes++;
    return isFull ? Promise.reject(new TypeError("database or disk is full")) : set(...args);
  };
  const log = new KvRoomLog(kv, { elapsed: () => elapsed });
  for (let i = 0; i < 5; i++) await log.probe(5_000);
  assertEquals(writes, 1);
  isFull = true;
  elapsed += 10_000;
  for (let i = 0; i < 2; i++) {
    await assertRejects(() => log.probe(5_000), TypeError, "disk is full");
  }
  isFull = false;
  await log.probe(5_000);
  await log.probe(5_000);
  assertEquals(writes, 4);
});

Deno.test(
  "KvRoomLog.probe() sees that the file was deleted or replaced",
  needs("write"),
  async () => {
    const folder = await Deno.makeTempDir();
    const file = `${folder}/kv.sqlite3`;
    const kv = await Deno.openKv(file);
    const log = new KvRoomLog(kv, { file });
    await log.probe(5_000);
    await Deno.rename(file, `${file}.old`);
    await assertRejects(() => log.probe(5_000), Error, "file is gone");
    await Deno.writeTextFile(file, "");
    await assertRejects(() => log.probe(5_000), Error, "file was replaced");
    await Deno.remove(file);
    await Deno.rename(`${file}.old`, file);
    await log.probe(5_000);
    kv.close();
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test("A call that is not answered in time is rejected, reported, and may end later", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const log = new KvRoomLog(kv, { timeoutMs: 20 });
  const events: StoreEvent[] = [];
  const detach = log.attach((event) => void events.push(event));
  const answered = Promise.withResolvers<void>();
  faults.commit = async (commit) => {
    await answered.promise;
    return await commit();
  };
  const error = await assertRejects(
    () => log.append(new Map([["lobby", storedEntry(["a"])]])),
    Error,
    "did not answer within 20 ms: commit",
  );
  assertEquals(events.map(({ type }) => type), ["store_timeout"]);
  assertEquals(await log.head("lobby"), ORIGIN);
  answered.resolve();
  await (error as Error & { settled: Promise<void> }).settled;
  assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["a"], "it landed after all");
  detach();
});

Deno.test("A commit of a handle that was given up can never land", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  // As the client of a remote KV does, the commit is tried again for ever.
  const lost = Promise.withResolvers<void>();
  const later = Promise.withResolvers<boolean>();
  let isLost = false;
  const given = new Proxy(kv, {
    get(target, name) {
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  faults.commit = async (commit) => {
    if (isLost) return await commit();
    isLost = true;
    await lost.promise;
    const result = await commit();
    later.resolve(result.ok);
    return result;
  };
  let opened = 0;
  const log = new KvRoomLog(given, {
    timeoutMs: 20,
    reopen: () => {
      opened++;
      // A second handle of the same database; the log closes what it opened.
      return Promise.resolve(
        new Proxy(kv, {
          get(target, name) {
            if (name === "close") return () => {};
            const value = Reflect.get(target, name);
            return typeof value === "function" ? value.bind(target) : value;
          },
        }),
      );
    },
  });
  const events: StoreEvent[] = [];
  const detach = log.attach((event) => void events.push(event));
  const append = (text: string) => log.append(new Map([["lobby", storedEntry([text])]]));
  const error = await assertRejects(() => append("lost"), Error, "did not answer");
  await (error as Error & { settled: Promise<void> }).settled;
  assertEquals(opened, 1);
  assertEquals(events.map(({ type }) => type), ["store_timeout", "store_reopened"]);
  await append("next");
  lost.resolve();
  assertEquals(await later.promise, false, "it was refused");
  await append("last");
  assertEquals(textsOf(await log.last("lobby", { limit: 9 })), ["next", "last"]);
  detach();
});

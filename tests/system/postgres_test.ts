import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Hub, KvRoomLog, type StoreEvent } from "@hubbub/hub";
import { PostgresFanout, PostgresRoomLog } from "@hubbub/hub/postgres";
import { testFanout } from "../helpers/fanout_contract.ts";
import { needs } from "../helpers/permissions.ts";
import { hasPostgres, PostgresServer } from "../helpers/postgres_server.ts";
import { parsePostgresAddress } from "../../src/store/postgres/postgres_address.ts";
import { changeLine, ROOM_DELETED, writesOf } from "../../src/store/change.ts";
import { commitOf, NO_COMMIT, ORIGIN } from "../../src/store/cursor.ts";
import { moveToPostgres } from "../../tools/move_to_postgres.ts";
import { eventually } from "../helpers/patience.ts";
import { joinLines } from "../../src/store/entry.ts";
import { numbers, storedEntry } from "../helpers/stored_lines.ts";
import { testRoomLog, textsOf } from "../helpers/room_log_contract.ts";

const real = needs("net", "run", "read", "write");
const needed = { ...real, ignore: real.ignore || !await hasPostgres() };

// One for all tests of this file, since making one takes a second or many.
const server = needed.ignore ? undefined : await PostgresServer.start({
  settings: { fsync: "off" },
});
addEventListener("unload", () => void server?.kill());

testRoomLog(
  "PostgresRoomLog",
  async () => {
    const url = await server!.createDatabase();
    const logs: PostgresRoomLog[] = [];
    return {
      async open(options) {
        const log = await PostgresRoomLog.open(url, options);
        logs.push(log);
        return log;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(logs.map((log) => log.close()));
      },
    };
  },
  needed,
);

testFanout("PostgresFanout", async () => {
  const url = await server!.createDatabase();
  return {
    connect: () => new PostgresFanout(url),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}, needed);

Deno.test(
  "PostgresRoomLog: several that open an empty database together make it once",
  needed,
  async () => {
    const url = await server!.createDatabase();
    const logs = await Promise.all(numbers(6).map(() => PostgresRoomLog.open(url)));
    const ids = await Promise.all(logs.map((log) => log.databaseId()));
    assertEquals(new Set(ids).size, 1);
    const other = await PostgresRoomLog.open(url, { schema: "other" });
    assert(await other.databaseId() !== ids[0]);
    await other.append(new Map([["lobby", storedEntry(["x"])]]));
    assertEquals(await logs[0].rooms({ limit: 9 }), []);
    await Promise.all([...logs, other].map((log) => log.close()));
  },
);

Deno.test("PostgresRoomLog: a database of a newer version is refused", needed, async () => {
  const url = await server!.createDatabase();
  await (await PostgresRoomLog.open(url)).close();
  const database = new URL(url).pathname.slice(1);
  await server!.run("insert into hubbub.migrations (version) values (9999)", database);
  await assertRejects(() => PostgresRoomLog.open(url), Error, "newer than this program");
});

Deno.test(
  "PostgresRoomLog: an append fails at once where backends are terminated, and then works",
  needed,
  async () => {
    const url = await server!.createDatabase();
    const database = new URL(url).pathname.slice(1);
    await using log = await PostgresRoomLog.open(url);
    const append = (text: string) => log.append(new Map([["lobby", storedEntry([text])]]));
    await append("before");
    const lock = "select pg_advisory_lock(2718281828459045), pg_sleep(2)";
    const locked = server!.run(lock, database).catch(() => []);
    await eventually(async () => {
      const [{ count }] = await server!.run(
        "select count(*) from pg_locks where locktype = 'advisory'",
      );
      return Number(count) > 0;
    }, "the lock");
    const cut = assertRejects(() => append("cut"));
    await eventually(async () => {
      const terminate = "select pg_terminate_backend(pid) from pg_stat_activity " +
        `where datname = '${database}' and query like '%append%' and pid <> pg_backend_pid()`;
      return (await server!.run(terminate)).length > 0;
    }, "the backend");
    await cut;
    await locked;
    await append("after");
    const texts = textsOf(await log.after("lobby", ORIGIN, { limit: 9 }));
    assertEquals(texts, ["before", "after"]);
  },
);

Deno.test(
  "PostgresRoomLog: what is not answered in time fails, and can never land later",
  needed,
  async () => {
    const url = await server!.createDatabase();
    const database = new URL(url).pathname.slice(1);
    await using log = await PostgresRoomLog.open(url, { timeoutMs: 3_000 });
    const append = (text: string) => log.append(new Map([["lobby", storedEntry([text])]]));
    await append("before");
    const held = server!.run("select pg_advisory_lock(2718281828459045), pg_sleep(6)", database);
    await eventually(async () => {
      const [{ count }] = await server!.run(
        "select count(*) from pg_locks where locktype = 'advisory'",
      );
      return Number(count) > 0;
    }, "the lock");
    await assertRejects(() => append("late"));
    await held;
    await eventually(
      () => append("after").then(() => true, () => false),
      "an append to work again",
    );
    assertEquals(textsOf(await log.last("lobby", { limit: 2 })), ["before", "after"]);
  },
);

Deno.test("PostgresRoomLog: a server that may lose commits is told of", needed, async () => {
  const url = await server!.createDatabase();
  const database = new URL(url).pathname.slice(1);
  await server!.run(`alter database ${database} set synchronous_commit = off`);
  await using log = await PostgresRoomLog.open(url);
  const events: StoreEvent[] = [];
  await log.attach((event) => void events.push(event))();
  assertEquals(events, [{ type: "store_not_durable" }]);
});

Deno.test("moveToPostgres() copies everything to the places where it stood", needed, async () => {
  using kv = await Deno.openKv(":memory:");
  const old = new KvRoomLog(kv);
  const hub = new Hub(old, { logger() {} });
  for (const text of numbers(150)) await hub.publish("lobby", "ann", { text, ref: text });
  await hub.publish("other", "bob", { text: "語🎉\u0000\n" });
  const id = await old.databaseId();
  await hub.drain();
  const [{ cursor: message }] = await old.last("lobby", { limit: 1 });
  const change = (kind: "edit" | "reaction" | "delete", more: object) => {
    const stored = { id: `id of ${kind}`, user: "ann", at: 1, kind, message, ...more } as const;
    const { bytes } = joinLines([changeLine(stored)], stored.id);
    const changes = { bytes, changes: [writesOf(stored)] };
    const entry = { bytes: new Uint8Array(0), count: 0, lastId: "", changes };
    return old.append(new Map([["lobby", entry]]));
  };
  await change("edit", { text: "edited" });
  await change("reaction", { emoji: "👍", status: true });
  // One room was deleted and written again, one for good; and of none is a user left.
  for (const room of ["again", "gone"]) {
    await old.append(new Map([[room, storedEntry(["secret"])]]));
    const id = `deletes ${room}`;
    const stored = {
      id,
      user: "",
      at: 1,
      kind: "control",
      name: ROOM_DELETED,
      value: null,
    } as const;
    const { bytes } = joinLines([changeLine(stored)], stored.id);
    const changes = { bytes, changes: [writesOf(stored)] };
    await old.append(new Map([[room, { bytes: new Uint8Array(), count: 0, lastId: id, changes }]]));
  }
  await old.append(new Map([["again", storedEntry(["new"])]]));
  const read = commitOf(message);
  await old.userRooms.mark("ann", new Map([["lobby", read], ["other", read]]));
  await old.userRooms.mark("bob", new Map([["again", NO_COMMIT]]));
  const url = await server!.createDatabase();
  assertEquals((await moveToPostgres(kv, url)).rooms, 3);
  await using log = await PostgresRoomLog.open(url);
  for (const user of ["ann", "bob", "cleo"]) {
    assertEquals([...await log.userRooms.list(user)], [...await old.userRooms.list(user)]);
  }
  assertEquals(await log.rooms({ limit: 9 }), ["again", "lobby", "other"]);
  for (const room of ["again", "lobby", "other"]) {
    const all = await old.after(room, ORIGIN, { limit: Infinity });
    assertEquals(await log.after(room, ORIGIN, { limit: Infinity }), all);
    assertEquals(await log.head(room), await old.head(room));
    assertEquals(await log.meta(room), await old.meta(room));
    const range = { from: ORIGIN, to: "z".repeat(20), limit: 1_000 };
    assertEquals(await log.states(room, range), await old.states(room, range));
    const changes = await old.changes(room, ORIGIN, { limit: 1_000 });
    assertEquals(await log.changes(room, ORIGIN, { limit: 1_000 }), changes);
  }
  assertEquals(await log.databaseId(), id);
  const head = await log.head("lobby");
  await log.append(new Map([["lobby", storedEntry(["new"])]]));
  assertEquals(textsOf(await log.after("lobby", head, { limit: 9 })), ["new"]);
  await assertRejects(() => moveToPostgres(kv, url), Error, "already");
});

Deno.test("parsePostgresAddress() reads addresses as libpq does, and shows no password", () => {
  const { host, port, database, user, password, ssl } = parsePostgresAddress(
    "postgres://ann:p%40ss@a.example,[::1]:5433/chat?sslmode=require",
  );
  assertEquals([host, port], [["a.example", "::1"], [5432, 5433]]);
  assertEquals([database, user, password, ssl], ["chat", "ann", "p@ss", "require"]);
  const plain = parsePostgresAddress("postgresql://db.example");
  assertEquals([plain.user, plain.database, plain.ssl], ["postgres", "postgres", "prefer"]);
  assertEquals(parsePostgresAddress("postgres://a/b?sslmode=disable").ssl, false);
  assertEquals(parsePostgresAddress("postgres://a/b?sslmode=verify-full").ssl, {
    rejectUnauthorized: true,
  });
  const wrong = ["", "a.example", "http://a", "postgres://", "postgres://a/b?sslmode=maybe"];
  for (const text of [...wrong, "postgres://a/b?sslkey=x", "postgres://a:b:c/d"]) {
    assertThrows(() => parsePostgresAddress(text), TypeError, "Cannot use");
  }
  const error = assertThrows(() => parsePostgresAddress("postgres://me:s3cret@a/b?x=y"), TypeError);
  assert(!error.message.includes("s3cret"), error.message);
});

// Several processes over one PostgreSQL, with a NATS and without: what members of different ones see
// of each other, and what the death of each part does.

import { assert, assertEquals } from "@std/assert";
import type { Message } from "@hubbub/hub";
import type { HubProcess } from "../helpers/hub_process.ts";
import { type Shared, startMachine } from "../helpers/machines.ts";
import { hasNats, NatsServer } from "../helpers/nats_server.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { hasPostgres, PostgresServer } from "../helpers/postgres_server.ts";
import { TestClient } from "../helpers/test_client.ts";
import { described, runOverServers } from "./machines_agreement_run.ts";

const real = needs("net", "run", "read", "write", "env");
const ignore = real.ignore || !await hasPostgres() || !await hasNats();
const needed = { ...real, ignore };

interface Cluster extends AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly nats: NatsServer | undefined;
  readonly shared: Shared;
  readonly machines: HubProcess[];
}

async function startCluster(count: number, options: { nats: boolean }): Promise<Cluster> {
  await using undo = new AsyncDisposableStack();
  const postgres = undo.use(await PostgresServer.start());
  const nats = options.nats ? undo.use(await NatsServer.start()) : undefined;
  const shared = { postgres: await postgres.createDatabase(), nats: nats?.url };
  const machines = await Promise.all(Array.from({ length: count }, () => startMachine(shared)));
  for (const machine of machines) undo.use(machine);
  const all = undo.move();
  return { postgres, nats, shared, machines, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function join(to: HubProcess, user: string, query = ""): Promise<TestClient> {
  return TestClient.join(to.url, `/rooms/lobby/ws?user=${user}${query}`);
}

/** Waits until a client knows just these others. */
async function untilSeen(client: TestClient, users: readonly string[]): Promise<void> {
  let seen: string[] = [];
  await eventually(() => {
    const here = new Set(client.joined?.users);
    for (const { user, status } of client.of("presence")) {
      if (status === "joined") here.add(user);
      else here.delete(user);
    }
    seen = [...here].sort();
    return seen.join() === [...users].sort().join();
  }, () => `${users} to be seen, not ${seen}`);
}

async function statusOf(of: HubProcess): Promise<number> {
  const response = await fetch(`${of.url}/health`);
  await response.body?.cancel();
  return response.status;
}

async function health(of: HubProcess): Promise<Record<string, unknown>> {
  return await (await fetch(`${of.url}/health`)).json();
}

/** Sends a message until it is stored, as a client does that is told that it was not. */
async function store(to: HubProcess, text: string): Promise<Message> {
  return await eventually(async () => {
    const response = await fetch(`${to.url}/rooms/lobby/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: "bot", text, ref: `ref of ${text}` }),
    });
    const body = await response.json();
    return response.ok ? body : undefined;
  }, `"${text}" to be stored`);
}

async function allMessages(at: HubProcess): Promise<string[]> {
  const { messages } = await (await fetch(`${at.url}/rooms/lobby/messages?limit=100`)).json();
  return messages.map(({ text }: Message) => text);
}

for (const nats of [true, false]) {
  const over = nats ? "PostgreSQL and NATS" : "PostgreSQL alone";

  Deno.test(`three processes over ${over} show one room`, needed, async () => {
    await using cluster = await startCluster(3, { nats });
    const [a, b, c] = cluster.machines;
    for (const machine of cluster.machines) {
      await eventually(async () => {
        const { peers, fanout } = await health(machine);
        return peers === 2 && fanout === "connected";
      }, "each to hear the two others");
    }
    await using ann = await join(a, "ann");
    await using bob = await join(b, "bob");
    await using cid = await join(c, "cid");
    for (const client of [ann, bob, cid]) await untilSeen(client, ["ann", "bob", "cid"]);
    ann.send({ type: "typing_status", payload: { status: true } });
    for (const client of [bob, cid]) {
      await client.until(() => client.of("typing_status").length === 1);
      assertEquals(client.of("typing_status"), [{ user: "ann", status: true }]);
    }
    for (let round = 0; round < 20; round++) {
      for (const client of [ann, bob, cid]) client.say(`${round}`);
    }
    for (const client of [ann, bob, cid]) await client.until(({ said }) => said.length === 60);
    assertEquals(bob.messages, ann.messages);
    assertEquals(cid.messages, ann.messages);
    assertEquals(bob.of("typing_status").at(-1), { user: "ann", status: false });
    // Sent again to another process, with the same ref, it is one message.
    const first = await store(a, "once");
    assertEquals((await store(b, "once")).cursor, first.cursor);
    await cid.until(({ said }) => said.includes("once"));
    await store(c, "later");
    await ann.until(({ said }) => said.includes("later"));
    assertEquals(ann.said.filter((text) => text === "once").length, 1);
    // One that is killed takes its members with it, once; one that comes back has the same room.
    b.signal("SIGKILL");
    await b.end();
    for (const client of [ann, cid]) await untilSeen(client, ["ann", "cid"]);
    await store(a, "while b was away");
    await using back = await startMachine(cluster.shared);
    const after = bob.messages.at(-1)!.cursor;
    await using again = await join(back, "bob", `&after=${after}`);
    assertEquals(again.joined?.recovered, true);
    assertEquals(again.said.at(-1), "while b was away");
    for (const client of [ann, cid]) await untilSeen(client, ["ann", "bob", "cid"]);
    const left = ann.of("presence").filter(({ user, status }) =>
      user === "bob" && status === "left"
    );
    assertEquals(left.length, 1);
  });

  Deno.test(`the death of each server behind two processes over ${over}`, needed, async () => {
    await using cluster = await startCluster(2, { nats });
    const [a, b] = cluster.machines;
    await using ann = await join(a, "ann");
    await using bob = await join(b, "bob");
    await untilSeen(ann, ["ann", "bob"]);
    const texts: string[] = [];
    const say = async (text: string) => {
      texts.push(text);
      await store(texts.length % 2 === 0 ? a : b, text);
      for (const client of [ann, bob]) {
        await client.until(({ said }) => said.filter((said) => said === text).length === 1);
      }
    };
    await say("before");
    await cluster.postgres.run(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'hubbub%'",
    );
    await say("after the backends");
    await cluster.postgres.stop("SIGQUIT");
    assertEquals(await statusOf(a), 503);
    await cluster.postgres.start();
    await say("after the database");
    await eventually(async () => await statusOf(a) === 200, "health");
    if (cluster.nats) {
      await cluster.nats.stop("SIGKILL");
      await say("without the broker");
      await eventually(async () => (await health(a)).fanout === "disconnected", "the state");
      await cluster.nats.start();
      await eventually(async () => (await health(a)).fanout === "connected", "the state");
      await say("with it again");
    }
    await untilSeen(ann, ["ann", "bob"]);
    for (const client of [ann, bob]) assertEquals(client.said, texts);
    for (const machine of [a, b]) assertEquals(await allMessages(machine), texts);
  });
}

Deno.test(
  "a PostgreSQL that is put back sends members away, who resume what is left",
  needed,
  async () => {
    await using cluster = await startCluster(2, { nats: true });
    const { postgres, machines: [a, b] } = cluster;
    await using ann = await join(a, "ann");
    await store(a, "kept");
    await ann.until(({ said }) => said.includes("kept"));
    const database = new URL(cluster.shared.postgres).pathname.slice(1);
    const [{ place }] = await postgres.run(
      "select last_value as place from hubbub.places",
      database,
    );
    for (let i = 0; i < 20; i++) await store(b, `lost ${i}`);
    await ann.until(({ said }) => said.includes("lost 19"));
    // As a replica that was behind does when it is promoted.
    await postgres.run(
      `delete from hubbub.entries where place > ${place};
    delete from hubbub.feed where place > ${place};
    update hubbub.rooms set place = ${place}, index = 0, tag = (
      select tag from hubbub.rooms where room = 'lobby'
    );
    select setval('hubbub.places', ${place})`,
      database,
    );
    await store(b, "new");
    const { code } = await ann.closed;
    assertEquals(code, 1011);
    await a.logged("store_went_back");
    await using again = await join(a, "ann", `&after=${ann.messages.at(-1)!.cursor}`);
    assertEquals(again.joined?.recovered, false);
    assertEquals(again.said, ["kept", "new"]);
  },
);

Deno.test("the model holds over real servers that are killed meanwhile", needed, async () => {
  const { accounts, deeds } = await runOverServers(1, 2);
  for (const { seed, violations } of accounts) {
    const repeat = `deno task agreement:machines --seed ${seed} --runs 1`;
    assertEquals(violations.slice(0, 8), [], `seed ${seed}: repeat it with ${repeat}`);
  }
  console.log(described(deeds));
  assert(accounts.length === 2);
});

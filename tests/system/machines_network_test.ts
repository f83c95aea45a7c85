// What lies between machines: a link that is cut, TLS, a pooler.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { failToStart, type HubProcess } from "../helpers/hub_process.ts";
import { inFolder } from "../helpers/folder.ts";
import { MACHINE_ARGS, startMachine } from "../helpers/machines.ts";
import { hasNats, NatsServer } from "../helpers/nats_server.ts";
import { hasNetworkNamespaces, NetworkNamespace } from "../helpers/network_namespace.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { hasPgBouncer, PgBouncerServer } from "../helpers/pgbouncer_server.ts";
import { hasPostgres, PostgresServer } from "../helpers/postgres_server.ts";
import { hasCommand, Shell } from "../helpers/shell.ts";
import { TestClient } from "../helpers/test_client.ts";

const real = needs("net", "run", "read", "write", "env");
const ignore = real.ignore || !await hasPostgres() || !await hasNats();

function join(to: HubProcess, user: string, query = ""): Promise<TestClient> {
  return TestClient.join(to.url, `/rooms/lobby/ws?user=${user}${query}`);
}

function post(to: HubProcess, user: string, text: string, ref: string): Promise<Response> {
  return fetch(`${to.url}/rooms/lobby/messages`, {
    method: "POST",
    body: JSON.stringify({ user, text, ref }),
    headers: { "content-type": "application/json" },
  });
}

async function statusOf(of: HubProcess): Promise<number> {
  const response = await fetch(`${of.url}/health`);
  await response.body?.cancel();
  return response.status;
}

Deno.test(
  "a process whose link to PostgreSQL and NATS is cut says so, and is whole again after it",
  { ...real, ignore: ignore || !await hasNetworkNamespaces() },
  async () => {
    await using undo = new AsyncDisposableStack();
    const namespace = undo.use(await NetworkNamespace.create());
    const links = [await namespace.link(), await namespace.link()];
    const postgres = undo.use(await PostgresServer.start({ namespace: namespace.name }));
    const nats = undo.use(await NatsServer.start("", namespace.name));
    const [a, b] = await Promise.all(links.map(({ address }) =>
      startMachine({
        postgres: `postgres://hubbub@${address}:${postgres.port}/postgres`,
        nats: `nats://${address}:${nats.port}`,
      })
    ));
    undo.use(a);
    undo.use(b);
    await using ann = await join(a, "ann");
    await using bob = await join(b, "bob");
    const users = async () => (await (await fetch(`${a.url}/rooms/lobby`)).json()).users;
    await eventually(async () => (await users()).length === 2, "both users");
    ann.say("before");
    await bob.until(({ said }) => said.includes("before"));
    await links[1].cut();
    // A member on this side of the cut is answered, or told that it may have been stored.
    const lost = await post(b, "bob", "across the cut", "r1");
    assertEquals([lost.status, (await lost.json()).error.code], [503, "not_stored"]);
    ann.say("meanwhile");
    await ann.until(({ said }) => said.includes("meanwhile"));
    await eventually(async () => await statusOf(b) === 503, "/health to say so");
    assertEquals(await statusOf(a), 200);
    await eventually(async () => (await users()).length === 1, "bob to be taken for gone");
    assert(!bob.said.includes("meanwhile"));
    await links[1].mend();
    await bob.until(({ said }) => said.includes("meanwhile"));
    await eventually(async () => await statusOf(b) === 200, "/health to be well again");
    const again = await post(b, "bob", "across the cut", "r1");
    assert([200, 201].includes(again.status), `${again.status}`);
    await again.body?.cancel();
    await ann.until(({ said }) => said.includes("across the cut"));
    await eventually(async () => (await users()).length === 2, "both users again");
    // Whether it was stored before or after the rest: one order, nothing twice.
    await eventually(() => ann.said.length === 3 && bob.said.length === 3, "all");
    assertEquals(ann.said.toSorted(), ["across the cut", "before", "meanwhile"]);
    assertEquals(bob.messages.map(({ id }) => id), ann.messages.map(({ id }) => id));
  },
);

/** Makes an authority and a certificate of `localhost`: `ca.pem`, `server.pem`, `server.key`. */
async function makeCertificates(folder: string): Promise<void> {
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
  const make = `openssl req -x509 ${key} -days 2`;
  const run = (line: string) => Shell.run(`${line} -batch`, { folder });
  await run(`${make} -subj /CN=authority -keyout ca.key -out ca.pem`);
  const names = `-addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE`;
  const by = "-CA ca.pem -CAkey ca.key";
  await run(`${make} ${names} ${by} -subj /CN=localhost -keyout server.key -out server.pem`);
}

Deno.test(
  "processes meet over TLS and behind PgBouncer",
  { ...real, ignore: ignore || !await hasPgBouncer() || !await hasCommand("openssl") },
  async () => {
    await inFolder(async (folder) => {
      await using undo = new AsyncDisposableStack();
      await makeCertificates(folder);
      await Deno.chmod(folder, 0o755);
      await Shell.run(`sh -c '[ "$(id -u)" != 0 ] || chown postgres server.key'`, { folder });
      const postgres = undo.use(
        await PostgresServer.start({
          settings: {
            ssl: "on",
            ssl_cert_file: `${folder}/server.pem`,
            ssl_key_file: `${folder}/server.key`,
          },
        }),
      );
      const pooler = undo.use(await PgBouncerServer.start(postgres.port));
      const tls = `--tls --tlscert ${folder}/server.pem --tlskey ${folder}/server.key`;
      const nats = undo.use(await NatsServer.start(tls));
      const plain = await postgres.createDatabase();
      const database = new URL(plain).pathname.slice(1);
      const safe = `${plain.replace("127.0.0.1", "localhost")}?sslmode=verify-full`;
      const natsUrl = `tls://localhost:${nats.port}`;
      const trust = { DENO_CERT: `${folder}/ca.pem` };
      const [a, b, c] = await Promise.all([
        startMachine({ postgres: safe, nats: natsUrl }, trust),
        startMachine({ postgres: pooler.urlOf(database), nats: natsUrl }, {
          ...trust,
          HUBBUB_POSTGRES_LISTEN: safe,
        }),
        startMachine({ postgres: pooler.urlOf(database) }, { HUBBUB_POSTGRES_LISTEN: plain }),
      ]);
      for (const machine of [a, b, c]) undo.use(machine);
      const members = [await join(a, "ann"), await join(b, "bob"), await join(c, "cleo")];
      for (const member of members) undo.use(member);
      for (const [index, member] of members.entries()) {
        for (let n = 0; n < 10; n++) member.say(`${index} ${n}`);
      }
      for (const member of members) await member.until(({ said }) => said.length === 30);
      const [order] = members.map(({ said }) => said);
      for (const { said } of members) assertEquals(said, order);
      // Presence goes over NATS between those that have it.
      const users = await (await fetch(`${b.url}/rooms/lobby`)).json();
      assert(users.users.includes("ann"), JSON.stringify(users));
      const [{ ssl }] = await postgres.run(
        "select count(*)::int as ssl from pg_stat_ssl where ssl",
      );
      assert(Number(ssl) > 0, "connections over TLS");
      const stranger = await failToStart({ HUBBUB_POSTGRES: safe }, MACHINE_ARGS);
      assertEquals(stranger.code, 1);
      assertMatch(stranger.lines.join("\n"), /"event":"postgres_failed".*certificate/i);
    });
  },
);

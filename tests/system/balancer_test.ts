// What deploy/compose.yaml describes, without Docker: hubs behind its own balancer.

import { assert, assertEquals } from "@std/assert";
import { VARIABLES } from "@hubbub/hub/service";
import { inFolder } from "../helpers/folder.ts";
import { startMachine } from "../helpers/machines.ts";
import { hasNats, NatsServer } from "../helpers/nats_server.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { hasPostgres, PostgresServer } from "../helpers/postgres_server.ts";
import { freePorts, ReverseProxy } from "../helpers/reverse_proxy.ts";
import { hasCommand } from "../helpers/shell.ts";
import { TestClient } from "../helpers/test_client.ts";

const real = needs("net", "run", "read", "write", "env");
const ignore = real.ignore || !await hasPostgres() || !await hasNats() ||
  !await hasCommand("caddy");

function read(path: string): string {
  return Deno.readTextFileSync(new URL(`../../deploy/${path}`, import.meta.url));
}

Deno.test("compose.yaml names variables, files and services that there are", needs("read"), () => {
  const compose = read("compose.yaml");
  const names = new Set([...compose.matchAll(/^\s+(HUBBUB_\w+|PORT|HOST):/gm)].map(([, n]) => n));
  assert(names.size >= 4);
  for (const name of names) assert((VARIABLES as readonly string[]).includes(name), name);
  const services = [...compose.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
  for (const name of ["hub1", "hub2", "postgres", "nats", "balancer"]) {
    assert(services.includes(name), name);
  }
  assert(read("Caddyfile.machines").includes("reverse_proxy hub1:8000 hub2:8000"));
});

Deno.test("hubs behind the balancer of compose.yaml are one, also while one is replaced", {
  ...real,
  ignore,
}, async () => {
  await using postgres = await PostgresServer.start();
  await using nats = await NatsServer.start();
  const shared = { postgres: await postgres.createDatabase(), nats: nats.url };
  await using one = await startMachine(shared, { HUBBUB_PROXIES: "1" });
  await using other = await startMachine(shared, { HUBBUB_PROXIES: "1" });
  await inFolder(async (folder) => {
    const [port] = freePorts(1);
    const configuration = read("Caddyfile.machines")
      .replace(":8080 {", `:${port} {`)
      .replace("hub1:8000 hub2:8000", `127.0.0.1:${one.port} 127.0.0.1:${other.port}`);
    await using _proxy = await ReverseProxy.caddy({ folder, configuration, ports: [port] });
    const url = `http://127.0.0.1:${port}`;
    const clients: TestClient[] = [];
    for (let i = 0; i < 6; i++) {
      clients.push(await TestClient.join(url, `/rooms/lobby/ws?user=user${i}`));
    }
    const health = async (of: string) => await (await fetch(`${of}/health`)).json();
    for (const hub of [one, other]) {
      assert((await health(hub.url)).connections > 0, "no stickiness: each hub has some of them");
    }
    clients.forEach((client, index) => client.say(`from ${index}`));
    for (const client of clients) await client.until(({ said }) => said.length === 6);
    assertEquals(new Set(clients.map(({ said }) => said.join())).size, 1);
    assertEquals((await one.stop("SIGTERM")).code, 0);
    // Whoever was on it comes back by way of the other, from where it stood.
    await eventually(async () => {
      const response = await fetch(`${url}/rooms/lobby`);
      const { users } = await response.json();
      return response.ok && users.length === 3;
    }, "the members of the other hub alone");
    const after = clients[0].messages.at(-1)!.cursor;
    await using back = await TestClient.join(url, `/rooms/lobby/ws?user=back&after=${after}`);
    assertEquals(back.joined?.recovered, true);
    for (const client of clients) {
      client.socket.close();
      await client.closed;
    }
  });
});

// Three processes over one PostgreSQL and NATS, behind a balancer without stickiness, cannot be told
// from one by any point of docs/protocol.md.

import { assertEquals } from "@std/assert";
import { checkPoints, type PointResult, POINTS } from "../conformance/suite.ts";
import { startMachine } from "../helpers/machines.ts";
import { hasNats, NatsServer } from "../helpers/nats_server.ts";
import { needs } from "../helpers/permissions.ts";
import { hasPostgres, PostgresServer } from "../helpers/postgres_server.ts";
import { RoundRobin } from "../helpers/round_robin.ts";

const real = needs("net", "run", "read", "write", "env");
// It takes half a minute, and both processors: deno task test:slow.
const isAsked = !real.ignore && Deno.env.get("SLOW_TESTS") !== undefined;
const ignore = !isAsked || !await hasPostgres() || !await hasNats();

Deno.test(
  "every point of protocol.md holds over three processes",
  { ...real, ignore },
  async () => {
    await using undo = new AsyncDisposableStack();
    const postgres = undo.use(await PostgresServer.start());
    const nats = undo.use(await NatsServer.start());
    const start = async (environment: Readonly<Record<string, string>>) => {
      const shared = { postgres: await postgres.createDatabase(), nats: nats.url };
      const machines = await Promise.all([1, 2, 3].map(() => startMachine(shared, environment)));
      for (const machine of machines) undo.use(machine);
      return undo.use(new RoundRobin(machines.map(({ port }) => port))).url;
    };
    const [secret, token] = [crypto.randomUUID() + crypto.randomUUID(), crypto.randomUUID()];
    const [url, closed] = await Promise.all([
      start({ HUBBUB_ADMIN_TOKEN: token }),
      start({ HUBBUB_JWT_SECRET: secret }),
    ]);
    const results: PointResult[] = [];
    const hub = { url, withTokens: { url: closed, secret }, withOperators: { url, token } };
    // How fast typing ends is for one process to show: a busy machine carries it late between several.
    const points = POINTS.filter(({ id }) => id !== "ALL-15");
    await checkPoints(hub, points, (result) => void results.push(result));
    assertEquals(results.filter(({ outcome }) => outcome === "fails"), []);
    // Those that stop a server are checked with one.
    const unchecked = results.filter(({ outcome }) => outcome === "unchecked").map(({ id }) => id);
    assertEquals(unchecked, ["ALL-24"]);
  },
);

import { assert, assertEquals } from "@std/assert";
import http2 from "node:http2";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { OPCODES, RawSocket } from "../helpers/raw_socket.ts";
import { serveAlone, type TestServer, type TestServerOptions } from "../helpers/test_server.ts";

const net = needs("net");
const ATTACKER = "192.0.2.1";
const OPERATOR = "192.0.2.200";

/** What an operator sees of a limit: how often it was reached, and the lines in the log. */
async function seen(running: TestServer, limit: string): Promise<unknown> {
  const headers = { "x-forwarded-for": OPERATOR };
  const text = await (await fetch(`${running.url}/metrics`, { headers })).text();
  const counts = text.split("\n").filter((line) => line.includes(`{limit="${limit}"}`));
  const lines = running.events.filter(({ fields }) => fields?.limit === limit);
  return {
    counts: counts.map((line) => Number(line.slice(line.lastIndexOf(" ")))),
    lines: lines.map(({ level, event, fields }) => [level, event, fields?.address]),
  };
}

/** What it should be: counted each time, and one line a minute with the address. */
function reached(times: number): unknown {
  return { counts: [times], lines: [["warn", "limit_reached", ATTACKER]] };
}

async function withServer(
  options: TestServerOptions,
  attack: (
    running: TestServer,
    open: (room: string, user: string) => Promise<RawSocket>,
  ) => Promise<void>,
): Promise<void> {
  await using running = await serveAlone({ proxies: 1, ...options });
  using stack = new DisposableStack();
  await attack(running, async (room, user) => {
    const url = `${running.url}/rooms/${room}/ws?user=${user}`;
    return stack.use(await RawSocket.open(url, { "x-forwarded-for": ATTACKER }));
  });
}

for (
  const { limit, options, status } of [
    { limit: "isolate", options: { maxConnections: 2 }, status: 503 },
    { limit: "address", options: { maxConnectionsPerAddress: 2 }, status: 429 },
    { limit: "room", options: { maxConnectionsPerRoom: 2 }, status: 429 },
    { limit: "user", options: { maxConnectionsPerUser: 2 }, status: 429 },
  ]
) {
  Deno.test(`an operator sees the limit "${limit}" reached, and by whom`, net, async () => {
    await withServer(options, async (running, open) => {
      for (let i = 0; i < 2; i++) assertEquals((await open("lobby", "ann")).status, 101);
      for (let i = 0; i < 3; i++) assertEquals((await open("lobby", "ann")).status, status);
      assertEquals(await seen(running, limit), reached(3));
    });
  });
}

Deno.test('an operator sees the limit "address_rate" reached, and by whom', net, async () => {
  await withServer({ maxConnectionsPerAddress: 4 }, async (running, open) => {
    const statuses: number[] = [];
    for (let i = 0; i < 30 && !statuses.includes(429); i++) {
      const socket = await open("lobby", "ann");
      statuses.push(socket.status);
      if (socket.status !== 101) continue;
      await socket.send(OPCODES.close);
      await socket.end();
      await eventually(() => running.hub.metrics.connections === 0, "its place is given back");
    }
    assert(statuses.includes(429), "never refused");
    assertEquals(await seen(running, "address_rate"), reached(1));
  });
});

Deno.test('an operator sees the limit "address_rooms" reached, and by whom', net, async () => {
  await withServer({ maxRoomsPerAddress: 2 }, async (running, open) => {
    assertEquals((await open("one", "ann")).status, 101);
    const url = `${running.url}/ws?user=bob`;
    using socket = await RawSocket.open(url, {
      "x-forwarded-for": ATTACKER,
      "sec-websocket-protocol": "hubbub.v2",
    });
    const join = (room: string) =>
      socket.send(OPCODES.text, JSON.stringify({ type: "join", room }));
    for (const room of ["one", "two"]) {
      await join(room);
      await socket.until('"joined"');
    }
    await join("three");
    assert((await socket.until('"error"')).includes("too_many_connections"));
    assertEquals((await open("three", "cid")).status, 429);
    assertEquals(await seen(running, "address_rooms"), reached(2));
  });
});

Deno.test("streams of HTTP/2 count as requests, each until its answer was read", net, async () => {
  await withServer({ maxConnectionsPerAddress: 3 }, async (running) => {
    const session = http2.connect(running.url, { settings: { initialWindowSize: 0 } });
    session.on("error", () => {});
    const statuses: number[] = [];
    for (let i = 0; i < 8; i++) {
      const stream = session.request({ ":path": "/rooms/lobby", "x-forwarded-for": ATTACKER });
      stream.on("response", (headers) => statuses.push(Number(headers[":status"])));
      stream.on("error", () => {});
    }
    await eventually(() => statuses.length === 8, () => `8 answers, not ${statuses}`);
    assertEquals(statuses.toSorted(), [...Array(3).fill(200), ...Array(5).fill(429)]);
    assertEquals(await seen(running, "address_requests"), reached(5));
    session.destroy();
    await eventually(async () => {
      const headers = { "x-forwarded-for": ATTACKER };
      const response = await fetch(`${running.url}/rooms/lobby`, { headers });
      await response.body?.cancel();
      return response.status === 200;
    }, "their places are given back");
  });
});

import { assert, assertEquals, assertMatch } from "@std/assert";
import { needs } from "../helpers/permissions.ts";
import { EventReader } from "../helpers/event_reader.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { linesOf } from "../helpers/test_hub.ts";
import { serveAlone, type TestServer } from "../helpers/test_server.ts";

const net = needs("net");
const ORIGIN = "https://app.example";

async function corsOf(response: Response): Promise<[number, string | null, string | null]> {
  await response.body?.cancel();
  const { headers, status } = response;
  return [
    status,
    headers.get("access-control-allow-origin"),
    headers.get("access-control-allow-credentials"),
  ];
}

Deno.test("pages of an allowed origin can read every answer but the 101", net, async () => {
  const authorize = (request: Request) =>
    request.headers.has("authorization")
      ? {
        user: "ann",
        roleIn: (room: string) => room === "lobby" ? "member" as const : "none" as const,
      }
      : { denied: "No token" };
  await using running = await serveAlone({ origins: [ORIGIN], authorize });
  const ask = async (path: string, headers: Record<string, string> = {}, method = "GET") =>
    await corsOf(
      await fetch(running.url + path, { method, headers: { origin: ORIGIN, ...headers } }),
    );
  const token = { authorization: "Bearer t" };
  const statuses: Record<string, [string, Record<string, string>?, string?]> = {
    200: ["/rooms/lobby", token],
    401: ["/rooms/lobby/ws"],
    403: ["/rooms/cellar/ws", token],
    404: ["/nothing"],
    405: ["/rooms/lobby", token, "PUT"],
    426: ["/rooms/lobby/ws", token],
  };
  for (const [status, [path, headers, method]] of Object.entries(statuses)) {
    assertEquals(await ask(path, headers, method), [Number(status), ORIGIN, "true"], path);
  }
  for (const path of ["/rooms/lobby/ws", "/rooms/lobby/messages", "/health", "/nothing"]) {
    const response = await fetch(running.url + path, {
      method: "OPTIONS",
      headers: {
        origin: ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
    assertEquals(await corsOf(response), [204, ORIGIN, "true"]);
    assertMatch(response.headers.get("access-control-allow-methods") ?? "", /\bPOST\b.*\bDELETE\b/);
    assertMatch(response.headers.get("access-control-allow-headers") ?? "", /authorization/);
  }
  const other = await fetch(`${running.url}/rooms/lobby`, { headers: { origin: "https://b.c" } });
  assertEquals(await corsOf(other), [403, null, null]);
  assertMatch(other.headers.get("vary") ?? "", /origin/i);
  using socket = await RawSocket.open(`${running.url}/rooms/lobby/ws`, {
    ...token,
    origin: ORIGIN,
  });
  assertEquals([socket.status, socket.headers.get("access-control-allow-origin")], [101, null]);
});

Deno.test("limits and drains can be read by pages of an allowed origin", net, async () => {
  await using running = await serveAlone({
    origins: [ORIGIN],
    requestsPerSecondPerAddress: 0.1,
  });
  const ask = async () =>
    await corsOf(await fetch(`${running.url}/rooms/lobby`, { headers: { origin: ORIGIN } }));
  assertEquals(await ask(), [200, ORIGIN, "true"]);
  assertEquals(await ask(), [429, ORIGIN, "true"]);
  await using draining = await serveAlone({ origins: [ORIGIN] });
  await draining.server.drain();
  const headers = { origin: ORIGIN };
  const response = await fetch(`${draining.url}/rooms/lobby/ws`, { headers });
  assertEquals(await corsOf(response), [503, ORIGIN, "true"]);
});

Deno.test("a handshake that a proxy stripped is answered and logged with what is missing", {
  ...net,
}, async () => {
  await using running = await serveAlone();
  const url = `${running.url}/rooms/lobby/ws?user=ann&token=secret`;
  const headers = { upgrade: undefined, connection: "close", origin: "https://app.example" };
  using socket = await RawSocket.open(url, { ...headers, host: "app.example" });
  assertEquals(socket.status, 426);
  const [{ fields }] = running.events.filter(({ event }) => event === "upgrade_missing");
  assertEquals([fields?.host, fields?.origin, fields?.room], [
    "app.example",
    "https://app.example",
    "lobby",
  ]);
  assertMatch(String(fields?.reason), /proxy/);
  assert(!linesOf(running.events).some((line) => line.includes("secret")));
});

Deno.test("a page of a foreign origin is refused, and logged with its origin and the host", {
  ...net,
}, async () => {
  await using running = await serveAlone();
  const url = `${running.url}/rooms/lobby/ws?user=ann`;
  using socket = await RawSocket.open(url, { origin: "https://a.example", host: "backend:8000" });
  assertEquals(socket.status, 403);
  const [{ fields }] = running.events.filter(({ event }) => event === "access_refused");
  assertEquals([fields?.host, fields?.origin], ["backend:8000", "https://a.example"]);
});

Deno.test("a token is not logged, however malformed the request", net, async () => {
  await using running = await serveAlone({
    authorize: () => Promise.reject(new Error("no answer")),
  });
  const heads = [
    "GET /rooms/lobby/ws?token=secret HTTP/1.1\r\nhost: [::",
    "GET http://[::/rooms/lobby?token=secret HTTP/1.1\r\nhost: x",
    "GET /rooms/lobby?token=secret HTTP/1.1\r\nhost: a b",
    "GET /rooms/lobby?token=secret HTTP/1.1\r\nhost: a:99999",
    "POST /rooms/lobby/messages?token=secret HTTP/1.1\r\ncontent-length: 0\r\nhost: %",
    "GET /rooms/lobby/events?token=secret HTTP/1.1\r\nhost: [::",
    "GET /r/lobby?token=secret HTTP/1.1\r\nhost: [::",
    "OPTIONS /rooms/lobby?token=secret HTTP/1.1\r\nhost: [::",
    "HEAD /?token=secret HTTP/1.1\r\nhost: <",
  ];
  for (const head of heads) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: running.port });
    await connection.write(new TextEncoder().encode(`${head}\r\nconnection: close\r\n\r\n`));
    const buffer = new Uint8Array(65_536);
    const count = await connection.read(buffer);
    const text = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    assertMatch(text, /^HTTP\/1\.1 400 /, head);
  }
  await (await fetch(`${running.url}/rooms/lobby?token=secret`)).body?.cancel();
  for (const line of linesOf(running.events)) assert(!line.includes("secret"), line);
});

Deno.test(
  "a stream of events is told to come back where it cannot be served now",
  net,
  async () => {
    const refused = async (running: TestServer, code: string) => {
      await using reader = await EventReader.open(`${running.url}/rooms/lobby/events`);
      assertEquals(reader.response.status, 200);
      assertEquals(reader.response.headers.get("content-type"), "text/event-stream");
      const event = await reader.next();
      assertEquals([event?.event, event?.data.code], ["error", code]);
      assert(Number(event?.retry) >= 3_000, event?.retry);
      assertEquals(await reader.next(), undefined);
    };
    await using full = await serveAlone({ maxConnections: 1 });
    await using first = await EventReader.open(`${full.url}/rooms/lobby/events`);
    const joined = (await first.until("joined")).at(-1);
    assertEquals(joined?.retry, "3000");
    await refused(full, "unavailable");
    await using limited = await serveAlone({ maxConnectionsPerAddress: 1 });
    await using _one = await EventReader.open(`${limited.url}/rooms/lobby/events`);
    await refused(limited, "too_many_connections");
    await using draining = await serveAlone();
    await draining.server.drain();
    await refused(draining, "draining");
    // What will never be served is refused for good.
    const bad = await fetch(`${full.url}/rooms/a%20b/events`);
    await bad.body?.cancel();
    assertEquals(bad.status, 400);
  },
);

import { assert, assertEquals } from "@std/assert";
import { RateLimit } from "../../src/access/rate_limit.ts";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serveAlone } from "../helpers/test_server.ts";

Deno.test("RateLimit forgets the names that a new bucket would not treat better", () => {
  let now = 0;
  const limit = new RateLimit({ perSecond: 1, burst: 2, now: () => now });
  for (let i = 0; i < 100_000; i++) {
    limit.take(`user ${i}`);
    now += 10;
  }
  assert(limit.size <= 2_000, `${limit.size} names are kept`);
  now += 60_000;
  assertEquals([limit.take("ann"), limit.take("ann"), limit.take("ann")], [0, 0, 1_000]);
});

Deno.test(
  "createServer() refuses connections over the limits before the upgrade",
  needs("net"),
  async () => {
    await using running = await serveAlone({
      maxConnectionsPerUser: 2,
      maxConnectionsPerRoom: 3,
    });
    await using _a = await TestClient.join(running.url, "/rooms/a/ws?user=ann");
    await using _b = await TestClient.join(running.url, "/rooms/a/ws?user=ann");
    const open = async (room: string, user: string) => {
      using socket = await RawSocket.open(`${running.url}/rooms/${room}/ws?user=${user}`);
      if (socket.status === 101) await socket.until("joined");
      return { status: socket.status, head: socket.head.toLowerCase() };
    };
    const { status, head } = await open("b", "ann");
    assertEquals(status, 429);
    assert(head.includes("retry-after: "));
    await using _c = await TestClient.join(running.url, "/rooms/a/ws?user=bob");
    assertEquals((await open("a", "cid")).status, 429);
    assertEquals(Object.fromEntries(running.hub.metrics.connectionsRefused), {
      user: 1,
      room: 1,
    });
    const reached = running.events.filter(({ event }) => event === "limit_reached");
    assertEquals(reached.map(({ fields }) => fields?.limit), ["user", "room"]);
    assertEquals(reached[0].fields?.address, "127.0.0.1");
  },
);

Deno.test("createServer() refuses too many connections of an address", needs("net"), async () => {
  await using running = await serveAlone({ maxConnectionsPerAddress: 2 });
  const url = `${running.url}/rooms/a/ws?user=`;
  using first = await RawSocket.open(url + "ann");
  using second = await RawSocket.open(url + "bob");
  using third = await RawSocket.open(url + "cid");
  assertEquals([first.status, second.status, third.status], [101, 101, 429]);
  assertEquals(running.hub.metrics.connectionsRefused.get("address"), 1);
});

Deno.test("createServer() gives a place back when its connection ends", needs("net"), async () => {
  await using running = await serveAlone({ maxConnectionsPerUser: 1 });
  for (let i = 0; i < 3; i++) {
    await using guest = await TestClient.join(running.url, "/rooms/a/ws?user=ann");
    await guest.store("hello");
    guest.socket.close();
    await guest.closed;
    while (running.hub.metrics.connections > 0) await new Promise((resolve) => setTimeout(resolve));
  }
});

Deno.test(
  "createServer() counts the messages of a user over all connections",
  needs("net"),
  async () => {
    const limits = { messages_per_second: 0.001, message_burst: 3 };
    await using running = await serveAlone({ limits });
    await using first = await TestClient.join(running.url, "/rooms/a/ws?user=ann");
    await using second = await TestClient.join(running.url, "/rooms/b/ws?user=ann");
    for (const text of ["1", "2", "3"]) await first.store(text);
    for (const text of ["4", "5", "6"]) await second.store(text);
    await using third = await TestClient.join(running.url, "/rooms/c/ws?user=ann");
    third.say("7", "r");
    const { code, ref, retry_after_ms } = await third.first("error");
    assertEquals([code, ref], ["rate_limited", "r"]);
    assert(retry_after_ms! > 100_000);
    const body = JSON.stringify({ text: "8", user: "ann" });
    const response = await fetch(`${running.url}/rooms/a/messages`, { method: "POST", body });
    assertEquals((await response.json()).error.code, "rate_limited");
    assertEquals(response.status, 429);
    assert(Number(response.headers.get("retry-after")) > 100);
  },
);

Deno.test(
  "createServer() counts by the forwarded address where it has a proxy",
  needs("net"),
  async () => {
    await using running = await serveAlone({ proxies: 1, maxConnectionsPerAddress: 1 });
    const url = `${running.url}/rooms/a/ws?user=ann`;
    const through = (address: string) => ({ "x-forwarded-for": `10.0.0.1, ${address}` });
    using first = await RawSocket.open(url, through("203.0.113.1"));
    using second = await RawSocket.open(url, through("203.0.113.1"));
    using third = await RawSocket.open(url, through("203.0.113.2"));
    assertEquals([first.status, second.status, third.status], [101, 429, 101]);
  },
);

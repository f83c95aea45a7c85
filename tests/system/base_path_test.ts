import { assert, assertEquals, assertThrows } from "@std/assert";
import { Hono } from "hono";
import { type ConnectionInfo, createServer } from "@hubbub/hub";
import { createTestHub } from "../helpers/test_hub.ts";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serveAlone } from "../helpers/test_server.ts";

const net = needs("net");

Deno.test("createServer() refuses a base path that is none", async () => {
  using kv = await Deno.openKv(":memory:");
  for (const basePath of ["chat", "/", "/chat/", "/a b", "/a?b", "//a", "/a/../b", "/a%20b"]) {
    const { hub, logger } = createTestHub(kv);
    assertThrows(() => createServer(hub, { basePath, logger }), TypeError, "base path");
  }
});

Deno.test(
  "a base path is served with it, and without it where a proxy takes it off",
  net,
  async () => {
    await using running = await serveAlone({ basePath: "/apps/chat" });
    for (const prefix of ["/apps/chat", ""]) {
      await using ann = await TestClient.join(running.url, `${prefix}/rooms/lobby/ws?user=ann`);
      await ann.store("hello");
      const statuses: [string, number][] = [];
      for (const path of ["/", "/r/lobby", "/assets/page.js", "/rooms/lobby", "/health", "/no"]) {
        const response = await fetch(running.url + prefix + path);
        await response.body?.cancel();
        statuses.push([path, response.status]);
      }
      assertEquals(statuses, [
        ["/", 200],
        ["/r/lobby", 200],
        ["/assets/page.js", 200],
        ["/rooms/lobby", 200],
        ["/health", 200],
        ["/no", 404],
      ]);
    }
    const bare = await fetch(`${running.url}/apps/chat`, { redirect: "manual" });
    await bare.body?.cancel();
    assertEquals([bare.status, bare.headers.get("location")], [308, "chat/"]);
    for (const path of ["/apps/chatter/", "/apps/chat/apps/chat/health", "/apps"]) {
      const response = await fetch(running.url + path);
      await response.body?.cancel();
      assertEquals(response.status, 404, path);
    }
  },
);

Deno.test("createServer() serves no page and no operator routes where they are not wanted", {
  ...net,
}, async () => {
  await using running = await serveAlone({ page: false, operatorRoutes: false });
  for (const path of ["/", "/r/lobby", "/assets/page.js", "/health", "/metrics"]) {
    const response = await fetch(running.url + path);
    assertEquals([response.status, (await response.json()).error.code], [404, "not_found"], path);
  }
  await using ann = await TestClient.join(running.url, "/rooms/lobby/ws?user=ann");
  await ann.store("hello");
});

Deno.test("createServer() works in Hono's mount, which must hand on the request as it came", {
  ...net,
}, async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, logger } = createTestHub(kv);
  await using chat = createServer(hub, { logger, basePath: "/chat" });
  const app = new Hono<{ Bindings: ConnectionInfo }>();
  app.mount("/chat", (request, info) => chat.fetch(request, info as ConnectionInfo), {
    optionHandler: (context) => [context.env],
    replaceRequest: false,
  });
  await using http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (r, info) => app.fetch(r, info),
  );
  const url = `http://127.0.0.1:${http.addr.port}/chat`;
  await using ann = await TestClient.join(url, "/rooms/lobby/ws?user=ann");
  await ann.store("hello");
  const { messages } = await (await fetch(`${url}/rooms/lobby/messages`)).json();
  assertEquals(messages.length, 1);
  await chat.drain();
});

Deno.test("a copied request that is upgraded is logged with the reason, and gives its place back", {
  ...net,
}, async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, logger, events } = createTestHub(kv);
  await using chat = createServer(hub, { logger });
  const handler = (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) =>
    chat.fetch(new Request(request), info);
  await using http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  const url = `http://127.0.0.1:${http.addr.port}/rooms/lobby/ws?user=ann`;
  using socket = await RawSocket.open(url);
  assertEquals([socket.status, hub.metrics.connections], [101, 1]);
  const until = performance.now() + 20_000;
  while (hub.metrics.connections > 0) {
    assert(performance.now() < until, "its place is never given back");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const [{ event, fields }] = events.filter(({ event }) => event === "socket_never_opened");
  assertEquals(event, "socket_never_opened");
  assert(String(fields?.reason).includes("is a copy"), JSON.stringify(fields));
  assertEquals(hub.metrics.closed.get("neverOpened"), 1);
});

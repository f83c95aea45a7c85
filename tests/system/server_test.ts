import { assert, assertEquals, assertMatch } from "@std/assert";
import { createServer, type Message } from "@hubbub/hub";
import { injectFaults } from "../helpers/kv_faults.ts";
import { needs } from "../helpers/permissions.ts";
import { assertRefused, page, say } from "../helpers/requests.ts";
import { fill, numbers } from "../helpers/stored_lines.ts";
import { TestClient } from "../helpers/test_client.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";
import { serve } from "../helpers/test_server.ts";

const net = needs("net");

Deno.test("GET / explains the endpoints", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  const response = await fetch(server.url);
  assertEquals(response.status, 200);
  assertMatch(response.headers.get("content-type") ?? "", /^text\/html/);
  assertMatch(await response.text(), /\/rooms\/\{room\}\/ws/);
});

Deno.test("GET messages pages to both ends, across entries", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await fill(server.log, "lobby", { texts: numbers(250), perEntry: 7 });
  assertEquals((await page(server.url, "")).map(({ text }) => text), numbers(50, 200));
  assertEquals((await page(server.url, "limit=100")).map(({ text }) => text), numbers(100, 150));
  const back: Message[][] = [];
  for (let before = "z".repeat(20); back.length < 250;) {
    const messages = await page(server.url, `limit=33&before=${before}`);
    if (messages.length === 0) break;
    back.unshift(messages);
    before = messages[0].cursor;
  }
  assertEquals(back.map(({ length }) => length), [19, 33, 33, 33, 33, 33, 33, 33]);
  const all = back.flat();
  assertEquals(all.map(({ text }) => text), numbers(250));
  const forth: Message[] = [];
  for (let after = "0".repeat(20); forth.length <= 250;) {
    const messages = await page(server.url, `limit=100&after=${after}`);
    if (messages.length === 0) break;
    forth.push(...messages);
    after = messages[messages.length - 1].cursor;
  }
  assertEquals(forth, all);
  assertEquals(await page(server.url, `limit=1&after=${all[41].cursor}`), [all[42]]);
  assertEquals(await page(server.url, `limit=1&before=${all[42].cursor}`), [all[41]]);
});

Deno.test("GET messages of a room without any is empty", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  assertEquals(await page(server.url, ""), []);
});

Deno.test("GET room tells where it stands and who is there", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  const look = async () => await (await fetch(server.url + "/rooms/lobby")).json();
  const nobody = { room: "lobby", cursor: "0".repeat(20), users: [], typing: [] };
  assertEquals(await look(), nobody);
  const subscriptions = ["bob", "ann"].map((user) =>
    server.hub.join("lobby", new TestMember(user))
  );
  await Promise.all(subscriptions.map(({ joined }) => joined));
  subscriptions[1].typing(true);
  const { cursor } = await (await say(server.url, { user: "cid", text: "hi" })).json();
  assertEquals(await look(), { room: "lobby", cursor, users: ["ann", "bob"], typing: ["ann"] });
});

const LONG = "x".repeat(65);
const ZEROS = "0".repeat(20);
const BAD_REQUESTS: [string, string, number, string][] = [
  ["GET", "/nothing", 404, "not_found"],
  ["GET", "/rooms", 404, "not_found"],
  ["GET", "/rooms/lobby/nothing", 404, "not_found"],
  ["GET", "/rooms/lobby/ws/more", 404, "not_found"],
  ["GET", "/rooms/a%20b", 400, "bad_room"],
  ["GET", "/rooms/a%2Fb/messages", 400, "bad_room"],
  ["GET", `/rooms/${LONG}/messages`, 400, "bad_room"],
  ["GET", "/rooms/%ff/messages", 400, "bad_room"],
  ["GET", "/rooms/%C3%A4", 400, "bad_room"],
  ["GET", "/rooms/a%0Ab/ws?user=ann", 400, "bad_room"],
  ["POST", "/rooms/a%00b/messages", 400, "bad_room"],
  ["GET", "/rooms/lobby/messages?limit=0", 400, "bad_query"],
  ["GET", "/rooms/lobby/messages?limit=101", 400, "bad_query"],
  ["GET", "/rooms/lobby/messages?limit=-1", 400, "bad_query"],
  ["GET", "/rooms/lobby/messages?limit=1.5", 400, "bad_query"],
  ["GET", "/rooms/lobby/messages?limit=", 400, "bad_query"],
  ["GET", "/rooms/lobby/messages?limit=1e1", 400, "bad_query"],
  ["GET", "/rooms/lobby/messages?before=1", 400, "bad_cursor"],
  ["GET", "/rooms/lobby/messages?after=", 400, "bad_cursor"],
  ["GET", `/rooms/lobby/messages?after=${ZEROS}&before=${ZEROS}`, 400, "bad_query"],
  ["GET", "/rooms/lobby/ws?user=ann", 426, "upgrade_required"],
  ["PUT", "/rooms/lobby/messages", 405, "method_not_allowed"],
  ["PUT", "/rooms/lobby", 405, "method_not_allowed"],
  ["POST", "/health", 405, "method_not_allowed"],
  ["POST", "/", 405, "method_not_allowed"],
  ["POST", "/rooms/lobby/ws?user=ann", 405, "method_not_allowed"],
];

Deno.test("Requests that are wrong are refused in JSON with the fitting status", net, async (t) => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  for (const [method, path, status, code] of BAD_REQUESTS) {
    await t.step(`${method} ${path}`, async () => {
      const response = await fetch(server.url + path, { method });
      if (status === 405) assert(response.headers.get("allow"), "Allow is missing");
      if (status === 426) assertEquals(response.headers.get("upgrade"), "websocket");
      await assertRefused(response, status, code);
    });
  }
  assertEquals(server.events, []);
});

const BAD_UPGRADES: [string, number, string][] = [
  ["/rooms/lobby/ws", 400, "bad_user"],
  ["/rooms/lobby/ws?user=", 400, "bad_user"],
  ["/rooms/lobby/ws?user=a%00b", 400, "bad_user"],
  ["/rooms/lobby/ws?user=%ed%a0%80", 400, "bad_user"],
  [`/rooms/lobby/ws?user=${LONG}`, 400, "bad_user"],
  ["/rooms/no%20spaces/ws?user=ann", 400, "bad_room"],
  ["/rooms/lobby/ws?user=ann&history=101", 400, "bad_query"],
  ["/rooms/lobby/ws?user=ann&history=ten", 400, "bad_query"],
  ["/rooms/lobby/ws?user=ann&history=", 400, "bad_query"],
];

Deno.test("Upgrades that are wrong are refused before they happen", async (t) => {
  using kv = await Deno.openKv(":memory:");
  const server = createServer(createTestHub(kv).hub);
  const headers = { upgrade: "websocket", connection: "upgrade", "sec-websocket-key": "AAAA" };
  for (const [path, status, code] of BAD_UPGRADES) {
    await t.step(path, async () => {
      const request = new Request("http://localhost" + path, { headers });
      await assertRefused(await server.fetch(request), status, code);
    });
  }
});

Deno.test("GET /health reads the database, and says so when that fails", net, async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  await using server = serve(kv);
  await using _ann = await TestClient.join(server.url, "/rooms/lobby/ws?user=ann");
  await (await say(server.url, { user: "bob", text: "hi" })).body?.cancel();
  const health = async () => {
    const response = await fetch(server.url + "/health");
    return [response.status, await response.json()];
  };
  const state = { rooms: 1, connections: 1, messages_stored: 1, reach: "alone", peers: 0 };
  assertEquals(await health(), [200, { status: "ok", ...state }]);
  faults.read = () => Promise.reject(new Error("disk I/O error"));
  assertEquals(await health(), [503, { status: "storage_failed", ...state }]);
  assertEquals(server.events.map(({ event }) => event), ["health_failed"]);
  faults.read = undefined;
  assertEquals((await health())[0], 200);
});

Deno.test(
  "While it drains, a server refuses what is new and says when to come back",
  net,
  async () => {
    using kv = await Deno.openKv(":memory:");
    await using server = serve(kv);
    await server.server.drain();
    const paths = ["/", "/rooms/lobby", "/rooms/lobby/messages", "/rooms/lobby/ws?user=ann"];
    for (const path of paths) {
      const response = await fetch(server.url + path);
      assert(Number(response.headers.get("retry-after")) > 0);
      await assertRefused(response, 503, "draining");
    }
    await assertRefused(await say(server.url, { user: "ann", text: "hi" }), 503, "draining");
    const health = await fetch(server.url + "/health");
    assertEquals(health.status, 503);
    assertEquals((await health.json()).status, "draining");
    assertEquals(await server.log.last("lobby", { limit: 10 }), []);
  },
);

Deno.test("A POST that was taken before the drain is answered", net, async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  await using server = serve(kv);
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  faults.commit = async (commit) => {
    reached.resolve();
    await released.promise;
    return await commit();
  };
  const posted = say(server.url, { user: "ann", text: "last words" });
  await reached.promise;
  const drained = server.server.drain();
  released.resolve();
  const response = await posted;
  assertEquals(response.status, 201);
  assertEquals((await response.json()).text, "last words");
  await drained;
  assertEquals((await server.log.last("lobby", { limit: 10 })).length, 1);
});

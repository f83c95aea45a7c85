import { assert, assertEquals, assertMatch } from "@std/assert";
import { createServer, type Message } from "@hubbub/hub";
import { failOnce, injectFaults } from "./kv_faults.ts";
import { needs } from "./permissions.ts";
import { fill, numbers } from "./stored_lines.ts";
import { TestClient } from "./test_client.ts";
import { createTestHub } from "./test_hub.ts";
import { TestMember } from "./test_member.ts";
import { serve } from "./test_server.ts";

const net = needs("net");

async function post(url: string, body: BodyInit, room = "lobby"): Promise<Response> {
  return await fetch(`${url}/rooms/${room}/messages`, { method: "POST", body });
}

async function say(url: string, body: Record<string, unknown>): Promise<Response> {
  return await post(url, JSON.stringify(body));
}

/** Checks a refusal, its status and its JSON. */
async function assertRefused(response: Response, status: number, code: string): Promise<string> {
  const text = await response.text();
  assertEquals(response.status, status, text);
  assertMatch(response.headers.get("content-type") ?? "", /^application\/json/);
  const { error, ...rest } = JSON.parse(text);
  assertEquals([error.code, rest], [code, {}]);
  assertEquals(Object.keys(error), ["code", "message"]);
  return error.message;
}

async function page(url: string, query: string): Promise<Message[]> {
  const response = await fetch(`${url}/rooms/lobby/messages?${query}`);
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "application/json");
  const { messages, ...rest } = await response.json();
  assertEquals(rest, {});
  return messages;
}

Deno.test("GET / explains the endpoints", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  const response = await fetch(server.url);
  assertEquals(response.status, 200);
  assertMatch(response.headers.get("content-type") ?? "", /^text\/html/);
  assertMatch(await response.text(), /\/rooms\/\{room\}\/ws/);
});

Deno.test("POST stores a message, then answers with it as everybody gets it", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await using bob = await TestClient.join(server.url, "/rooms/lobby/ws?user=bob");
  const response = await say(server.url, { user: " ann ", text: "hi", ref: "1", id: "forged" });
  assertEquals(response.status, 201);
  assertEquals(response.headers.get("content-type"), "application/json");
  const message = await response.json();
  assertEquals([message.user, message.text, message.ref], ["ann", "hi", "1"]);
  await bob.until(({ said }) => said.length === 1);
  assertEquals(bob.messages, [message]);
  assertEquals(await page(server.url, ""), [message]);
  const repeat = await say(server.url, { user: "ann", text: "hi", ref: "1" });
  assertEquals(repeat.status, 200);
  assertEquals(await repeat.json(), message);
  assertEquals((await page(server.url, "")).length, 1);
});

const BAD_BODIES: [string, BodyInit, number, string][] = [
  ["nothing", "", 400, "bad_body"],
  ["no JSON", "hello", 400, "bad_body"],
  ["a list", "[]", 400, "bad_body"],
  ["null", "null", 400, "bad_body"],
  ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), 400, "bad_body"],
  ["no user", '{"text":"a"}', 400, "bad_user"],
  ["a user that is a number", '{"user":1,"text":"a"}', 400, "bad_user"],
  ["an empty user", '{"user":"  ","text":"a"}', 400, "bad_user"],
  ["a long user", JSON.stringify({ user: "x".repeat(65), text: "a" }), 400, "bad_user"],
  ["a user of half a surrogate", '{"user":"\\ud800","text":"a"}', 400, "bad_user"],
  ["no text", '{"user":"ann"}', 400, "bad_text"],
  ["an empty text", '{"user":"ann","text":""}', 400, "bad_text"],
  ["a text of half a surrogate", '{"user":"ann","text":"\\udc00"}', 400, "bad_text"],
  ["a bad ref", '{"user":"ann","text":"a","ref":1}', 400, "bad_ref"],
  ["a long text", JSON.stringify({ user: "ann", text: "é".repeat(2049) }), 413, "text_too_long"],
  ["a long body", " ".repeat(28_673) + "{}", 413, "body_too_large"],
];

Deno.test("POST refuses a bad body, and stores nothing", net, async (t) => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  for (const [what, body, status, code] of BAD_BODIES) {
    await t.step(what, async () => {
      await assertRefused(await post(server.url, body), status, code);
    });
  }
  await t.step("a long body without a length", async () => {
    const chunks = ReadableStream.from(Array.from({ length: 40 }, () => new Uint8Array(1024)));
    await assertRefused(await post(server.url, chunks), 413, "body_too_large");
  });
  assertEquals(await page(server.url, ""), []);
  assertEquals(server.events, []);
});

Deno.test("POST takes the longest text however it is escaped", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  const escaped = "\\u0001".repeat(4096);
  const response = await post(server.url, `{"user":"ann","text":"${escaped}"}`);
  assertEquals(response.status, 201);
  assertEquals((await response.json()).text, "\u0001".repeat(4096));
});

Deno.test("POST tells when storage fails, and that it is worth another try", net, async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  await using server = serve(kv);
  failOnce(faults);
  const response = await say(server.url, { user: "ann", text: "hi" });
  assert(Number(response.headers.get("retry-after")) > 0);
  await assertRefused(response, 503, "not_stored");
  const again = await say(server.url, { user: "ann", text: "hi" });
  assertEquals(again.status, 201);
  await again.body?.cancel();
  faults.read = () => Promise.reject(new Error("disk I/O error"));
  const message = await assertRefused(
    await say(server.url, { user: "a", text: "b" }),
    503,
    "unavailable",
  );
  assert(!message.includes("disk"), "what failed is the operator's to know");
  assertEquals(server.events.map(({ event }) => event), ["commit_failed", "request_failed"]);
});

Deno.test("GET messages pages to both ends, across entries", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await fill(server.log, "lobby", { texts: numbers(250), perEntry: 7 });
  assertEquals((await page(server.url, "")).map(({ text }) => text), numbers(50, 200));
  assertEquals((await page(server.url, "limit=100")).map(({ text }) => text), numbers(100, 150));
  const back: Message[][] = [];
  for (let before = "f".repeat(24); back.length < 250;) {
    const messages = await page(server.url, `limit=33&before=${before}`);
    if (messages.length === 0) break;
    back.unshift(messages);
    before = messages[0].cursor;
  }
  assertEquals(back.map(({ length }) => length), [19, 33, 33, 33, 33, 33, 33, 33]);
  const all = back.flat();
  assertEquals(all.map(({ text }) => text), numbers(250));
  const forth: Message[] = [];
  for (let after = "0".repeat(24); forth.length <= 250;) {
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
  const nobody = { room: "lobby", cursor: "0".repeat(24), users: [], typing: [] };
  assertEquals(await look(), nobody);
  const seats = ["bob", "ann"].map((user) => server.hub.join("lobby", new TestMember(user)));
  await Promise.all(seats.map(({ joined }) => joined));
  seats[1].typing(true);
  const { cursor } = await (await say(server.url, { user: "cid", text: "hi" })).json();
  assertEquals(await look(), { room: "lobby", cursor, users: ["ann", "bob"], typing: ["ann"] });
});

const LONG = "x".repeat(65);
const ZEROS = "0".repeat(24);
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
  ["DELETE", "/rooms/lobby", 405, "method_not_allowed"],
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
  const state = { rooms: 1, connections: 1, messages_stored: 1 };
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
    assertEquals(await server.log.last("lobby", 10), []);
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
  assertEquals((await server.log.last("lobby", 10)).length, 1);
});

// What operators may do with their token, and nobody without it.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { createServer, Hub, KvRoomLog, tokenAuthorizer } from "@hubbub/hub";
import { exportRoom } from "../../src/http/room_export.ts";
import { needs } from "../helpers/permissions.ts";
import { assertRefused } from "../helpers/requests.ts";
import { TestClient } from "../helpers/test_client.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { serveAlone } from "../helpers/test_server.ts";

const net = needs("net");
const ADMIN = "an admin token of 32 characters..".replaceAll(" ", "_");

function asOperator(token = ADMIN): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${token}` } };
}

function send(url: string, body: unknown, token?: string): Promise<Response> {
  return fetch(url, { method: "POST", body: JSON.stringify(body), ...asOperator(token) });
}

const PATHS: [method: string, path: string][] = [
  ["GET", "/rooms"],
  ["GET", "/rooms/lobby/export"],
  ["POST", "/rooms/lobby/import"],
  ["DELETE", "/rooms/lobby"],
  ["DELETE", "/users?user=ann"],
  ["POST", "/compact"],
];

Deno.test(
  "Operators' routes are 404 without a token of the server, 401 with a wrong one",
  net,
  async () => {
    await using without = await serveAlone();
    await using server = await serveAlone({ adminToken: ADMIN });
    for (const [method, path] of PATHS) {
      const init = { method, body: method === "POST" ? "{}" : undefined };
      const request = (url: string, headers = {}) => fetch(url + path, { ...init, headers });
      await assertRefused(await request(without.url, asOperator().headers), 404, "not_found");
      await assertRefused(await request(server.url), 401, "unauthorized");
      const near = [ADMIN.slice(1), ADMIN + "x", ADMIN.toUpperCase(), "x".repeat(ADMIN.length), ""];
      for (const token of near) {
        await assertRefused(
          await request(server.url, asOperator(token).headers),
          401,
          "unauthorized",
        );
      }
      const other = await fetch(server.url + path, { ...asOperator(), method: "PUT", body: "{}" });
      await assertRefused(other, 405, "method_not_allowed");
    }
  },
);

Deno.test("createServer() takes no admin token that can be guessed", async () => {
  using kv = await Deno.openKv(":memory:");
  await using hub = new Hub(new KvRoomLog(kv), { alone: true });
  for (const adminToken of ["", "short", "x".repeat(31), " ".repeat(40), "ü".repeat(40)]) {
    assertThrows(() => createServer(hub, { adminToken }), RangeError, "32 characters");
  }
});

Deno.test("GET /rooms lists all rooms, page by page", net, async () => {
  await using server = await serveAlone({ adminToken: ADMIN });
  const names = ["..a", "A", "a", "b-1", "b-2"];
  for (const room of names) await server.hub.publish(room, "ann", { text: "hello" });
  const found: string[] = [];
  for (let after = ""; after !== "end";) {
    const query = new URLSearchParams({ limit: "2", after });
    const page = await (await fetch(`${server.url}/rooms?${query}`, asOperator())).json();
    assert(page.rooms.length <= 2);
    for (const { room, cursor } of page.rooms) {
      assertEquals(cursor, await server.log.head(room));
      found.push(room);
    }
    after = page.next ?? "end";
  }
  assertEquals(found, names);
  for (const query of ["limit=0", "limit=x", "limit[0]=1"]) {
    await assertRefused(
      await fetch(`${server.url}/rooms?${query}`, asOperator()),
      400,
      "bad_query",
    );
  }
});

Deno.test(
  "An operator posts as any user, without a member's rate and into every room",
  net,
  async () => {
    await using server = await serveAlone({
      adminToken: ADMIN,
      authorize: tokenAuthorizer({ secret: "a secret that is made for these tests" }),
      limits: { messages_per_second: 1, message_burst: 1 },
      requestsPerSecondPerAddress: 1,
    });
    const url = `${server.url}/rooms/lobby/messages`;
    for (let n = 0; n < 50; n++) {
      const response = await send(url, { user: n % 2 ? "ann" : "bob", text: `${n}` });
      assertEquals([response.status, (await response.json()).user], [201, n % 2 ? "ann" : "bob"]);
    }
    await assertRefused(await send(url, { text: "whose?" }), 400, "bad_user");
    await assertRefused(
      await send(url, { user: "ann", text: "hi" }, "x".repeat(40)),
      401,
      "unauthorized",
    );
  },
);

Deno.test("GET …/export streams every message, and import brings them back", net, async () => {
  await using server = await serveAlone({ adminToken: ADMIN });
  const texts = Array.from({ length: 1_200 }, (_, n) => `message ${n} ${"ü".repeat(n % 50)}`);
  await Promise.all(texts.map((text, n) => server.hub.publish("a", `user ${n % 7}`, { text })));
  await server.hub.publish("a", "ann", { text: "once", ref: "1" }, { name: "Ann Lee" });
  await server.hub.publish("a", "ann", { text: "once", ref: "1" });
  const response = await fetch(`${server.url}/rooms/a/export`, asOperator());
  assertEquals(response.headers.get("content-type"), "application/x-ndjson");
  const lines = (await response.text()).split("\n");
  assertEquals(lines.pop(), "");
  const messages = lines.map((line) => JSON.parse(line));
  assertEquals(messages.map(({ text }) => text), [...texts, "once"]);
  assertEquals(messages.at(-1).name, "Ann Lee");

  const cursors: string[] = [];
  for (let i = 0; i < messages.length; i += 500) {
    const body = { messages: messages.slice(i, i + 500) };
    const imported = await send(`${server.url}/rooms/b/import`, body);
    assertEquals(imported.status, 201);
    cursors.push(...(await imported.json()).cursors);
  }
  const copy = await (await fetch(`${server.url}/rooms/b/export`, asOperator())).text();
  const copied = copy.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(copied.map(({ cursor }) => cursor), cursors);
  const content = (
    { user, name, text, sent_at }: Record<string, string>,
  ) => [user, name, text, sent_at];
  assertEquals(copied.map(content), messages.map(content));
  const empty = await fetch(`${server.url}/rooms/nobody/export`, asOperator());
  assertEquals([empty.status, await empty.text()], [200, ""]);
});

Deno.test(
  "An export has messages as they are now, and an import gives all of it back",
  net,
  async () => {
    await using server = await serveAlone({ adminToken: ADMIN });
    const { hub, url } = server;
    const say = async (user: string, text: string, more = {}) => {
      const outcome = await hub.publish("a", user, { text, ...more });
      assert(outcome.status === "stored");
      return outcome.record.cursor;
    };
    const first = await say("ann", "one", { data: { n: 1 } });
    const gone = await say("bob", "a secret");
    const answer = await say("bob", "two", { reply_to: first });
    const plain = await say("ann", "three", { reply_to: gone });
    await hub.change("a", "ann", { kind: "edit", cursor: first, text: "one!", data: { n: 2 } });
    await hub.change("a", "bob", { kind: "delete", cursor: gone });
    for (let n = 0; n < 60; n++) {
      const draft = { kind: "reaction", cursor: answer, emoji: "👍", status: true } as const;
      await hub.change("a", `user ${n}`, draft);
    }
    await hub.change("a", "ann", { kind: "reaction", cursor: answer, emoji: "🎉", status: true });
    const linesOf = async (room: string) => {
      const text = await (await fetch(`${url}/rooms/${room}/export`, asOperator())).text();
      assert(!text.includes("a secret"));
      return text.trimEnd().split("\n").map((line) => JSON.parse(line));
    };
    const exported = await linesOf("a");
    assertEquals(exported.map(({ text }) => text), ["one!", undefined, "two", "three"]);
    assertEquals([exported[1].deleted, "text" in exported[1]], [true, false]);
    assertEquals(exported[2].reactions.map(({ users }: { users: [] }) => users.length), [60, 1]);

    // Who is muted or banned by now has said it before.
    await hub.sanctions.impose("b", { user: "bob", kind: "ban" });
    await hub.sanctions.imposeEverywhere({ user: "user 3", kind: "mute" });
    const imported = await send(`${url}/rooms/b/import`, { messages: exported });
    assertEquals(imported.status, 201);
    const { cursors } = await imported.json();
    const again = await linesOf("b");
    const places = new Map(exported.map(({ cursor }, index) => [cursor, cursors[index]]));
    assertEquals(places.get(plain), cursors[3]);
    const same = ({ id: _id, room: _room, changed: _changed, ...rest }: Record<string, unknown>) =>
      rest;
    assertEquals(
      again.map(same),
      exported.map((message) => {
        const { reply_to } = message;
        const moved = { ...message, cursor: places.get(message.cursor) };
        return same(reply_to === undefined ? moved : { ...moved, reply_to: places.get(reply_to) });
      }),
    );
  },
);

Deno.test("An export goes on while members write, and ends", net, async () => {
  await using server = await serveAlone({ adminToken: ADMIN });
  for (let n = 0; n < 600; n++) void server.hub.publish("a", "ann", { text: `${n}` });
  await server.hub.publish("a", "ann", { text: "last of the first" });
  await using bob = await TestClient.join(server.url, "/rooms/a/ws?user=bob");
  const response = await fetch(`${server.url}/rooms/a/export`, asOperator());
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let n = 0;; n++) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
    if (n === 0) await bob.store("meanwhile");
  }
  const said = text.trimEnd().split("\n").map((line) => JSON.parse(line).text);
  assertEquals([said.length, said.at(-1)], [601, "last of the first"]);
});

Deno.test("An export reads no further than what is taken of it", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  await Promise.all(
    Array.from({ length: 2_000 }, (_, n) => hub.publish("a", "ann", { text: `${n}` })),
  );
  let reads = 0;
  const after = log.after.bind(log);
  log.after = (room, cursor, options) => {
    reads++;
    return after(room, cursor, options);
  };
  const reader = exportRoom(hub, "a").getReader();
  for (let n = 1; n <= 3; n++) {
    await reader.read();
    assertEquals(reads, n);
  }
  await reader.cancel();
  assertEquals(reads, 3);
  await hub.drain();
});

Deno.test("An import is checked as a whole before anything of it is stored", net, async () => {
  await using server = await serveAlone({ adminToken: ADMIN });
  const good = { user: "ann", text: "hello", sent_at: "2026-01-02T03:04:05.678Z" };
  const wrong: unknown[] = [
    {},
    { messages: 7 },
    { messages: Array(501).fill(good) },
    { messages: [good, 7] },
    { messages: [good, { ...good, user: undefined }] },
    { messages: [good, { ...good, user: "\u202e" }] },
    { messages: [good, { ...good, text: "" }] },
    { messages: [good, { ...good, sent_at: "yesterday" }] },
    { messages: [good, { ...good, sent_at: "2026-13-40T03:04:05.678Z" }] },
    { messages: [good, { ...good, edited_at: 7 }] },
    { messages: [good, { ...good, reactions: null }] },
    { messages: [good, { ...good, deleted: 0 }] },
    { messages: [good, { ...good, deleted: true, text: 7 }] },
    { messages: [good, { ...good, deleted: true, reactions: {} }] },
    { messages: [good, { ...good, name: 7 }] },
    { messages: [good, { ...good, name: "\u202e" }] },
    { messages: [good, { ...good, reactions: [{ emoji: "", users: ["bob"] }] }] },
    { messages: [good, { ...good, reactions: [{ emoji: "👍", users: "bob" }] }] },
    { messages: [good, { ...good, reactions: [{ emoji: "👍", users: Array(1_001).fill("a") }] }] },
  ];
  for (const body of wrong) {
    await assertRefused(await send(`${server.url}/rooms/a/import`, body), 400, "bad_body");
  }
  assertEquals(await server.log.last("a", { limit: 10 }), []);
});

Deno.test("GET /metrics may be for operators alone", net, async () => {
  await using server = await serveAlone({ adminToken: ADMIN, adminMetrics: true });
  await assertRefused(await fetch(`${server.url}/metrics`), 401, "unauthorized");
  const response = await fetch(`${server.url}/metrics`, asOperator());
  assert((await response.text()).includes("hubbub_rooms"));
  const health = await fetch(`${server.url}/health`);
  assertEquals([health.status, (await health.json()).status], [200, "ok"]);
});

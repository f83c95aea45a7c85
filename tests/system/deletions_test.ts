// Rooms that are deleted and users that are erased, over the wire, on several isolates.

import { assert, assertEquals } from "@std/assert";
import { MultiRoomClient } from "../helpers/multi_room_client.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { assertRefused } from "../helpers/requests.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serve, serveAlone, type TestServer } from "../helpers/test_server.ts";

const net = needs("net");
const ADMIN = "x".repeat(32);
const options = { adminToken: ADMIN, alone: false };

function asOperator(url: string, path: string, method = "GET"): Promise<Response> {
  return fetch(url + path, { method, headers: { authorization: `Bearer ${ADMIN}` } });
}

async function deleteRoom(url: string, room: string): Promise<void> {
  const response = await asOperator(url, `/rooms/${room}`, "DELETE");
  assertEquals([response.status, await response.text()], [204, ""]);
}

async function json(url: string, path: string) {
  return await (await asOperator(url, path)).json();
}

async function connect({ url }: TestServer, user: string, room = "lobby") {
  const client = await MultiRoomClient.connect(url, user);
  await client.join(room);
  return client;
}

async function say({ hub }: TestServer, room: string, user: string, text: string): Promise<string> {
  const result = await hub.publish(room, user, { text });
  assert(result.status === "stored");
  return result.record.cursor;
}

/** The events of a stream, until it ends. */
async function readAll(response: Response): Promise<string> {
  return await response.text();
}

Deno.test(
  "A deleted room is gone at once for everybody, and what comes later is a new one",
  net,
  async () => {
    using kv = await Deno.openKv(":memory:");
    await using one = serve(kv, options);
    await using two = serve(kv, options);
    const old = await say(one, "lobby", "ann", "secret 1");
    await one.hub.change("lobby", "ann", { kind: "edit", cursor: old, text: "secret 2" });
    await one.hub.sanctions.impose("lobby", { user: "eve", kind: "ban" });
    await say(one, "other", "ann", "kept");
    await using ann = await connect(one, "ann");
    await using bob = await connect(two, "bob");
    await bob.join("other");
    await using cleo = await TestClient.join(two.url, "/rooms/lobby/ws?user=cleo");
    const events = await fetch(`${two.url}/rooms/lobby/events`);
    const streamed = readAll(events);
    await deleteRoom(one.url, "lobby");
    // No wait: a request that comes after the answer finds nothing, at whichever isolate.
    for (const { url } of [one, two]) {
      const page = await json(url, "/rooms/lobby/messages");
      assertEquals([page.messages, page.older, page.newer], [[], null, null]);
      const after = await json(url, `/rooms/lobby/messages?after=${old}`);
      assertEquals([after.messages, after.changes], [[], []]);
      const message = await asOperator(url, `/rooms/lobby/messages/${old}`);
      await assertRefused(message, 404, "not_found");
      assertEquals(await (await asOperator(url, "/rooms/lobby/export")).text(), "");
      assertEquals((await json(url, "/rooms")).rooms.map(({ room }: { room: string }) => room), [
        "other",
      ]);
    }
    for (const client of [ann, bob]) {
      await client.until(({ envelopes }) => envelopes.some(({ type }) => type === "left"));
      assertEquals(client.of("left").map(({ room, payload }) => [room, payload.code]), [
        ["lobby", "room_deleted"],
      ]);
    }
    assertEquals((await cleo.closed).code, 4504);
    const last = (await streamed).trim().split("\n\n").at(-1)!;
    assert(/^event: ?error\ndata: ?\{"code":"room_deleted"/m.test(last), last);
    assertEquals((await json(two.url, "/rooms/lobby/sanctions")).sanctions, []);

    // The old sanctions are gone with the room, and so are its messages.
    await say(two, "lobby", "eve", "new");
    bob.send({ type: "join", room: "lobby", payload: { after: old } });
    await bob.until((client) => client.of("joined", "lobby").length === 2);
    const [, joined] = bob.of("joined", "lobby");
    assertEquals(joined.payload.recovered, false);
    assertEquals(bob.said("lobby").at(-1), "new");
    assert(joined.payload.cursor > old, "places go on rising");
    const page = await json(one.url, "/rooms/lobby/messages");
    assertEquals(page.messages.map(({ text }: { text: string }) => text), ["new"]);
    // The other room has noticed nothing, and no isolate has taken it for a restored database.
    bob.send({ type: "chat_message", room: "other", payload: { text: "here" } });
    await bob.until((client) => client.said("other").includes("here"));
    for (const { hub, events } of [one, two]) {
      assertEquals(hub.metrics.storeWentBack, 0);
      assertEquals(events.filter(({ level }) => level === "error"), []);
    }
    assertEquals([one.hub.metrics.roomsDeleted, two.hub.metrics.roomsDeleted], [1, 0]);
    await eventually(async () => {
      const listed = kv.list({ prefix: ["rooms", "lobby", "log"] });
      return (await Array.fromAsync(listed)).length === 1;
    }, "the keys to go");
  },
);

Deno.test("A room is deleted while members write, and again and again", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using one = serve(kv, options);
  await using two = serve(kv, options);
  const servers = [one, two];
  let isOver = false;
  const stored: { text: string; cursor: string }[] = [];
  const writing = servers.map(async ({ hub }, writer) => {
    for (let i = 0; !isOver; i++) {
      const text = `${writer} ${i}`;
      const result = await hub.publish("lobby", `w${writer}`, { text, ref: text });
      assert(result.status === "stored", JSON.stringify(result));
      stored.push({ text, cursor: result.record.cursor });
    }
  });
  const places: string[] = [];
  for (let round = 0; round < 5; round++) {
    await using member = await connect(servers[round % 2], "ann");
    await member.until((client) => client.said("lobby").length > 5);
    await deleteRoom(servers[(round + 1) % 2].url, "lobby");
    places.push((await one.log.meta("lobby")).from);
    await member.until((client) => client.of("left").length > 0);
    // All that it saw stood before the deletion, in order.
    const seen = member.of("chat_message").map(({ payload }) => payload.cursor);
    assertEquals(seen, seen.toSorted());
    assert(seen.at(-1)! < places[round], `${seen.at(-1)} was seen after ${places[round]}`);
  }
  isOver = true;
  await Promise.all(writing);
  const expected = stored.filter(({ cursor }) => cursor > places[4]).map(({ text }) => text);
  const page = await one.log.after("lobby", places[4], { limit: Infinity });
  const texts = page.map(({ envelope }) => JSON.parse(envelope).payload.text);
  assertEquals(new Set(texts), new Set(expected), "nothing that came later is lost");
  await using late = await connect(two, "late");
  assertEquals(late.said("lobby").at(-1), texts.at(-1));
  assertEquals([one.hub.metrics.storeWentBack, two.hub.metrics.storeWentBack], [0, 0]);
});

Deno.test("An erased user's messages are gone for everybody, others' are not", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using one = serve(kv, options);
  await using two = serve(kv, options);
  const cursors: string[] = [];
  for (let i = 0; i < 30; i++) {
    cursors.push(await say(one, "lobby", i % 3 === 0 ? "mallory" : "ann", `lobby ${i}`));
  }
  await one.hub.change("lobby", "mallory", {
    kind: "reaction",
    cursor: cursors[1],
    emoji: "👍",
    status: true,
  });
  const [edited] = cursors;
  await one.hub.change("lobby", "mallory", { kind: "edit", cursor: edited, text: "secret" });
  await say(one, "other", "ann", "kept");
  await say(two, "third", "mallory", "third");
  await using bob = await connect(two, "bob");
  await using old = await TestClient.join(two.url, "/rooms/lobby/ws?user=old");
  const { cursor: seen } = bob.of("joined")[0].payload;
  const response = await asOperator(one.url, "/users?user=mallory", "DELETE");
  assertEquals(response.headers.get("content-type"), "application/x-ndjson");
  const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.at(-1), { rooms: 3, messages: 11, reactions: 1, done: true });
  for (const { url } of [one, two]) {
    const { messages } = await json(url, "/rooms/lobby/messages?limit=100");
    for (const { user, deleted, text, reactions } of messages) {
      const isGone = user === "mallory";
      assertEquals([deleted ?? false, text === undefined, reactions], [isGone, isGone, undefined]);
    }
    assertEquals(messages.length, 30);
    assertEquals((await json(url, "/rooms/third/messages")).messages[0].deleted, true);
    const after = await json(url, `/rooms/lobby/messages?after=${cursors[28]}`);
    assertEquals(after.erased, ["mallory"]);
    const changes = await json(url, `/rooms/lobby/messages?after=${edited}`);
    assert(!JSON.stringify(changes).includes("secret"));
  }
  await bob.until((client) => client.of("user_erased").length === 1);
  assertEquals(bob.of("user_erased"), [
    { type: "user_erased", room: "lobby", payload: { user: "mallory" } },
  ]);
  assertEquals(await old.first("user_erased", () => true), { user: "mallory" });
  // Who was away is told too, and a new message of that name is no tombstone.
  await say(two, "lobby", "mallory", "back");
  await using back = await MultiRoomClient.connect(two.url, "back");
  back.send({ type: "join", room: "lobby", payload: { after: seen } });
  await back.until((client) => client.of("joined").length === 1);
  assertEquals(back.of("joined")[0].payload.recovered, true);
  assertEquals(back.envelopes.slice(1).map(({ type }) => type), [
    "user_erased",
    "chat_message",
    "joined",
  ]);
  assertEquals(back.said("lobby"), ["back"]);
  // A late retry is not posted again, and a late edit finds nothing.
  const late = await two.hub.change("lobby", "mallory", {
    kind: "edit",
    cursor: edited,
    text: "x",
  });
  assert(late.status === "refused");
  assertEquals(late.problem.code, "not_found");
  const again = await asOperator(two.url, "/users?user=nobody", "DELETE");
  assertEquals(JSON.parse(await again.text()), { rooms: 3, messages: 0, reactions: 0, done: true });
});

Deno.test("POST /compact says what it came to, or that the store cannot", net, async () => {
  await using server = await serveAlone(options);
  await assertRefused(await asOperator(server.url, "/compact", "POST"), 501, "not_supported");
  server.log.compact = () => Promise.resolve({ before: 2_000, after: 1_000 });
  const { before_bytes, after_bytes, took_ms } = await (await asOperator(
    server.url,
    "/compact",
    "POST",
  )).json();
  assertEquals([before_bytes, after_bytes, took_ms >= 0], [2_000, 1_000, true]);
  const wrong = await asOperator(server.url, "/users", "DELETE");
  await assertRefused(wrong, 400, "bad_user");
});

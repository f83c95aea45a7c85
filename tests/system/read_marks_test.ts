// Read marks and the rooms of a user, over HTTP.

import { assert, assertEquals } from "@std/assert";
import { type Authorize, BroadcastChannelFanout, type RoomRole, tokenOf } from "@hubbub/hub";
import { commitOf } from "../../src/store/cursor.ts";
import { USER_ROOMS_MAX } from "../../src/hub/user_marks.ts";
import { MultiRoomClient } from "../helpers/multi_room_client.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { assertRefused } from "../helpers/requests.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";

const net = needs("net");

/** A token is a user's name; to "mallory" every room is shut that begins with "secret". */
const authorize: Authorize = (request) => {
  const user = decodeURIComponent(tokenOf(request) ?? "");
  const roleIn = (room: string): RoomRole => {
    return user === "mallory" && room.startsWith("secret") ? "none" : "member";
  };
  return user === "" ? { denied: "Who are you?" } : { user, roleIn };
};

/** What a user does over HTTP. */
class User {
  constructor(readonly url: string, readonly name: string) {}

  request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${encodeURIComponent(this.name)}` };
    return fetch(this.url + path, { ...init, headers });
  }

  async say(room: string, ...texts: string[]): Promise<string> {
    let cursor = "";
    for (const text of texts) {
      const body = JSON.stringify({ text });
      const response = await this.request(`/rooms/${room}/messages`, { method: "POST", body });
      assertEquals(response.status, 201, await response.clone().text());
      ({ cursor } = await response.json());
    }
    return cursor;
  }

  async read(room: string, cursor: string): Promise<Record<string, unknown>> {
    const response = await this.mark(room, { read: cursor });
    assertEquals(response.status, 200, await response.clone().text());
    return await response.json();
  }

  mark(room: string, body: object): Promise<Response> {
    const init = { method: "PUT", body: JSON.stringify(body) };
    return this.request(`/users/me/rooms?room=${room}`, init);
  }

  // deno-lint-ignore no-explicit-any
  async rooms(query = ""): Promise<any> {
    const response = await this.request(`/users/me/rooms${query}`);
    assertEquals(response.status, 200, await response.clone().text());
    return await response.json();
  }

  async unread(): Promise<Record<string, [unread: number, mentions: number]>> {
    const { rooms } = await this.rooms();
    return Object.fromEntries(rooms.map((of: Record<string, unknown>) => {
      return [of.room, [of.unread, of.mentions]];
    }));
  }
}

Deno.test("A user's rooms say what is unread, and what mentions the user", net, async () => {
  await using server = await serveAlone({ authorize });
  const [ann, bob] = ["ann", "bob"].map((name) => new User(server.url, name));
  assertEquals(await ann.rooms(), { rooms: [], next: null });
  const first = await ann.say("lobby", "hello");
  await bob.say("lobby", "hi @ann", "@annette and ann@bob.example", "and @Ann, again");
  const last = await bob.say("lobby", "bye");
  const own = await ann.say("other", "mine");
  // One's own messages are not unread; those who were never in a room have it not in their list.
  assertEquals(await ann.unread(), { lobby: [4, 2], other: [0, 0] });
  assertEquals(await bob.unread(), { lobby: [0, 0] });
  const { rooms: [newest, lobby], next } = await ann.rooms();
  assertEquals([newest.room, newest.cursor, newest.read, next], ["other", own, own, null]);
  assertEquals([lobby.room, lobby.cursor, lobby.read], ["lobby", last, first]);
  assertEquals([lobby.last.text, lobby.last.cursor], ["bye", last]);
  assertEquals(await ann.read("lobby", lobby.last.cursor), {
    room: "lobby",
    read: last,
    unread: 0,
    mentions: 0,
  });
  assertEquals((await ann.rooms()).rooms[1].read, last);
  // A mark never goes back.
  await ann.read("lobby", first);
  assertEquals(await ann.unread(), { lobby: [0, 0], other: [0, 0] });
  await bob.say("lobby", "@ann");
  assertEquals((await ann.unread()).lobby, [1, 1]);
});

Deno.test("What was deleted or edited counts as it is now", net, async () => {
  await using server = await serveAlone({ authorize });
  const [ann, bob] = ["ann", "bob"].map((name) => new User(server.url, name));
  await ann.say("lobby", "hello");
  const cursors = [await bob.say("lobby", "@ann one"), await bob.say("lobby", "two")];
  await bob.say("lobby", "three @ann");
  const change = async (method: string, cursor: string, body?: object) => {
    const path = `/rooms/lobby/messages/${cursor}`;
    const response = await bob.request(path, { method, body: body && JSON.stringify(body) });
    const text = await response.text();
    assert(response.ok, text);
  };
  await change("DELETE", cursors[0]);
  await change("PATCH", cursors[1], { text: "two @ann" });
  assertEquals(await ann.unread(), { lobby: [2, 2] });
});

Deno.test("More than 99 are 100, and a long log is not read to its end", net, async () => {
  await using server = await serveAlone({ authorize });
  const [ann, bob] = ["ann", "bob"].map((name) => new User(server.url, name));
  for (const room of ["many", "long"]) await ann.say(room, "hello");
  const { hub } = server;
  const messages = Array.from({ length: 150 }, (_, index) => `@ann ${index}`);
  await Promise.all(messages.map((text) => hub.publish("many", "bob", { text })));
  const text = "x".repeat(16_000);
  await Promise.all(messages.map(() => hub.publish("long", "bob", { text })));
  const { many, long } = await ann.unread();
  assertEquals(many, [100, 100]);
  assert(long[0] >= 10 && long[0] < 30, `${long}`);
  assertEquals(await bob.unread(), {});
});

Deno.test("Lists of rooms come in pages, newest first", net, async () => {
  await using server = await serveAlone({ authorize });
  const ann = new User(server.url, "ann");
  const names = Array.from({ length: 12 }, (_, index) => `room-${index}`);
  for (const room of names) await ann.say(room, "hello");
  const seen: string[] = [];
  let next: string | null = "";
  do {
    const query: string = next ? `?limit=5&after=${encodeURIComponent(next)}` : "?limit=5";
    const page = await ann.rooms(query);
    seen.push(...page.rooms.map(({ room }: { room: string }) => room));
    next = page.next;
  } while (next);
  assertEquals(seen, names.toReversed());
  await ann.say("room-3", "again");
  assertEquals((await ann.rooms("?limit=1")).rooms[0].room, "room-3");
  for (
    const wrong of ["limit=0", "after=", "after=x", `after=${"0".repeat(20)}.${"x".repeat(65)}`]
  ) {
    await assertRefused(await ann.request(`/users/me/rooms?${wrong}`), 400, "bad_query");
  }
  const forgotten = await ann.request("/users/me/rooms?room=room-3", { method: "DELETE" });
  assertEquals(forgotten.status, 204);
  assertEquals((await ann.rooms("?limit=1")).rooms[0].room, "room-11");
  await ann.say("room-3", "and again");
  assertEquals((await ann.rooms("?limit=1")).rooms[0].room, "room-3");
});

Deno.test("Nobody sees what is unread in rooms that are shut or banned", net, async () => {
  await using server = await serveAlone({ authorize, adminToken: "x".repeat(32) });
  const [mallory, bob] = ["mallory", "bob"].map((name) => new User(server.url, name));
  for (const room of ["lobby", "banned"]) await mallory.say(room, "hello");
  await server.hub.log.userRooms.mark("mallory", new Map([["secret", "0".repeat(20)]]));
  const cursor = await bob.say("secret", "for your eyes only");
  for (const room of ["lobby", "banned"]) await bob.say(room, "hello");
  await server.hub.sanctions.impose("banned", { user: "mallory", kind: "ban" });
  assertEquals(await mallory.unread(), { lobby: [1, 0] });
  await assertRefused(await mallory.mark("secret", { read: cursor }), 403, "forbidden");
  await assertRefused(await mallory.mark("banned", { read: cursor }), 403, "banned");
});

Deno.test("Marks that are none are refused, and an open hub has none", net, async () => {
  await using server = await serveAlone({ authorize });
  const ann = new User(server.url, "ann");
  const cursor = await ann.say("lobby", "hello");
  await assertRefused(await ann.mark("lobby", { read: "z".repeat(20) }), 404, "not_found");
  await assertRefused(await ann.mark("lobby", { read: 7 }), 400, "bad_cursor");
  await assertRefused(await ann.mark("lobby", {}), 400, "bad_cursor");
  await assertRefused(await ann.mark("lobby", { read: cursor, unread: 0 }), 400, "unknown_field");
  await assertRefused(await ann.mark("no room", { read: cursor }), 400, "bad_room");
  await assertRefused(await fetch(`${server.url}/users/me/rooms`), 401, "unauthorized");
  const method = "POST";
  await assertRefused(await ann.request("/users/me/rooms", { method }), 405, "method_not_allowed");
  await using open = await serveAlone();
  for (const method of ["GET", "PUT", "DELETE"]) {
    await assertRefused(
      await fetch(`${open.url}/users/me/rooms?room=lobby`, { method }),
      404,
      "not_found",
    );
  }
});

Deno.test("Marks are kept over a restart, and beyond 500 rooms the oldest goes", net, async () => {
  using kv = await Deno.openKv(":memory:");
  {
    await using server = serve(kv, { authorize });
    const ann = new User(server.url, "ann");
    await ann.say("lobby", "hello");
    const cursor = await ann.say("other", "hello");
    const names = Array.from({ length: USER_ROOMS_MAX - 2 }, (_, index) => `room-${index}`);
    const marks = new Map(names.map((room) => [room, commitOf(cursor)]));
    await server.hub.log.userRooms.mark("ann", marks);
    assertEquals((await server.hub.reads.list("ann")).size, USER_ROOMS_MAX);
    await ann.say("one-more", "hello");
  }
  await using server = serve(kv, { authorize });
  const rooms = await server.hub.reads.list("ann");
  assertEquals([rooms.size, rooms.has("lobby"), rooms.has("one-more")], [
    USER_ROOMS_MAX,
    false,
    true,
  ]);
});

Deno.test("Over protocol 2 one's other connections are told, on every isolate", net, async () => {
  using kv = await Deno.openKv(":memory:");
  const name = crypto.randomUUID();
  const start = () => serve(kv, { authorize, fanout: new BroadcastChannelFanout(name) });
  await using a = start();
  await using b = start();
  const bob = new User(a.url, "bob");
  const connect = async (url: string) => {
    const client = new MultiRoomClient(url, "token=ann");
    await client.until(({ envelopes }) => envelopes.length > 0);
    await client.join("lobby");
    return client;
  };
  await bob.say("lobby", "before ann came");
  await using one = await connect(a.url);
  await using two = await connect(a.url);
  await using far = await connect(b.url);
  const [{ payload: joined }] = one.of("joined");
  // Who comes for the first time has read what is there.
  assertEquals(joined.read, joined.cursor);
  const cursors = [await bob.say("lobby", "hi @ann"), await bob.say("lobby", "and bye @ann")];
  for (const client of [one, two, far]) await client.until((c) => c.said("lobby").length === 3);
  const read = (cursor: string) => ({ type: "read", room: "lobby", payload: { cursor } }) as const;
  one.send(read(cursors[0]));
  for (const client of [two, far]) await client.until((c) => c.of("read").length === 1);
  for (const client of [two, far]) {
    assertEquals(client.of("read")[0].payload, { cursor: cursors[0], unread: 1, mentions: 1 });
  }
  // The last one is never dropped, and none goes back.
  two.send(read(cursors[1]), read(cursors[0]), read(joined.cursor));
  for (const client of [one, far]) {
    await client.until((c) => c.of("read").some(({ payload }) => payload.cursor === cursors[1]));
  }
  assertEquals(one.of("read").map(({ payload }) => payload.unread), [0]);
  const ann = new User(b.url, "ann");
  await eventually(async () => (await ann.unread()).lobby[0] === 0, "the mark to be stored");
  far.send({ type: "leave", room: "lobby" });
  await far.join("lobby");
  assertEquals(far.of("joined")[1].payload.read, cursors[1]);
  // What is moved over HTTP is told as well.
  const last = await bob.say("lobby", "once more");
  await one.until((c) => c.said("lobby").includes("once more"));
  await ann.read("lobby", last);
  await one.until((c) => c.of("read").some(({ payload }) => payload.cursor === last));
  one.send(read("z".repeat(20)));
  await one.until((c) => c.of("error").length === 1);
  assertEquals(one.of("error")[0].payload.code, "not_found");
});

Deno.test("In an open hub there are no marks over protocol 2 either", net, async () => {
  await using server = await serveAlone();
  await using ann = await MultiRoomClient.connect(server.url, "ann");
  await ann.join("lobby");
  const [{ payload: { cursor, read } }] = ann.of("joined");
  assertEquals(read, undefined);
  ann.send({ type: "read", room: "lobby", payload: { cursor } });
  await ann.until((c) => c.of("error").length === 1);
  const { code, for: type } = ann.of("error")[0].payload;
  assertEquals([code, type], ["forbidden", "read"]);
});

Deno.test(
  "A room that was taken off the list stays off while another device watches it",
  net,
  async () => {
    using kv = await Deno.openKv(":memory:");
    await using server = serve(kv, { authorize });
    const [ann, bob] = [new User(server.url, "ann"), new User(server.url, "bob")];
    const connect = async () => {
      const client = new MultiRoomClient(server.url, "token=ann");
      await client.until(({ envelopes }) => envelopes.length > 0);
      return client;
    };
    for (const room of ["lobby", "tea"]) await bob.say(room, "hello");
    {
      await using desk = await connect();
      for (const room of ["lobby", "tea"]) await desk.join(room);
      const isListed = async () => Object.keys(await ann.unread()).length === 2;
      await eventually(isListed, "the rooms to be listed");
    }
    const gone = await ann.request("/users/me/rooms?room=tea", { method: "DELETE" });
    assertEquals(gone.status, 204);
    // A list that has not heard of it joins the room anew, as after a reconnect.
    await using phone = await connect();
    phone.send({ type: "join", room: "tea", payload: { presence: false } });
    await phone.join("den");
    const hasDen = async () => "den" in await ann.unread();
    await eventually(hasDen, "what came after it to be listed");
    assertEquals(Object.keys(await ann.unread()).sort(), ["den", "lobby"]);
  },
);

Deno.test("Marks that a stop finds unwritten are written by it", net, async () => {
  using kv = await Deno.openKv(":memory:");
  const cursors: string[] = [];
  {
    await using server = serve(kv, { authorize });
    const bob = new User(server.url, "bob");
    cursors.push(await bob.say("lobby", "one"));
    await using ann = new MultiRoomClient(server.url, "token=ann");
    await ann.until(({ envelopes }) => envelopes.length > 0);
    await ann.join("lobby");
    cursors.push(await bob.say("lobby", "two"), await bob.say("lobby", "three"));
    await ann.until((c) => c.said("lobby").length === 3);
    for (const cursor of cursors) {
      ann.send({ type: "read", room: "lobby", payload: { cursor } });
    }
    ann.send({ type: "ping" });
    await ann.until((c) => c.of("pong").length === 1);
  }
  await using server = serve(kv, { authorize });
  assertEquals((await new User(server.url, "ann").rooms()).rooms[0].read, cursors[2]);
});

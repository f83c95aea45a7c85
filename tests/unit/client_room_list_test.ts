import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type ChatClient, ChatError } from "@hubbub/hub/client";
import type { UserRoom } from "@hubbub/hub/protocol";
import { said, startClient } from "../helpers/fake_hub.ts";
import { cursor, settle } from "../helpers/fake_socket.ts";
import { FakeStorage } from "../helpers/fake_storage.ts";

/** A server that lists rooms over HTTP, and keeps what it was asked. */
class FakeLister {
  readonly asked: string[] = [];
  rooms: UserRoom[] | undefined = [];
  status = 200;
  readonly fetch: typeof fetch = (input, init) => {
    const { pathname, searchParams } = new URL(String(input));
    this.asked.push(`${init?.method} ${pathname}?${searchParams}`);
    if (pathname.endsWith("/messages")) return answer({ messages: [], newer: null });
    if (this.status === 403) return refuse("forbidden", 403);
    if (this.status !== 200) return Promise.resolve(new Response("", { status: this.status }));
    if (!this.rooms) return refuse("not_found", 404);
    if (init?.method !== "GET") return Promise.resolve(new Response(null, { status: 204 }));
    const from = Number(searchParams.get("after") ?? 0);
    const to = from + Number(searchParams.get("limit"));
    const next = to < this.rooms.length ? String(to) : null;
    return answer({ rooms: this.rooms.slice(from, to), next });
  };

  /** What was asked for the list. */
  get lists(): number {
    return this.asked.filter((line) => line.startsWith("GET /base/users/me/rooms")).length;
  }
}

function answer(body: object): Promise<Response> {
  return Promise.resolve(Response.json(body));
}

function refuse(code: string, status: number): Promise<Response> {
  return Promise.resolve(Response.json({ error: { code, message: "No" } }, { status }));
}

function listed(room: string, number: number, more: Partial<UserRoom> = {}): UserRoom {
  const last = {
    id: "",
    room,
    cursor: cursor(number),
    user: "bob",
    text: `text ${number}`,
    sent_at: "2026-01-01T00:00:00.000Z",
  };
  const [place, read] = [cursor(number), cursor(number)];
  return { room, cursor: place, unread: 0, mentions: 0, read, last, ...more };
}

const shown = (client: ChatClient) =>
  client.rooms.snapshot.rooms.map(({ room, unread, mentions }) => [room, unread, mentions]);

async function answered(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await settle();
}

Deno.test("ChatClient.rooms are the user's, live, newest first", async () => {
  const lister = new FakeLister();
  lister.rooms = [
    listed("news", 5, { unread: 3, mentions: 1, read: cursor(1) }),
    listed("lobby", 4),
  ];
  using test = await startClient({ fetch: lister.fetch });
  test.socket.welcome();
  const { rooms } = test.client;
  assertEquals([rooms.snapshot.status, rooms.snapshot.rooms, lister.asked], ["idle", [], []]);
  const unsubscribe = rooms.subscribe(() => {});
  await Promise.resolve();
  assertEquals(rooms.snapshot.status, "loading");
  await answered();
  assertEquals(rooms.snapshot.status, "live");
  assertEquals(shown(test.client), [["news", 3, 1], ["lobby", 0, 0]]);
  assertEquals(rooms.snapshot.rooms[0].last?.text, "text 5");
  assertStrictEquals(rooms.snapshot, rooms.snapshot);
  // Without being shown as here, from where the list stands.
  assertEquals(test.socket.sent("join").map(({ room, payload }) => [room, payload]), [
    ["news", { after: cursor(5), history: 1, presence: false }],
    ["lobby", { after: cursor(4), history: 1, presence: false }],
  ]);
  test.socket.join("news", { cursor: cursor(5), read: cursor(1) });
  test.socket.join("lobby", { cursor: cursor(4), read: cursor(4) });
  const [before] = rooms.snapshot.rooms;
  test.socket.say(said("lobby", 6, { text: "hi @ann" }));
  assertEquals(shown(test.client), [["lobby", 1, 1], ["news", 3, 1]]);
  // What did not change is the same object.
  assertStrictEquals(rooms.snapshot.rooms[1], before);
  test.socket.say({
    type: "read",
    room: "lobby",
    payload: { cursor: cursor(6), unread: 0, mentions: 0 },
  });
  assertEquals(shown(test.client)[0], ["lobby", 0, 0]);
  // Read to its end here, without a room of its own.
  test.client.room("news").markRead();
  assertEquals(shown(test.client), [["lobby", 0, 0], ["news", 0, 0]]);
  await settle();
  assertEquals(test.socket.sent("read").map(({ payload }) => payload.cursor), [cursor(5)]);
  unsubscribe();
  await settle();
  assertEquals([rooms.snapshot.status, test.socket.sent("leave").length], ["idle", 2]);
});

Deno.test("A room of the list that is opened is joined anew as a member, and back", async () => {
  const lister = new FakeLister();
  lister.rooms = [listed("lobby", 4, { unread: 2, read: cursor(1) })];
  using test = await startClient({ fetch: lister.fetch });
  test.socket.welcome();
  const { rooms } = test.client;
  rooms.subscribe(() => {});
  await answered();
  test.socket.join("lobby", { cursor: cursor(4), read: cursor(1) });
  const lobby = test.client.room("lobby", { history: 50 });
  assertEquals([lobby.snapshot.status, lobby.snapshot.unread], ["idle", 2]);
  const leave = lobby.subscribe(() => {});
  await settle();
  assertEquals(test.socket.frames.at(-1)?.map(({ type, payload }) => [type, payload]), [
    ["leave", {}],
    ["join", { history: 50 }],
  ]);
  assertEquals([lobby.snapshot.status, lobby.snapshot.unread], ["joining", 2]);
  test.socket.say({ type: "left", room: "lobby", payload: { code: "left", message: "Left" } });
  for (const number of [1, 3, 4]) test.socket.say(said("lobby", number));
  test.socket.join("lobby", { cursor: cursor(4), read: cursor(1) });
  await answered();
  assertEquals(lobby.snapshot.status, "live");
  assertEquals(lobby.snapshot.messages.length, 3);
  assertEquals([lobby.snapshot.unread, lobby.snapshot.firstUnread], [2, cursor(3)]);
  lobby.markRead();
  assertEquals(shown(test.client), [["lobby", 0, 0]]);
  leave();
  await settle();
  assertEquals(test.socket.frames.at(-1)?.map(({ type, payload }) => [type, payload]), [
    ["leave", {}],
    ["join", { after: cursor(4), history: 1, presence: false }],
  ]);
  assertEquals([lobby.snapshot.status, lobby.snapshot.messages], ["idle", []]);
  test.socket.say({ type: "left", room: "lobby", payload: { code: "left", message: "Left" } });
  test.socket.join("lobby", { cursor: cursor(4), read: cursor(4) });
  test.socket.say(said("lobby", 5));
  assertEquals(shown(test.client), [["lobby", 1, 0]]);
});

Deno.test("A room that the user comes to stays live in the list when it is left", async () => {
  for (const rooms of [[], undefined]) {
    const lister = new FakeLister();
    lister.rooms = rooms;
    using test = await startClient({ fetch: lister.fetch });
    test.socket.welcome();
    const unsubscribe = test.client.rooms.subscribe(() => {});
    await answered();
    const leave = test.client.room("lobby").subscribe(() => {});
    await settle();
    test.socket.join("lobby", { cursor: cursor(0), read: rooms && cursor(0) });
    test.socket.say(said("lobby", 1));
    test.client.room("lobby").markRead();
    await settle();
    leave();
    await settle();
    assertEquals(test.socket.frames.at(-1)?.map(({ type, payload }) => [type, payload]), [
      ["leave", {}],
      ["join", { after: cursor(1), history: 1, presence: false }],
    ]);
    test.socket.say({ type: "left", room: "lobby", payload: { code: "left", message: "Left" } });
    test.socket.join("lobby", { cursor: cursor(1), read: rooms && cursor(1) });
    test.socket.say(said("lobby", 2));
    assertEquals(shown(test.client), [["lobby", 1, 0]]);
    unsubscribe();
    await settle();
    assertEquals(test.socket.sent("leave").length, 2);
  }
});

Deno.test("A list of 500 rooms is read whole, and 100 of them are joined", async () => {
  const lister = new FakeLister();
  lister.rooms = Array.from({ length: 500 }, (_, index) => listed(`room-${index}`, 900 - index));
  using test = await startClient({ fetch: lister.fetch, quietMs: Infinity });
  test.socket.welcome();
  test.client.rooms.subscribe(() => {});
  await answered();
  assertEquals([test.client.rooms.snapshot.rooms.length, lister.lists], [500, 5]);
  const joins = test.socket.sent("join").map(({ room }) => room);
  assertEquals(joins, Array.from({ length: 100 }, (_, index) => `room-${index}`));
  for (const name of joins) {
    const { cursor } = lister.rooms.find(({ room }) => room === name)!;
    test.socket.join(name!, { cursor, read: cursor });
  }
  // What happened in one of the others shows with the next reading: it is joined then.
  lister.rooms = [
    listed("room-300", 950, { unread: 7, read: cursor(1) }),
    ...lister.rooms.filter(({ room }) => room !== "room-300"),
  ];
  await test.tick(60_000);
  await answered();
  assertEquals(lister.lists, 10);
  assertEquals(shown(test.client)[0], ["room-300", 7, 0]);
  assertEquals(test.socket.sent("join").at(-1)?.room, "room-300");
  assertEquals(test.socket.sent("leave").map(({ room }) => room), ["room-99"]);
});

Deno.test("A room that cannot be resumed is counted anew", async () => {
  const lister = new FakeLister();
  lister.rooms = [listed("lobby", 4)];
  using test = await startClient({ fetch: lister.fetch });
  test.socket.welcome();
  test.client.rooms.subscribe(() => {});
  await answered();
  test.socket.join("lobby", { cursor: cursor(4), read: cursor(4) });
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  test.socket.say(said("lobby", 900));
  test.socket.join("lobby", { cursor: cursor(900), read: cursor(4), recovered: false });
  await answered();
  const page = `GET /base/rooms/lobby/messages?after=${cursor(4)}&limit=100`;
  assertEquals(lister.asked.filter((line) => line === page).length, 1);
  assertEquals(test.client.rooms.snapshot.rooms[0].last?.text, "text 900");
});

Deno.test("A list that cannot be read is read later, and refused it stays so", async () => {
  const lister = new FakeLister();
  lister.status = 502;
  using test = await startClient({ fetch: lister.fetch });
  test.socket.welcome();
  const { rooms } = test.client;
  rooms.subscribe(() => {});
  await answered();
  assertEquals([rooms.snapshot.status, rooms.snapshot.error?.code], ["waiting", "unreachable"]);
  lister.status = 200;
  lister.rooms = [listed("lobby", 1)];
  await test.tick(30_000);
  await answered();
  assertEquals([rooms.snapshot.status, rooms.snapshot.error], ["live", undefined]);
  lister.status = 403;
  rooms.refresh();
  await answered();
  assertEquals([rooms.snapshot.status, rooms.snapshot.error?.code], ["closed", "forbidden"]);
  await assertRejects(() => rooms.forget("lobby"), ChatError, "No");
});

Deno.test("Rooms are forgotten, and gone with a ban", async () => {
  const lister = new FakeLister();
  lister.rooms = [listed("one", 3), listed("two", 2), listed("three", 1)];
  using test = await startClient({ fetch: lister.fetch });
  test.socket.welcome();
  test.client.rooms.subscribe(() => {});
  await answered();
  for (const name of ["one", "two", "three"]) test.socket.join(name, { read: cursor(3) });
  await test.client.rooms.forget("one");
  assertEquals(lister.asked.at(-1), "DELETE /base/users/me/rooms?room=one");
  const payload = { code: "banned", message: "You are banned" } as const;
  test.socket.say({ type: "left", room: "two", payload });
  await settle();
  assertEquals(shown(test.client), [["three", 0, 0]]);
  assertEquals(test.socket.sent("leave").map(({ room }) => room), ["one"]);
});

Deno.test("Where the hub keeps no rooms, the client does, in its storage", async () => {
  const lister = new FakeLister();
  lister.rooms = undefined;
  const storage = new FakeStorage();
  {
    using test = await startClient({ fetch: lister.fetch, storage, quietMs: Infinity });
    test.socket.welcome();
    test.client.rooms.subscribe(() => {});
    await answered();
    assertEquals([test.client.rooms.snapshot.status, shown(test.client)], ["live", []]);
    await test.tick(60_000);
    await answered();
    assertEquals(lister.lists, 1);
    const lobby = test.client.room("lobby");
    lobby.subscribe(() => {});
    await settle();
    test.socket.join("lobby", { cursor: cursor(1) });
    test.socket.say(said("lobby", 2));
    assertEquals(shown(test.client), [["lobby", 1, 0]]);
    lobby.markRead();
    test.socket.say(said("lobby", 3));
    assertEquals(shown(test.client), [["lobby", 1, 0]]);
  }
  using bob = await startClient({ fetch: lister.fetch, storage, user: "bob" });
  bob.client.rooms.subscribe(() => {});
  await answered();
  assertEquals(shown(bob.client), []);
  using test = await startClient({ fetch: lister.fetch, storage });
  test.socket.welcome();
  test.client.rooms.subscribe(() => {});
  await answered();
  assertEquals(test.socket.sent("join").map(({ payload }) => payload), [
    { history: 1, presence: false },
  ]);
  test.socket.say(said("lobby", 3));
  test.socket.join("lobby", { cursor: cursor(3) });
  await answered();
  const [{ room, read, last }] = test.client.rooms.snapshot.rooms;
  assertEquals([room, read, last?.text], ["lobby", cursor(2), "text 3"]);
  await test.client.rooms.forget("lobby");
  assertEquals(shown(test.client), []);
  assertEquals([...storage.items.values()].includes("[]"), true);
});

import { assertEquals } from "@std/assert";
import type { Room } from "@hubbub/hub/client";
import type { MessageBody } from "@hubbub/hub/protocol";
import { said, startClient } from "../helpers/fake_hub.ts";
import { cursor, settle } from "../helpers/fake_socket.ts";

/** What is unread of a room: how many, those that mention the user, the first of them. */
function unreadOf({ snapshot: { unread, mentions, firstUnread } }: Room) {
  return [unread, mentions, firstUnread];
}

/** A server whose log of "lobby" are the messages of these users, one a number. */
function history(users: readonly string[], asked: URLSearchParams[] = []): typeof fetch {
  return (input) => {
    const { searchParams } = new URL(String(input));
    asked.push(searchParams);
    const after = searchParams.get("after") ?? "";
    const all = users.map((user, index): MessageBody => ({
      id: `${index}`,
      room: "lobby",
      cursor: cursor(index + 1),
      user,
      text: index % 10 === 0 ? "@ann" : "text",
      sent_at: "2026-01-01T00:00:00.000Z",
    }));
    const newer = all.filter((message) => message.cursor > after);
    const messages = newer.slice(0, Number(searchParams.get("limit")));
    const next = newer.length > messages.length ? messages.at(-1)!.cursor : null;
    return Promise.resolve(Response.json({ messages, changes: [], older: null, newer: next }));
  };
}

/** Lets answers over HTTP come. */
async function answered(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await settle();
}

Deno.test("Room counts what is unread, live, with what mentions the user", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby", { cursor: cursor(0), read: cursor(0) });
  assertEquals(unreadOf(lobby), [0, 0, undefined]);
  test.socket.say(said("lobby", 1), said("lobby", 2, { text: "hi @ann" }));
  test.socket.say(said("lobby", 3, { user: "ann", text: "mine" }));
  assertEquals(unreadOf(lobby), [2, 1, cursor(1)]);
  const change = { user: "bob", at: 9 } as const;
  const changed = (number: number, message: number, more: object) =>
    ({
      type: "message_changed",
      room: "lobby",
      payload: { ...change, cursor: cursor(number), message: cursor(message), ...more },
    }) as never;
  test.socket.say(changed(4, 1, { kind: "edit", text: "@ann too" }));
  assertEquals(unreadOf(lobby), [2, 2, cursor(1)]);
  test.socket.say(changed(5, 1, { kind: "delete" }));
  assertEquals(unreadOf(lobby), [1, 1, cursor(2)]);
  test.socket.say({ type: "user_erased", room: "lobby", payload: { user: "bob" } });
  assertEquals(unreadOf(lobby), [0, 0, undefined]);
});

Deno.test("Room.markRead() moves the mark on, at most once a second, the last one always", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby", { read: cursor(0) });
  const marks = () => test.socket.sent("read").map(({ payload }) => payload.cursor);
  for (let number = 1; number <= 4; number++) test.socket.say(said("lobby", number));
  lobby.markRead({ cursor: cursor(2) });
  assertEquals(unreadOf(lobby), [2, 0, cursor(3)]);
  await settle();
  assertEquals(marks(), [cursor(2)]);
  lobby.markRead({ cursor: cursor(3) });
  lobby.markRead();
  lobby.markRead({ cursor: cursor(1) });
  assertEquals(unreadOf(lobby), [0, 0, undefined]);
  await settle();
  assertEquals(marks(), [cursor(2)]);
  await test.tick(1_000);
  assertEquals(marks(), [cursor(2), cursor(4)]);
  await test.tick(1_000);
  // What waits when the room is left goes out before that.
  test.socket.say(said("lobby", 5), said("lobby", 6));
  lobby.markRead({ cursor: cursor(5) });
  lobby.markRead();
  lobby.leave();
  await settle();
  assertEquals(test.socket.frames.flat().slice(-3).map(({ type }) => type), [
    "read",
    "read",
    "leave",
  ]);
  assertEquals(marks().at(-1), cursor(6));
});

Deno.test("A mark that a lost connection took with it is sent with the next one", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby", { read: cursor(0) });
  test.socket.say(said("lobby", 1), said("lobby", 2));
  test.socket.end(1006);
  lobby.markRead();
  assertEquals(unreadOf(lobby), [0, 0, undefined]);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  test.socket.join("lobby", { cursor: cursor(2), read: cursor(1) });
  await settle();
  assertEquals(test.socket.sent("read").map(({ payload }) => payload.cursor), [cursor(2)]);
  const problem = { code: "rate_limited", message: "Slowly", retry_after_ms: 2_000 } as const;
  test.socket.say({ type: "error", room: "lobby", payload: { ...problem, for: "read" } });
  await test.tick(2_000);
  assertEquals(test.socket.sent("read").map(({ payload }) => payload.cursor), [
    cursor(2),
    cursor(2),
  ]);
  // The hub knows: nothing is sent again.
  test.socket.end(1006);
  await test.tick(30_000);
  test.socket.welcome();
  await settle();
  test.socket.join("lobby", { cursor: cursor(2), read: cursor(2) });
  await settle();
  assertEquals(test.socket.sent("read"), []);
});

Deno.test("Marks of the user's other windows move it, and none goes back", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby", { read: cursor(0) });
  test.socket.say(said("lobby", 1), said("lobby", 2), said("lobby", 3));
  const read = (number: number, unread: number) =>
    ({
      type: "read",
      room: "lobby",
      payload: { cursor: cursor(number), unread, mentions: 0 },
    }) as const;
  test.socket.say(read(2, 1));
  assertEquals(unreadOf(lobby), [1, 0, cursor(3)]);
  test.socket.say(read(1, 2));
  assertEquals(unreadOf(lobby), [1, 0, cursor(3)]);
  assertEquals(test.socket.sent("read"), []);
});

Deno.test("What is unread before the history is counted at the server, once", async () => {
  const asked: URLSearchParams[] = [];
  const users = Array.from({ length: 60 }, (_, index) => index % 3 === 0 ? "ann" : "bob");
  using test = await startClient({ fetch: history(users, asked) });
  test.socket.welcome();
  const lobby = test.client.room("lobby", { history: 10 });
  lobby.subscribe(() => {});
  await settle();
  for (let number = 51; number <= 60; number++) {
    test.socket.say(said("lobby", number, { user: users[number - 1] }));
  }
  test.socket.join("lobby", { cursor: cursor(60), read: cursor(6) });
  await answered();
  // 7 to 60 without every third one: of those, 11, 41 and 51 … mention ann at the server.
  assertEquals(unreadOf(lobby).slice(0, 1), [36]);
  assertEquals(unreadOf(lobby)[2], cursor(8));
  assertEquals(asked.map((query) => query.get("after")), [cursor(6)]);
  lobby.markRead({ cursor: cursor(40) });
  await answered();
  assertEquals([unreadOf(lobby)[0], unreadOf(lobby)[2]], [14, cursor(41)]);
  lobby.markRead();
  assertEquals(unreadOf(lobby), [0, 0, undefined]);
});

Deno.test("More than 99 are 100, however many come", async () => {
  const users = Array.from({ length: 1_000 }, () => "bob");
  using test = await startClient({ fetch: history(users) });
  test.socket.welcome();
  const lobby = await test.live("lobby", { read: cursor(0) });
  for (let number = 1; number <= 1_000; number++) test.socket.say(said("lobby", number));
  assertEquals(unreadOf(lobby), [100, 0, cursor(1)]);
  lobby.markRead({ cursor: cursor(870) });
  await answered();
  assertEquals([unreadOf(lobby)[0], unreadOf(lobby)[2]], [100, cursor(871)]);
  lobby.markRead({ cursor: cursor(950) });
  await answered();
  assertEquals(unreadOf(lobby), [50, 0, cursor(951)]);
});

Deno.test("A count that cannot be made is made later", async () => {
  let isDown = true;
  const server = history(["bob", "bob", "bob", "bob", "bob", "bob"]);
  const fetch: typeof globalThis.fetch = (...args) =>
    isDown ? Promise.reject(new TypeError("offline")) : server(...args);
  using test = await startClient({ fetch, reconnect: { maxDelayMs: 5_000 } });
  test.socket.welcome();
  const lobby = test.client.room("lobby", { history: 1 });
  lobby.subscribe(() => {});
  await settle();
  test.socket.say(said("lobby", 6));
  test.socket.join("lobby", { cursor: cursor(6), read: cursor(2) });
  await answered();
  assertEquals(unreadOf(lobby)[0], 1);
  isDown = false;
  await test.tick(5_000);
  await answered();
  assertEquals([unreadOf(lobby)[0], unreadOf(lobby)[2]], [4, cursor(3)]);
});

Deno.test("Where the hub keeps no marks, they last as long as the client", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  const leave = lobby.subscribe(() => {});
  await settle();
  test.socket.say(said("lobby", 1));
  test.socket.join("lobby", { cursor: cursor(1) });
  // What stands in a room when one comes first counts as read.
  assertEquals(unreadOf(lobby), [0, 0, undefined]);
  test.socket.say(said("lobby", 2), said("lobby", 3));
  lobby.markRead({ cursor: cursor(2) });
  await settle();
  assertEquals(test.socket.sent("read"), []);
  assertEquals(unreadOf(lobby), [1, 0, cursor(3)]);
  leave();
  await settle();
  test.socket.say({ type: "left", room: "lobby", payload: { code: "left", message: "Left" } });
  lobby.subscribe(() => {});
  await settle();
  for (const number of [2, 3, 4]) test.socket.say(said("lobby", number));
  test.socket.join("lobby", { cursor: cursor(4) });
  assertEquals(unreadOf(lobby), [2, 0, cursor(3)]);
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { assertStrictEquals } from "@std/assert";
import type { Room, RoomSnapshot } from "@hubbub/hub/client";
import { SnapshotStore } from "../../src/client/snapshot_store.ts";
import { said, startClient } from "../helpers/fake_hub.ts";
import { cursor, message, settle } from "../helpers/fake_socket.ts";

const texts = ({ snapshot }: Room) => snapshot.messages.map(({ text }) => text);
const statuses = ({ snapshot }: Room) => snapshot.messages.map(({ status }) => status);

/** Counts what a subscriber is told, and checks that each call brings a new snapshot. */
function watch(room: Room): RoomSnapshot[] {
  const told: RoomSnapshot[] = [];
  room.subscribe(() => {
    assert(!told.includes(room.snapshot), "told of a snapshot that it knows");
    told.push(room.snapshot);
  });
  return told;
}

Deno.test("SnapshotStore makes a new object for each change and none without one", async () => {
  let [count, other] = [0, ""];
  const store = new SnapshotStore(() => ({ count, other }));
  const first = store.snapshot;
  assertStrictEquals(store.snapshot, first);
  store.changed();
  assertStrictEquals(store.snapshot, first);
  count = 1;
  store.changed();
  const second = store.snapshot;
  assert(second !== first);
  assertEquals([first, second], [{ count: 0, other: "" }, { count: 1, other: "" }]);
  assert(Object.isFrozen(second));

  let calls = 0;
  const unsubscribe = store.subscribe(() => calls++);
  for (other of ["a", "b", "c"]) store.changed();
  assertEquals(calls, 0);
  await settle();
  assertEquals(calls, 1);
  // There and back within a turn is no change.
  other = "d";
  store.changed();
  other = "c";
  store.changed();
  await settle();
  assertEquals(calls, 1);
  unsubscribe();
  other = "e";
  store.changed();
  await settle();
  assertEquals(calls, 1);
});

Deno.test("SnapshotStore calls nobody who unsubscribed in the same turn, and all others", async () => {
  let count = 0;
  const store = new SnapshotStore(() => ({ count }));
  const calls: string[] = [];
  store.subscribe(() => {
    calls.push("first");
    second();
  });
  const second = store.subscribe(() => calls.push("second"));
  store.subscribe(() => calls.push("third"));
  count++;
  store.changed();
  await settle();
  assertEquals(calls, ["first", "third"]);
});

Deno.test("Room.snapshot changes once a turn, and not where nothing does", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  const told = watch(lobby);
  await settle();
  assertEquals(told.map(({ status }) => status), ["joining"]);
  // History, joined and live messages in one frame are one change.
  test.socket.say(said("lobby", 1), said("lobby", 2));
  test.socket.join("lobby", { cursor: cursor(2), users: [{ user: "ann" }, { user: "cy" }] });
  test.socket.say(said("lobby", 3));
  await settle();
  assertEquals(told.length, 2);
  const [, live] = told;
  assertEquals(live.status, "live");
  assertEquals(live.messages.map(({ text }) => text), ["text 1", "text 2", "text 3"]);
  assertEquals([live.users, live.userCount], [["ann", "cy"], 2]);
  // What says nothing new changes nothing.
  test.socket.say(said("lobby", 3));
  const typing = (user: string, status: boolean) =>
    ({ type: "typing_status", room: "lobby", payload: { user, status } }) as const;
  test.socket.say(typing("cy", true), typing("cy", false));
  test.socket.say({ type: "pong", payload: {} });
  await settle();
  assertStrictEquals(lobby.snapshot, live);
  assertEquals(told.length, 2);
  test.socket.say(typing("cy", true));
  await settle();
  assertEquals(told[2].typing, ["cy"]);
  // What did not change is the same object.
  assertStrictEquals(told[2].messages, live.messages);
  assertStrictEquals(told[2].users, live.users);
  test.socket.say(said("lobby", 4));
  await settle();
  assertStrictEquals(told[3].messages[0], live.messages[0]);
  assertStrictEquals(told[3].typing, told[2].typing);
  assertEquals(told.length, 4);
});

Deno.test("Room.subscribe and ChatClient.subscribe can be handed on as they are", async () => {
  using test = await startClient();
  const { subscribe } = test.client;
  const statuses: string[] = [];
  const unsubscribe = subscribe(() => statuses.push(test.client.snapshot.status));
  test.socket.welcome();
  await settle();
  const lobby = test.client.room("lobby");
  const { subscribe: join } = lobby;
  join(() => {});
  await settle();
  assertEquals(test.socket.sent("join").length, 1);
  test.socket.end(1006, "Gone");
  await settle();
  assertEquals(statuses, ["live", "waiting"]);
  assertEquals(test.client.snapshot, { status: "waiting", reason: "Gone", user: "ann" });
  assertStrictEquals(test.client.snapshot, test.client.snapshot);
  unsubscribe();
});

Deno.test("Room shows its own messages as waiting, sending and sent, in one place", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby");
  const sent = lobby.send({ text: "one", ref: "1" });
  lobby.send({ text: "two", ref: "2" });
  assertEquals([texts(lobby), statuses(lobby)], [["one", "two"], ["waiting", "waiting"]]);
  await settle();
  assertEquals(statuses(lobby), ["sending", "sending"]);
  test.socket.say(said("lobby", 1), said("lobby", 2, { user: "ann", text: "one", ref: "1" }));
  assertEquals(texts(lobby), ["text 1", "one", "two"]);
  assertEquals(statuses(lobby), ["sent", "sent", "sending"]);
  assertStrictEquals(await sent, lobby.snapshot.messages[1]);
  test.socket.end(1006);
  assertEquals(statuses(lobby), ["sent", "sent", "waiting"]);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  // It was stored, and comes with what was missed.
  test.socket.say(said("lobby", 3, { user: "ann", text: "two", ref: "2" }));
  test.socket.join("lobby", { cursor: cursor(3) });
  await settle();
  assertEquals(test.socket.sent("chat_message"), []);
  assertEquals(texts(lobby), ["text 1", "one", "two"]);
  assertEquals(statuses(lobby), ["sent", "sent", "sent"]);
});

Deno.test("Room takes a repeat's answer that it has shown before, and shows it once", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby");
  test.socket.say(said("lobby", 1, { user: "ann", text: "one" }));
  const sent = lobby.send({ text: "one", ref: "old" });
  await settle();
  test.socket.say(said("lobby", 1, { user: "ann", text: "one", ref: "old" }));
  assertEquals((await sent).cursor, cursor(1));
  await settle();
  assertEquals([texts(lobby), statuses(lobby)], [["one"], ["sent"]]);
});

Deno.test("Room keeps a message that failed, for retry() and discard()", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby");
  const fail = async (ref: string, code: "not_accepted" | "ref_reused") => {
    const payload = { code, message: `It is ${code}`, ref, for: "chat_message" } as const;
    await settle();
    test.socket.say({ type: "error", room: "lobby", payload });
    await settle();
  };
  // Nobody watches the promise: that it failed is in the snapshot.
  lobby.send({ text: "one", ref: "1" });
  await fail("1", "not_accepted");
  const [failed] = lobby.snapshot.messages;
  assertEquals([failed.status, failed.error?.code], ["failed", "not_accepted"]);
  const again = lobby.retry(failed);
  const [waiting] = lobby.snapshot.messages;
  assertEquals([waiting.status, waiting.ref, waiting.error], ["waiting", "1", undefined]);
  await assertRejects(() => lobby.retry(waiting), RangeError, '"waiting"');
  await settle();
  test.socket.say(said("lobby", 1, { user: "ann", text: "one", ref: "1" }));
  assertEquals((await again)?.cursor, cursor(1));
  assertEquals(statuses(lobby), ["sent"]);
  await assertRejects(() => lobby.retry(lobby.snapshot.messages[0]), RangeError, '"sent"');

  // The ref of another message is none for this one.
  lobby.send({ text: "two", ref: "2" });
  await fail("2", "ref_reused");
  lobby.retry(lobby.snapshot.messages[1]);
  await settle();
  const refs = test.socket.sent("chat_message").map(({ payload }) => payload.ref);
  assert(refs.length === 4 && refs[3] !== "2", String(refs));
  // One on its way can be discarded as well.
  const sending = lobby.snapshot.messages[1];
  assertEquals(sending.status, "sending");
  lobby.discard(sending);
  assertEquals(texts(lobby), ["one"]);
  lobby.send({ text: "three", ref: "3" });
  await fail("3", "not_accepted");
  lobby.discard(lobby.snapshot.messages[1]);
  lobby.discard(lobby.snapshot.messages[0]);
  assertEquals(texts(lobby), ["one"]);
});

Deno.test("Room.discard() withdraws a message that waits", async () => {
  using test = await startClient();
  const lobby = test.client.room("lobby");
  const sent = lobby.send({ text: "one" });
  await settle();
  lobby.discard(lobby.snapshot.messages[0]);
  await assertRejects(() => sent, DOMException, "abort");
  test.socket.welcome();
  await settle();
  assertEquals(lobby.snapshot.messages, []);
  assertEquals(test.socket.sent("chat_message"), []);
});

Deno.test("Room refuses at once what no hub would take", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby");
  await assertRejects(() => lobby.send({ text: " " }), Error, "empty");
  await assertRejects(() => lobby.send({ text: "x".repeat(101) }), Error, "100 bytes");
  await assertRejects(() => lobby.send({ text: "x", ref: "" }), Error, "ref");
  assertEquals(lobby.snapshot.messages, []);
});

Deno.test("Room keeps the newest messages, and those that were loaded", async () => {
  const pages = [[3, 4], [1, 2], []].map((page) => page.map((number) => message(number)));
  const asked: string[] = [];
  using test = await startClient({
    fetch: (input) => {
      asked.push(new URL(String(input)).search);
      return Promise.resolve(Response.json({ messages: pages.shift() }));
    },
  });
  test.socket.welcome();
  const lobby = test.client.room("lobby", { keep: 3 });
  lobby.subscribe(() => {});
  await settle();
  test.socket.say(...[1, 2, 3, 4].map((number) => said("lobby", number)));
  test.socket.join("lobby", { cursor: cursor(4) });
  test.socket.say(said("lobby", 5), said("lobby", 6), said("lobby", 7));
  assertEquals(texts(lobby), ["text 5", "text 6", "text 7"]);
  assertEquals(lobby.snapshot.hasOlder, true);
  const older = await lobby.loadOlder(2);
  assertEquals(older.map(({ text, at }) => [text, at]), [
    ["text 3", Date.parse(message(3).sent_at)],
    ["text 4", Date.parse(message(4).sent_at)],
  ]);
  assertEquals(texts(lobby), [3, 4, 5, 6, 7].map((number) => `text ${number}`));
  // As many are kept from now on.
  test.socket.say(said("lobby", 8));
  assertEquals(texts(lobby)[0], "text 4");
  assertEquals(lobby.snapshot.messages.length, 5);
  pages[0] = [message(2), message(3)];
  await lobby.loadOlder(2);
  assertEquals(texts(lobby)[0], "text 2");
  assertEquals((await lobby.loadOlder(2)).length, 0);
  assertEquals(lobby.snapshot.hasOlder, false);
  assertEquals(asked, [
    `?before=${cursor(5)}&limit=2`,
    `?before=${cursor(4)}&limit=2`,
    `?before=${cursor(2)}&limit=2`,
  ]);
});

for (const [received, hasOlder] of [[0, false], [2, false], [3, true]] as const) {
  Deno.test(`Room.hasOlder is ${hasOlder} after ${received} of 3 messages of history`, async () => {
    using test = await startClient();
    test.socket.welcome();
    const lobby = test.client.room("lobby", { history: 3 });
    lobby.subscribe(() => {});
    await settle();
    for (let number = 1; number <= received; number++) test.socket.say(said("lobby", number));
    test.socket.join("lobby", { cursor: cursor(received) });
    test.socket.say(said("lobby", 8), said("lobby", 9));
    assertEquals(lobby.snapshot.hasOlder, hasOlder);
  });
}

/** A lobby that got its first message, and whose connection then broke and is there again. */
async function returnAfterFirst(test: Awaited<ReturnType<typeof startClient>>) {
  test.socket.welcome();
  const lobby = await test.live("lobby", { cursor: cursor(0) });
  test.socket.say(said("lobby", 1));
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  return lobby;
}

Deno.test("Room reads what a resumed stay did not bring, before what is live", async () => {
  const pages: Record<string, unknown[]> = {
    [`?after=${cursor(1)}&limit=100`]: [message(2), message(3)],
    [`?before=${cursor(2)}&limit=1`]: [message(1)],
  };
  using test = await startClient({
    fetch: (input) => {
      const { search, pathname } = new URL(String(input));
      assertEquals(pathname, "/base/rooms/lobby/messages");
      return Promise.resolve(Response.json({ messages: pages[search] ?? [] }));
    },
  });
  const lobby = await returnAfterFirst(test);
  test.socket.join("lobby", { cursor: cursor(3), recovered: false });
  test.socket.say(said("lobby", 4));
  assertEquals([lobby.snapshot.status, texts(lobby)], ["joining", ["text 1"]]);
  await settle();
  assertEquals(texts(lobby), ["text 1", "text 2", "text 3", "text 4"]);
  assertEquals(lobby.snapshot.status, "live");
});

Deno.test("Room shows no gap: where messages are lost, it begins after them", async () => {
  const pages: Record<string, unknown[]> = {
    [`?after=${cursor(1)}&limit=100`]: [message(5), message(6)],
    [`?before=${cursor(5)}&limit=50`]: [message(4)],
  };
  using test = await startClient({
    fetch: (input) => {
      const { search } = new URL(String(input));
      return Promise.resolve(Response.json({ messages: pages[search] ?? [] }));
    },
  });
  const lobby = await returnAfterFirst(test);
  test.socket.join("lobby", { cursor: cursor(6), recovered: false });
  await settle();
  assertEquals(texts(lobby), ["text 5", "text 6"]);
  assertEquals(lobby.snapshot.hasOlder, true);
  await lobby.loadOlder();
  assertEquals(texts(lobby), ["text 4", "text 5", "text 6"]);
});

Deno.test("Room shows another log's newest messages, and nothing of the one before", async () => {
  using test = await startClient({
    fetch: () => Promise.resolve(Response.json({ messages: [message(2), message(3)] })),
  });
  test.socket.welcome();
  const lobby = await test.live("lobby", { cursor: cursor(0) });
  test.socket.say(said("lobby", 8), said("lobby", 9));
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  // A database that was restored from a backup.
  test.socket.join("lobby", { cursor: cursor(3), recovered: false });
  await settle();
  assertEquals(texts(lobby), ["text 2", "text 3"]);
  assertEquals(lobby.snapshot.status, "live");
});

Deno.test("Rooms read what they missed a few at a time", async () => {
  const open: ((response: Response) => void)[] = [];
  let most = 0;
  using test = await startClient({
    fetch: () =>
      new Promise((resolve) => {
        most = Math.max(most, open.push(resolve));
      }),
  });
  test.socket.welcome();
  const names = Array.from({ length: 40 }, (_, index) => `room-${index}`);
  const rooms = [];
  for (const name of names) rooms.push(await test.live(name, { cursor: cursor(1) }));
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  for (const name of names) test.socket.join(name, { cursor: cursor(2), recovered: false });
  await settle();
  assertEquals(open.length, 6);
  while (open.length > 0) {
    open.shift()?.(Response.json({ messages: [message(2)] }));
    await settle();
  }
  assertEquals(most, 6);
  assert(rooms.every(({ snapshot }) => snapshot.status === "live"));
  assertEquals(texts(rooms[39]), ["text 2"]);
});

Deno.test("Room tries again where what was missed cannot be read, and others go on", async () => {
  using test = await startClient();
  test.socket.welcome();
  const [lobby, other] = [await test.live("lobby"), await test.live("other")];
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  test.socket.join("other", { cursor: cursor(0) });
  test.socket.join("lobby", { cursor: cursor(3), recovered: false });
  await settle();
  assertEquals(lobby.snapshot.status, "waiting");
  assertEquals(lobby.snapshot.error?.message, "What was missed could not be read");
  assertEquals([other.snapshot.status, test.client.status], ["live", "live"]);
  await test.tick(1_000);
  const ofLobby = test.socket.frames.flat().filter(({ room }) => room === "lobby");
  assertEquals(ofLobby.map(({ type }) => type), ["join", "leave", "join"]);
});

Deno.test("Room shows who is there as the hub tells it, also where not all are listed", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby", {
    users: [{ user: "ann" }, { user: "bob" }],
    user_count: 17_000,
    typing: ["bob"],
  });
  const presence = (joined: string[], left: string[]) => {
    const payload = { joined: joined.map((user) => ({ user })), left };
    test.socket.say({ type: "presence", room: "lobby", payload });
    const { users, userCount } = lobby.snapshot;
    return [users, userCount];
  };
  assertEquals(lobby.snapshot.userCount, 17_000);
  assertEquals(presence(["cy", "dan"], []), [["ann", "bob", "cy", "dan"], 17_002]);
  // Somebody who is not listed, and somebody who is.
  assertEquals(presence([], ["zoe", "bob"]), [["ann", "cy", "dan"], 17_000]);
  const many = Array.from({ length: 13_000 }, (_, index) => `user ${index}`);
  presence(many, []);
  assertEquals(lobby.snapshot.userCount, 30_000);
  assertEquals(lobby.snapshot.users.length, 10_000);
  assertEquals(lobby.snapshot.typing, ["bob"]);
  test.socket.end(1006);
  assertEquals(lobby.snapshot.typing, []);
});

Deno.test("Room.typing() tells its room alone, and only while it is live", async () => {
  using test = await startClient();
  const lobby = test.client.room("lobby");
  lobby.subscribe(() => {});
  lobby.typing();
  test.socket.welcome();
  await settle();
  test.socket.join("lobby");
  for (let key = 0; key < 5; key++) lobby.typing();
  lobby.typing(false);
  await settle();
  assertEquals(
    test.socket.sent("typing_status"),
    [true, false].map((status) => {
      return { type: "typing_status", room: "lobby", payload: { status } };
    }),
  );
});

Deno.test("Rooms share the pace of their connection, and none of them starves", async () => {
  using test = await startClient();
  test.socket.welcome({ messages_per_second: 10, message_burst: 4 });
  const rooms = [await test.live("one"), await test.live("two"), await test.live("three")];
  const stored: string[] = [];
  for (const room of rooms) {
    for (let number = 0; number < 8; number++) {
      room.send({ text: `${room.name} ${number}` }).then(({ text }) => stored.push(text));
    }
  }
  let place = 0;
  let known = 0;
  let most = 0;
  for (let step = 0; step < 60; step++) {
    await test.tick(100);
    const sent = test.socket.sent("chat_message");
    most = Math.max(most, sent.length - known);
    for (const { room = "", payload } of sent.slice(known)) {
      const { text, ref } = payload as { text: string; ref: string };
      test.socket.say(said(room, ++place, { user: "ann", text, ref }));
    }
    known = sent.length;
    if (step === 15) {
      const begun = new Set(sent.map(({ room }) => room));
      assertEquals(begun.size, 3, "rooms whose turn has come");
    }
  }
  assertEquals(stored.length, 24);
  // Half of the burst at once, and then the rate.
  assert(most <= 2, `${most} at once`);
});

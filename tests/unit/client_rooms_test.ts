import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ChatError, createClient } from "@hubbub/hub/client";
import type { ProblemV2 } from "@hubbub/hub/protocol";
import { said, startClient } from "../helpers/fake_hub.ts";
import { cursor, settle } from "../helpers/fake_socket.ts";

Deno.test("createClient() refuses what cannot be used", () => {
  assertThrows(() => createClient("ftp://chat.test"), TypeError, "ftp");
  assertThrows(() => createClient("http://chat.test", { user: " " }), TypeError, "empty");
  using closing = { signal: AbortSignal.abort(), [Symbol.dispose]() {} };
  const client = createClient("http://chat.test", { user: "ann", signal: closing.signal });
  assertThrows(() => client.room("no room"), TypeError, 'Cannot join room "no room"');
  assertThrows(() => client.room("lobby", { history: 101 }), RangeError, "history 101");
  assertThrows(() => client.room("lobby", { keep: 0 }), RangeError, "keep 0");
  assertThrows(
    () => client.room("lobby", { presence: "no" as unknown as boolean }),
    TypeError,
    "presence",
  );
});

Deno.test("ChatClient opens one connection of protocol 2, with or without rooms", async () => {
  using test = await startClient();
  assertEquals(test.socket.url.href, "ws://chat.test/base/ws?user=ann");
  assertEquals(test.socket.protocols, ["hubbub.v2"]);
  assertEquals(test.client.status, "connecting");
  test.socket.welcome();
  assertEquals([test.client.status, test.client.reason], ["live", undefined]);
  assertEquals(test.socket.frames, []);
  test.socket.end(1006);
  assertEquals([test.client.status, test.client.reason], ["waiting", "The connection was lost"]);
});

Deno.test("ChatClient takes its name from the hub, and sends its token as a subprotocol", async () => {
  using test = await startClient({ user: undefined, token: "aa.bb" });
  assertEquals(test.socket.url.href, "ws://chat.test/base/ws");
  assertEquals(test.socket.protocols, ["hubbub.v2", "hubbub.token.aa.bb"]);
  assertEquals(test.client.user, "");
  test.socket.welcome();
  assertEquals(test.client.user, "ann");
  assertEquals(test.client.limits?.rooms_max, 200);
});

Deno.test("ChatClient joins 200 rooms in one frame, and resumes them in one", async () => {
  using test = await startClient();
  const names = Array.from({ length: 200 }, (_, index) => `room-${index}`);
  for (const name of names) test.client.room(name).subscribe(() => {});
  test.socket.welcome();
  await settle();
  assertEquals(test.socket.frames.length, 1);
  assertEquals(test.socket.frames[0].map(({ room }) => room), names);
  assertEquals(test.socket.frames[0][7].payload, { history: 10 });
  for (const name of names) test.socket.join(name, { cursor: cursor(1) });
  test.socket.say(said("room-3", 5));
  await settle();
  assertEquals(test.client.room("room-3").snapshot.status, "live");
  test.socket.end(1006);
  assertEquals(test.client.room("room-3").snapshot.status, "waiting");
  await test.tick(500);
  test.socket.welcome();
  await settle();
  assertEquals(test.socket.frames.length, 1);
  const joins = test.socket.frames[0];
  assertEquals(joins.length, 200);
  assertEquals(joins[3].payload, { after: cursor(5), history: 0 });
  assertEquals(joins[4].payload, { after: cursor(1), history: 0 });
});

Deno.test("Room is the same object for a name, joined once and left with the last", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby", { history: 3, presence: false });
  assertStrictEquals(test.client.room("lobby"), lobby);
  await settle();
  assertEquals(lobby.snapshot.status, "idle");
  assertEquals(test.socket.frames, []);
  // The same function twice is two subscriptions.
  const listener = () => {};
  const [first, second] = [lobby.subscribe(listener), lobby.subscribe(listener)];
  await settle();
  assertEquals(test.socket.sent("join"), [
    { type: "join", room: "lobby", payload: { history: 3, presence: false } },
  ]);
  assertEquals(lobby.snapshot.status, "joining");
  test.socket.join("lobby");
  assertEquals(lobby.snapshot.status, "live");
  first();
  first();
  await settle();
  assertEquals(test.socket.sent("leave"), []);
  second();
  await settle();
  assertEquals(test.socket.sent("leave"), [{ type: "leave", room: "lobby", payload: {} }]);
  assertEquals([lobby.snapshot.status, lobby.snapshot.messages], ["idle", []]);
});

Deno.test("Room stays where one subscriber goes as another comes, in one turn", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  // As React's StrictMode does, before and after the room is joined.
  lobby.subscribe(() => {})();
  let leave = lobby.subscribe(() => {});
  await settle();
  test.socket.join("lobby");
  leave();
  leave = lobby.subscribe(() => {});
  await settle();
  assertEquals(test.socket.frames.flat().map(({ type }) => type), ["join"]);
});

Deno.test("Room takes nothing of an old stay for a part of the next one", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  const leave = lobby.subscribe(() => {});
  await settle();
  leave();
  await settle();
  lobby.subscribe(() => {});
  await settle();
  assertEquals(test.socket.frames.flat().map(({ type }) => type), ["join", "leave", "join"]);
  // The answers to all three come late.
  test.socket.say(said("lobby", 1));
  test.socket.join("lobby", { cursor: cursor(1) });
  test.socket.say(said("lobby", 2));
  assertEquals([lobby.snapshot.status, lobby.snapshot.messages], ["joining", []]);
  test.socket.say({ type: "left", room: "lobby", payload: { code: "left", message: "You left" } });
  test.socket.say(said("lobby", 2), said("lobby", 3));
  test.socket.join("lobby", { cursor: cursor(3) });
  assertEquals(lobby.snapshot.status, "live");
  assertEquals(lobby.snapshot.messages.map(({ text }) => text), ["text 2", "text 3"]);
});

Deno.test("Room takes the refusal of a leave for its answer", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby");
  // The hub ends the stay while the leave is on its way.
  lobby.leave();
  lobby.subscribe(() => {});
  await settle();
  const refused = { code: "not_joined", message: "You are not in this room" } as const;
  const left = { code: "too_slow", message: "You read too slowly" } as const;
  test.socket.say({ type: "left", room: "lobby", payload: left });
  test.socket.say({ type: "error", room: "lobby", payload: { ...refused, for: "leave" } });
  test.socket.join("lobby", { cursor: cursor(4) });
  assertEquals(lobby.snapshot.status, "live");
});

Deno.test("Room takes the refusal of a leave for its only answer", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby");
  lobby.leave();
  lobby.subscribe(() => {});
  await settle();
  const refused = { code: "not_joined", message: "You are not in this room" } as const;
  test.socket.say({ type: "error", room: "lobby", payload: { ...refused, for: "leave" } });
  test.socket.say(said("lobby", 1));
  test.socket.join("lobby", { cursor: cursor(1) });
  assertEquals(lobby.snapshot.status, "live");
  assertEquals(lobby.snapshot.messages.map(({ text }) => text), ["text 1"]);
});

Deno.test("Room knows that there is more where its first history came in part", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  lobby.subscribe(() => {});
  await settle();
  test.socket.say(said("lobby", 7));
  test.socket.end(1006);
  await settle();
  assertEquals(lobby.snapshot.hasOlder, true);
});

Deno.test("A rate that one room exceeds holds up the others of its connection", async () => {
  using test = await startClient();
  test.socket.welcome();
  const [lobby, other] = [await test.live("lobby"), await test.live("other")];
  void lobby.send({ text: "1", ref: "1" });
  await settle();
  const payload = {
    code: "rate_limited",
    message: "Wait",
    ref: "1",
    retry_after_ms: 1_000,
  } as const;
  test.socket.say({ type: "error", room: "lobby", payload: { ...payload, for: "chat_message" } });
  const sent = other.send({ text: "2", ref: "2" });
  await settle();
  const texts = () => test.socket.sent("chat_message").map(({ payload }) => payload.text);
  assertEquals(texts(), ["1"]);
  await test.tick(1_200);
  assertEquals(texts().toSorted(), ["1", "1", "2"]);
  test.socket.say(said("other", 1, { user: "ann", ref: "2" }));
  assertEquals((await sent).cursor, cursor(1));
});

Deno.test("Room sends without a subscription: it is in the room until the message is stored", async () => {
  using test = await startClient();
  const lobby = test.client.room("lobby");
  const sent = lobby.send({ text: "hello", ref: "1" });
  test.socket.welcome();
  await settle();
  assertEquals(test.socket.sent("chat_message"), []);
  test.socket.join("lobby");
  await settle();
  assertEquals(test.socket.sent("chat_message"), [
    { type: "chat_message", room: "lobby", payload: { text: "hello", ref: "1" } },
  ]);
  assertEquals(test.socket.sent("leave"), []);
  test.socket.say(said("lobby", 1, { user: "ann", text: "hello", ref: "1" }));
  assertEquals(await sent, {
    cursor: cursor(1),
    user: "ann",
    text: "hello",
    at: 1,
    ref: "1",
    status: "sent",
  });
  await settle();
  assertEquals(test.socket.sent("leave").length, 1);
});

for (const code of ["kicked", "banned", "forbidden", "room_deleted"] as const) {
  Deno.test(`Room is closed after "${code}", and the others are not`, async () => {
    using test = await startClient();
    test.socket.welcome();
    const [lobby, other] = [await test.live("lobby"), await test.live("other")];
    const sent = lobby.send({ text: "hello" });
    test.socket.say({ type: "left", room: "lobby", payload: { code, message: "You are out" } });
    const { status, error } = lobby.snapshot;
    assertEquals([status, error?.code, error?.temporary], ["closed", code, false]);
    assertEquals((await assertRejects(() => sent, ChatError)).code, code);
    assertEquals((await assertRejects(() => lobby.send({ text: "more" }), ChatError)).code, code);
    await test.tick(15_000);
    assertEquals(test.socket.sent("join").length, 2);
    assertEquals([other.snapshot.status, test.client.status], ["live", "live"]);
    test.socket.end(1006);
    await test.tick(30_000);
    test.socket.welcome();
    await settle();
    assertEquals(test.socket.sent("join").map(({ room }) => room), ["other"]);
    // Asked for anew, it is tried anew.
    lobby.leave();
    lobby.subscribe(() => {});
    await settle();
    assertEquals(test.socket.sent("join").map(({ room }) => room), ["other", "lobby"]);
  });
}

for (const code of ["too_slow", "left", "something_new"]) {
  Deno.test(`Room comes back by itself after "${code}", where it was`, async () => {
    using test = await startClient();
    test.socket.welcome();
    const lobby = await test.live("lobby", { cursor: cursor(7) });
    test.socket.say({
      type: "left",
      room: "lobby",
      payload: { code: code as "too_slow", message: "Come again" },
    });
    assertEquals(lobby.snapshot.status, "waiting");
    assertEquals(lobby.snapshot.error?.message, "Come again");
    await test.tick(500);
    assertEquals(test.socket.sent("join").at(-1)?.payload, { after: cursor(7), history: 0 });
    assertEquals(lobby.snapshot.status, "joining");
    test.socket.join("lobby", { cursor: cursor(7) });
    assertEquals([lobby.snapshot.status, lobby.snapshot.error], ["live", undefined]);
  });
}

Deno.test("Room is closed by an error of the hub that is final, and tries again after any other", async () => {
  const problems: [ProblemV2, string | undefined][] = [];
  using test = await startClient({ onProblem: (problem, room) => problems.push([problem, room]) });
  test.socket.welcome();
  const codes = ["forbidden", "too_many_rooms", "unavailable", "rate_limited", "code_of_tomorrow"];
  const rooms = codes.map((name) => test.client.room(name));
  for (const room of rooms) room.subscribe(() => {});
  await settle();
  for (const name of codes) {
    const code = name as "forbidden";
    const payload = { code, message: `It is ${code}`, for: "join", retry_after_ms: 2_000 };
    test.socket.say({ type: "error", room: name, payload });
  }
  const states = () => rooms.map(({ snapshot }) => snapshot.status);
  assertEquals(states(), ["closed", "closed", "waiting", "waiting", "waiting"]);
  assertEquals(rooms.map(({ snapshot }) => String(snapshot.error?.code)), codes);
  assertEquals(problems.map(([{ code }, room]) => [code, room]), codes.map((code) => [code, code]));
  await test.tick(1_999);
  assertEquals(test.socket.sent("join").length, 5);
  await test.tick(1);
  assertEquals(test.socket.sent("join").map(({ room }) => room), [...codes, ...codes.slice(2)]);
  assertEquals(states().slice(2), ["joining", "joining", "joining"]);
});

Deno.test("Room joins anew where the hub knows nothing of its stay, and loses no message", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby", { cursor: cursor(1) });
  const sent = lobby.send({ text: "hello", ref: "1" });
  await settle();
  const payload = { code: "not_joined", message: "You are not in it", ref: "1" } as const;
  test.socket.say({ type: "error", room: "lobby", payload: { ...payload, for: "chat_message" } });
  assertEquals(lobby.snapshot.status, "waiting");
  assertEquals(lobby.snapshot.messages.map(({ status }) => status), ["waiting"]);
  await test.tick(500);
  test.socket.join("lobby", { cursor: cursor(1) });
  await test.tick(500);
  assertEquals(test.socket.sent("chat_message").length, 2);
  test.socket.say(said("lobby", 2, { user: "ann", ref: "1" }));
  assertEquals((await sent).cursor, cursor(2));
});

Deno.test("Room leaves and joins where the hub says that it is in it already", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  lobby.subscribe(() => {});
  await settle();
  const payload = { code: "already_joined", message: "You are in it", for: "join" } as const;
  test.socket.say({ type: "error", room: "lobby", payload });
  await test.tick(500);
  assertEquals(test.socket.frames.flat().map(({ type }) => type), ["join", "leave", "join"]);
  test.socket.say({ type: "left", room: "lobby", payload: { code: "left", message: "You left" } });
  test.socket.join("lobby");
  assertEquals(lobby.snapshot.status, "live");
});

Deno.test("Room begins anew where the hub does not take the place that it kept", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  lobby.subscribe(() => {});
  await settle();
  test.socket.say(said("lobby", 9));
  test.socket.join("lobby", { cursor: cursor(9) });
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  const payload = { code: "bad_cursor", message: "That is none", for: "join" } as const;
  test.socket.say({ type: "error", room: "lobby", payload });
  await test.tick(500);
  assertEquals(test.socket.sent("join").at(-1)?.payload, { history: 10 });
  test.socket.say(said("lobby", 3));
  test.socket.join("lobby", { cursor: cursor(3) });
  assertEquals(lobby.snapshot.messages.map(({ cursor }) => cursor), [cursor(3)]);
});

Deno.test("ChatClient.close() ends all rooms, and those that are asked for later", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = await test.live("lobby");
  const sent = lobby.send({ text: "hello" });
  test.client.close(4000, "Enough");
  assertEquals(test.socket.closed, { code: 4000 });
  assertEquals([test.client.status, test.client.reason], ["closed", "Enough"]);
  for (const room of [lobby, test.client.room("later")]) {
    room.subscribe(() => {});
    await settle();
    assertEquals([room.snapshot.status, room.snapshot.error?.code], ["closed", "closed"]);
    await assertRejects(() => room.send({ text: "more" }), ChatError, "Enough");
    await assertRejects(() => room.loadOlder(), ChatError, "Enough");
    room.leave();
    room.subscribe(() => {});
    await settle();
    assertEquals(room.snapshot.status, "closed");
  }
  await assertRejects(() => sent, ChatError, "Enough");
  assertEquals(lobby.snapshot.messages.map(({ status, text }) => [status, text]), [
    ["failed", "hello"],
  ]);
});

Deno.test("ChatClient gives a hub up that answers and lets nobody into a room", async () => {
  using test = await startClient({ quietMs: 1_000 });
  test.socket.welcome();
  await test.live("lobby");
  test.client.room("other").subscribe(() => {});
  await settle();
  const { socket } = test;
  // Pings are answered all the time.
  for (let second = 0; second < 10; second++) {
    assertEquals(socket.closed, second * 900 < 6_000 ? undefined : { code: undefined });
    socket.say({ type: "pong", payload: {} });
    await test.tick(900);
  }
});

Deno.test("ChatClient passes over what a newer hub or a broken proxy sends", async () => {
  const problems: string[] = [];
  using test = await startClient({ onProblem: ({ code }) => problems.push(code) });
  test.socket.welcome();
  const lobby = await test.live("lobby");
  const send = (text: string) => test.socket.onmessage?.({ data: text });
  send('{"type":"message_pinned","room":"lobby","payload":{"cursor":"1"}}');
  assertEquals(problems, []);
  const broken = [
    '{"type":"chat_message","room":"lobby","payload":{"cursor":"1","user":"bob"}}',
    '{"type":"joined","room":"lobby","payload":{"cursor":"1","users":["bob"]}}',
    '{"type":"presence","room":"lobby","payload":{"joined":{}}}',
    '{"type":"left","room":"lobby","payload":{}}',
    '{"type":"chat_message","payload":{"cursor":"1","user":"bob","text":"x","at":1}}',
    "no JSON",
  ];
  for (const frame of broken) send(frame);
  assertEquals(problems, broken.map(() => "bad_frame"));
  // Of rooms that nobody asked for, too.
  test.socket.say(said("elsewhere", 1));
  assertEquals([lobby.snapshot.status, lobby.snapshot.messages], ["live", []]);
  assert(test.client.status === "live");
});

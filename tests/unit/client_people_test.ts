// What a client knows of people in a room: roles, mutes, names, sanctions.

import { assertEquals, assertRejects } from "@std/assert";
import { ChatError } from "@hubbub/hub/client";
import { said, startClient } from "../helpers/fake_hub.ts";
import { cursor, settle } from "../helpers/fake_socket.ts";

Deno.test("Room.snapshot has the role of now, and the names that users have", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  lobby.subscribe(() => {});
  await settle();
  const users = [{ user: "ann" }, { user: "bob", name: "Bob B." }];
  test.socket.join("lobby", { cursor: cursor(0), role: "reader", users });
  await settle();
  const { role, names } = lobby.snapshot;
  assertEquals([role, [...names]], ["reader", [["bob", "Bob B."]]]);
  const joined = [{ user: "cy", name: "Cy C." }, { user: "dan" }];
  test.socket.say(
    { type: "role", room: "lobby", payload: { role: "moderator" } },
    { type: "presence", room: "lobby", payload: { joined, left: ["bob"] } },
  );
  await settle();
  assertEquals(lobby.snapshot.role, "moderator");
  assertEquals([...lobby.snapshot.names], [["cy", "Cy C."]]);
  const { payload } = said("lobby", 1);
  test.socket.say({ type: "chat_message", room: "lobby", payload: { ...payload, name: "Cy C." } });
  await settle();
  assertEquals(lobby.snapshot.messages.map(({ name }) => name), ["Cy C."]);
});

Deno.test("Room.snapshot.muted is there until the time that the hub said", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby");
  lobby.subscribe(() => {});
  await settle();
  test.socket.join("lobby");
  lobby.typing();
  const problem = { code: "muted", message: "You are muted here: Calm down" } as const;
  test.socket.say({
    type: "error",
    room: "lobby",
    payload: { ...problem, for: "typing_status", retry_after_ms: 5_000 },
  });
  await settle();
  assertEquals(lobby.snapshot.muted, { message: problem.message, until: Date.now() + 5_000 });
  assertEquals(lobby.snapshot.status, "live");
  await test.tick(4_999);
  assertEquals(lobby.snapshot.muted?.message, problem.message);
  await test.tick(1);
  assertEquals(lobby.snapshot.muted, undefined);
  // Without an end it is known until the next stay.
  test.socket.say({ type: "error", room: "lobby", payload: { ...problem, for: "chat_message" } });
  await settle();
  assertEquals(lobby.snapshot.muted, { message: problem.message, until: undefined });
  test.socket.end(1006);
  await settle();
  assertEquals(lobby.snapshot.muted, undefined);
});

Deno.test("Room.observe() is told in order, until that is ended; Room.present() joins anew", async () => {
  using test = await startClient();
  test.socket.welcome();
  const lobby = test.client.room("lobby", { presence: false });
  const seen: string[] = [];
  const end = lobby.observe({
    onMessage: ({ text }) => void seen.push(text),
    onArrive: ({ recovered }) => void seen.push(`arrived ${recovered}`),
    onClosed: ({ code }) => void seen.push(code),
  });
  lobby.subscribe(() => {});
  await settle();
  test.socket.say(said("lobby", 1));
  test.socket.join("lobby", { cursor: cursor(1) });
  await settle();
  lobby.present(true);
  lobby.present(true);
  await settle();
  assertEquals(test.socket.sent("join").map(({ payload }) => payload), [
    { history: 10, presence: false },
    { after: cursor(1), history: 0 },
  ]);
  test.socket.say(
    { type: "left", room: "lobby", payload: { code: "left", message: "Left" } },
    said("lobby", 2),
  );
  test.socket.join("lobby", { cursor: cursor(2) });
  await settle();
  const banned = { code: "banned", message: "You are banned here" } as const;
  test.socket.say({ type: "left", room: "lobby", payload: banned });
  assertEquals(seen, ["text 1", "arrived true", "text 2", "arrived true", "banned"]);
  end();
  assertEquals(lobby.snapshot.status, "closed");
});

Deno.test("Room.sanctions asks the server, and says what it refused", async () => {
  const asked: unknown[] = [];
  const answers = [
    Response.json({ user: "mallory", kind: "mute" }, { status: 201 }),
    Response.json({ sanctions: [{ user: "mallory", kind: "mute", at: 1 }] }),
    new Response(null, { status: 204 }),
    Response.json({ error: { code: "forbidden", message: "For moderators" } }, { status: 403 }),
  ];
  using test = await startClient({
    fetch: (url, init) => {
      asked.push([String(url), init?.method, init?.body]);
      return Promise.resolve(answers[asked.length - 1]);
    },
  });
  const { sanctions } = test.client.room("lobby");
  await sanctions.impose("mallory", { kind: "mute", seconds: 60, reason: "Calm down" });
  assertEquals(await sanctions.list(), [{ user: "mallory", kind: "mute", at: 1 }]);
  await sanctions.lift("../mallory");
  const error = await assertRejects(() => sanctions.list(), ChatError, "For moderators");
  assertEquals([error.code, error.temporary], ["forbidden", false]);
  const path = "http://chat.test/base/rooms/lobby/sanctions";
  const body = JSON.stringify({
    user: "mallory",
    kind: "mute",
    seconds: 60,
    reason: "Calm down",
  });
  assertEquals(asked, [
    [path, "POST", body],
    [path, "GET", undefined],
    [`${path}?user=..%2Fmallory`, "DELETE", undefined],
    [path, "GET", undefined],
  ]);
});

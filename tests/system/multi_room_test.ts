import { assert, assertEquals } from "@std/assert";
import { tokenOf } from "@hubbub/hub";
import { errorOf, MultiRoomClient } from "../helpers/multi_room_client.ts";
import { needs } from "../helpers/permissions.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serveAlone } from "../helpers/test_server.ts";

const net = needs("net");

const say = (room: string, text: string, ref?: string) =>
  ({ type: "chat_message", room, payload: { text, ref } }) as const;

Deno.test(
  "/ws says welcome, then history, joined and what is live, room by room",
  net,
  async () => {
    await using server = await serveAlone();
    await server.hub.publish("a", "bob", { text: "before" });
    await using ann = await MultiRoomClient.connect(server.url, "ann");
    assertEquals(ann.socket.protocol, "hubbub.v2");
    const [welcome] = ann.of("welcome");
    assertEquals(welcome.payload.user, "ann");
    assertEquals(welcome.payload.protocol, 2);
    assertEquals(welcome.payload.limits.rooms_max, 200);
    assertEquals(welcome.payload.limits.history_max, 100);
    await ann.join("a", "b");
    assertEquals(ann.types("a"), ["chat_message", "joined"]);
    const [joined] = ann.of("joined", "a");
    assertEquals(joined.payload.users, [{ user: "ann" }]);
    assertEquals([joined.payload.user_count, joined.payload.role], [1, "member"]);
    assertEquals(joined.payload.cursor, ann.of("chat_message", "a")[0].payload.cursor);
    ann.send(say("b", "to b", "r1"), say("a", "to a"));
    await ann.until(({ of: _, ...client }) => ann.said("a").length === 2 && !!client);
    await ann.until((client) => client.said("b").length === 1);
    assertEquals(ann.of("chat_message", "b")[0].payload.ref, "r1");
    assertEquals(ann.of("chat_message", "a")[1].payload.ref, undefined);
  },
);

Deno.test("A message of protocol 2 is short, and its ref its sender's alone", net, async () => {
  await using server = await serveAlone();
  await using ann = await MultiRoomClient.connect(server.url, "ann");
  await using tab = await MultiRoomClient.connect(server.url, "ann");
  await using bob = await MultiRoomClient.connect(server.url, "bob");
  for (const client of [ann, tab, bob]) await client.join("lobby");
  const text = "x".repeat(28);
  ann.send(say("lobby", text, "secret"));
  for (const client of [ann, tab, bob]) await client.until(() => client.said("lobby").length === 1);
  const [message] = ann.of("chat_message");
  assertEquals(message.payload.ref, "secret");
  assertEquals(tab.of("chat_message"), [message]);
  const { ref: _, ...payload } = message.payload;
  assertEquals(bob.of("chat_message"), [{ ...message, payload }]);
  const frame = bob.frames.find((frame) => frame.includes(text))!;
  // 132 bytes and the cursor.
  assertEquals(frame.length, 132 + payload.cursor.length);
  assert(frame.length <= 152, frame);
  assert(Math.abs(payload.at - Date.now()) < 60_000);
  assert(frame.startsWith('{"type":"chat_message","room":"lobby","payload":{"cursor":"'));
  // A newcomer does not get it either.
  await using late = await MultiRoomClient.connect(server.url, "cleo");
  await late.join("lobby");
  assertEquals(late.of("chat_message"), [{ ...message, payload }]);
});

Deno.test(
  "leave and join in one frame are answered in order, and nothing of the old stay comes",
  net,
  async () => {
    await using server = await serveAlone();
    await using ann = await MultiRoomClient.connect(server.url, "ann");
    await using bob = await MultiRoomClient.connect(server.url, "bob");
    await ann.join("a");
    await bob.join("a");
    await ann.until((client) => client.of("presence").length === 1);
    const { cursor } = ann.of("joined", "a")[0].payload;
    ann.send(
      { type: "leave", room: "a" },
      { type: "join", room: "a", payload: { after: cursor } },
      { type: "leave", room: "a" },
      { type: "join", room: "a", payload: { after: cursor } },
    );
    await ann.until((client) =>
      client.of("left").length === 2 && client.types("a").at(-1) === "joined"
    );
    const types = ann.types("a").slice(2).filter((type) => type !== "joined");
    assertEquals(types, ["left", "left"]);
    assertEquals(ann.of("left")[0].payload.code, "left");
    bob.send(say("a", "hello"));
    await ann.until((client) => client.said("a").length === 1);
    ann.send({ type: "leave", room: "a" });
    await ann.until((client) => client.of("left").length === 3);
    bob.send(say("a", "unheard"));
    await bob.until((client) => client.said("a").length === 2);
    ann.send({ type: "ping" });
    await ann.until((client) => client.of("pong").length === 1);
    assertEquals(ann.types("a").at(-1), "left");
  },
);

Deno.test(
  "Errors of protocol 2 name the room and what was refused; the connection stays",
  net,
  async () => {
    await using server = await serveAlone({ maxRoomsPerConnection: 2 });
    await using ann = await MultiRoomClient.connect(server.url, "ann");
    await ann.join("a");
    const cases: [
      frame: string,
      code: string,
      room: string | undefined,
      type: string | undefined,
    ][] = [
      ['{"type":"join","room":"a"}', "already_joined", "a", "join"],
      ['{"type":"leave","room":"b"}', "not_joined", "b", "leave"],
      [
        '{"type":"chat_message","room":"b","payload":{"text":"x","ref":"7"}}',
        "not_joined",
        "b",
        "chat_message",
      ],
      [
        '{"type":"typing_status","room":"b","payload":{"status":true}}',
        "not_joined",
        "b",
        "typing_status",
      ],
      ['{"type":"join","room":"no room"}', "bad_room", undefined, "join"],
      ['{"type":"join","room":"b","payload":{"x":1}}', "unknown_field", "b", "join"],
      ['{"type":"poke","room":"a"}', "unknown_type", "a", "poke"],
      ['{"type":"edit_message","room":"a"}', "bad_frame", "a", "edit_message"],
      ["nonsense", "bad_frame", undefined, undefined],
      ["", "bad_frame", undefined, undefined],
    ];
    for (const [frame, code, room, type] of cases) {
      const before = ann.of("error").length;
      ann.socket.send(frame);
      await ann.until((client) => client.of("error").length === before + 1);
      const error = errorOf(ann);
      assertEquals([error.payload.code, error.room, error.payload.for], [code, room, type], frame);
    }
    assertEquals(errorOf(ann, 2).payload.ref, "7");
    await ann.join("b");
    ann.send({ type: "join", room: "c" });
    await ann.until((client) => client.of("error").at(-1)?.payload.code === "too_many_rooms");
    assertEquals(errorOf(ann).room, "c");
    ann.send({ type: "leave", room: "b" }, { type: "join", room: "c" });
    await ann.until((client) => client.of("joined", "c").length === 1);
  },
);

Deno.test("A reconnect resumes 200 rooms in one frame, with what each missed", net, async () => {
  await using server = await serveAlone();
  const rooms = Array.from({ length: 200 }, (_, i) => `room-${i}`);
  const cursors = new Map<string, string>();
  {
    await using ann = await MultiRoomClient.connect(server.url, "ann");
    await ann.join(...rooms);
    for (const { room, payload } of ann.of("joined")) cursors.set(room, payload.cursor);
  }
  await Promise.all(rooms.map((room, i) => server.hub.publish(room, "bob", { text: `m${i}` })));
  await using ann = await MultiRoomClient.connect(server.url, "ann");
  ann.send(...rooms.map((room) => {
    return { type: "join", room, payload: { after: cursors.get(room) } } as const;
  }));
  await ann.until((client) => client.of("joined").length === 200);
  rooms.forEach((room, i) => {
    assertEquals(ann.said(room), [`m${i}`]);
    assertEquals(ann.of("joined", room)[0].payload.recovered, true);
  });
});

Deno.test("Presence of protocol 2 comes in batches, and not without it", net, async () => {
  await using server = await serveAlone();
  await using watcher = await MultiRoomClient.connect(server.url, "watcher");
  await using quiet = await MultiRoomClient.connect(server.url, "quiet");
  await watcher.join("lobby");
  quiet.send({ type: "join", room: "lobby", payload: { presence: false } });
  await quiet.until((client) => client.of("joined").length === 1);
  const { user_count, users, typing } = quiet.of("joined")[0].payload;
  assertEquals([user_count, users, typing], [1, [], []]);
  const member = (user: string) => server.hub.join("lobby", { user, send() {}, close() {} });
  const subscriptions = Array.from({ length: 1_000 }, (_, i) => member(`user ${i}`));
  const here = new Set<string>();
  const read = () => {
    here.clear();
    for (const { payload } of watcher.of("presence")) {
      for (const { user } of payload.joined) here.add(user);
      for (const user of payload.left) here.delete(user);
    }
    return here.size;
  };
  await watcher.until(() => read() === 1_000);
  assert(watcher.of("presence").length < 60, `${watcher.of("presence").length} envelopes`);
  subscriptions[0].typing(true);
  await watcher.until((client) => client.of("typing_status").length === 1);
  assertEquals(watcher.of("typing_status")[0].payload, { user: "user 0", status: true });
  for (const subscription of subscriptions) subscription.leave();
  await watcher.until(() => read() === 0);
  await server.hub.publish("lobby", "bob", { text: "done" });
  await quiet.until((client) => client.said("lobby").length === 1);
  assertEquals(quiet.types("lobby"), ["joined", "chat_message"]);
  // Nobody was told of the quiet one.
  const names = watcher.of("presence").flatMap(({ payload }) => payload.joined);
  assert(!names.some(({ user }) => user === "quiet"));
});

Deno.test("Members of protocols 1 and 2 see one order and each other", net, async () => {
  await using server = await serveAlone();
  await using ann = await MultiRoomClient.connect(server.url, "ann");
  await ann.join("lobby");
  await using bob = await TestClient.join(server.url, "/rooms/lobby/ws?user=bob");
  await ann.until((client) => client.of("presence").length === 1);
  for (let i = 0; i < 15; i++) {
    ann.send(say("lobby", `ann ${i}`));
    bob.say(`bob ${i}`);
  }
  await ann.until((client) => client.said("lobby").length === 30);
  await bob.until(({ said }) => said.length === 30);
  assertEquals(ann.said("lobby"), bob.said);
  const cursors = ann.of("chat_message").map(({ payload }) => payload.cursor);
  assertEquals(cursors, bob.messages.map(({ cursor }) => cursor));
  assertEquals(cursors, cursors.toSorted());
  bob.type(true);
  await ann.until((client) => client.of("typing_status").length === 1);
  ann.send({ type: "typing_status", room: "lobby", payload: { status: true } });
  await bob.until((client) => client.of("typing_status").length === 1);
  assertEquals(bob.of("typing_status")[0], { user: "ann", status: true });
});

Deno.test("/ws refuses what is no handshake of protocol 2, and says why", net, async () => {
  await using server = await serveAlone();
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(server.url + path, { headers });
    const { error } = await response.json();
    return [response.status, error.code];
  };
  assertEquals(await ask("/ws"), [426, "upgrade_required"]);
  assertEquals(await ask("/ws?user=ann"), [426, "upgrade_required"]);
  assertEquals(await ask("/ws?user=%00"), [400, "bad_user"]);
  const response = await fetch(server.url + "/ws", { method: "POST" });
  assertEquals([response.status, response.headers.get("allow")], [405, "GET"]);
  await response.body?.cancel();
  for (const offer of ["", "Sec-WebSocket-Protocol: hubbub.v1\r\n"]) {
    const [status, body] = await shakeHands(server.port, offer);
    assertEquals([status, body.error.code], [400, "bad_handshake"]);
    assert(body.error.message.includes("hubbub.v2"), body.error.message);
  }
});

/** Asks for an upgrade as no browser would, and reads the refusal. */
async function shakeHands(port: number, offer: string) {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = "GET /ws?user=ann HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade, close\r\n" +
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${offer}\r\n`;
  await connection.write(new TextEncoder().encode(head));
  const chunk = new Uint8Array(4_096);
  let answer = "";
  while (!answer.includes("}}")) {
    const count = await connection.read(chunk);
    if (count === null) break;
    answer += new TextDecoder().decode(chunk.subarray(0, count));
  }
  const status = Number(answer.split(" ")[1]);
  return [status, JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1))];
}

Deno.test("A connection in no room is told to come back when the server stops", net, async () => {
  const server = await serveAlone();
  const roomless = await MultiRoomClient.connect(server.url, "ann");
  const joined = await MultiRoomClient.connect(server.url, "bob");
  await joined.join("a", "b", "c");
  await server[Symbol.asyncDispose]();
  for (const client of [roomless, joined]) {
    assertEquals((await client.closed).code, 4000);
    assertEquals(client.of("draining").length, 1);
  }
});

Deno.test("Hostile joins are slowed down, and then closed", net, async () => {
  await using server = await serveAlone();
  const client = await MultiRoomClient.connect(server.url, "mallory");
  const frame = Array.from({ length: 2_000 }, () => '{"type":"join","room":"a"}').join("\n");
  client.socket.send(frame.slice(0, 60_000).slice(0, frame.lastIndexOf("\n", 60_000)));
  const { code } = await client.closed;
  assertEquals(code, 4509);
  const codes = new Set(client.of("error").map(({ payload }) => payload.code));
  assertEquals([...codes].toSorted(), ["already_joined", "rate_limited"]);
  const limited = client.of("error").find(({ payload }) => payload.code === "rate_limited");
  assert((limited?.payload.retry_after_ms ?? 0) > 0);
});

Deno.test(
  "200 rooms with long histories do not make a member that reads too slow",
  net,
  async () => {
    await using server = await serveAlone();
    const rooms = Array.from({ length: 200 }, (_, i) => `long-${i}`);
    const text = "x".repeat(4_000);
    for (let i = 0; i < 10; i++) {
      await Promise.all(rooms.map((room) => server.hub.publish(room, "bob", { text })));
    }
    await using ann = await MultiRoomClient.connect(server.url, "ann");
    // 8 MB, eight times what may wait.
    await ann.join(...rooms);
    for (const room of rooms) assertEquals(ann.said(room).length, 10);
  },
);

Deno.test("A fresh token that opens fewer rooms ends the others with left", net, async () => {
  const rooms: Record<string, readonly string[]> = { all: ["a", "b"], one: ["b"] };
  await using server = await serveAlone({
    authorize: (request) => {
      const token = tokenOf(request) ?? "";
      if (!(token in rooms)) return { denied: "Who are you?" };
      return { user: "ann", roleIn: (room) => rooms[token].includes(room) ? "member" : "none" };
    },
  });
  await using ann = new MultiRoomClient(server.url, "token=all");
  await ann.until((client) => client.of("welcome").length === 1);
  await ann.join("a", "b");
  ann.send({ type: "join", room: "c" });
  await ann.until((client) => client.of("error").length === 1);
  assertEquals(errorOf(ann).payload.code, "forbidden");
  assertEquals([errorOf(ann).room, errorOf(ann).payload.for], ["c", "join"]);
  ann.send({ type: "authenticate", payload: { token: "none" } });
  await ann.until((client) => client.of("error").length === 2);
  assertEquals([errorOf(ann).payload.code, errorOf(ann).payload.for], [
    "unauthorized",
    "authenticate",
  ]);
  ann.send({ type: "authenticate", payload: { token: "one" } });
  await ann.until((client) => client.of("left").length === 1);
  assertEquals([ann.of("left")[0].room, ann.of("left")[0].payload.code], ["a", "forbidden"]);
  ann.send(say("b", "still here"));
  await ann.until((client) => client.said("b").length === 1);
});

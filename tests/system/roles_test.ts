// What readers, members and moderators may do, over the wire, and what fresh tokens change.

import { assertEquals } from "@std/assert";
import { type Authorize, type RoomRole, tokenAuthorizer, tokenOf } from "@hubbub/hub";
import { MultiRoomClient } from "../helpers/multi_room_client.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { assertRefused } from "../helpers/requests.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serveAlone } from "../helpers/test_server.ts";
import { signWithSecret } from "../helpers/tokens.ts";

const net = needs("net");
const SECRET = "a secret that is made for these tests";

/** Who comes with which token: `user:role`, or a user alone for a member. */
const byName: Authorize = (request) => {
  const [user, role = "member"] = (tokenOf(request) ?? "").split(".");
  return user === "" ? { denied: "Who are you?" } : { user, roleIn: () => role as RoomRole };
};

async function connect(url: string, token: string): Promise<MultiRoomClient> {
  const client = new MultiRoomClient(url, `token=${token}`);
  await client.until(({ envelopes }) => envelopes.length > 0);
  return client;
}

function postAs(url: string, token: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  return fetch(`${url}/rooms/lobby/messages`, init);
}

Deno.test("A token's rooms give roles, by list or by pattern", net, async () => {
  await using server = await serveAlone({ authorize: tokenAuthorizer({ secret: SECRET }) });
  const rooms = { "*": "reader", "team-*": "member", "team-red": "moderator", "*-staff": "none" };
  const token = await signWithSecret({ sub: "ann", rooms }, SECRET);
  await using ann = await connect(server.url, token);
  await ann.join("lobby", "team-blue", "team-red");
  const roles = ann.of("joined").map(({ room, payload: { role } }) => [room, role]);
  assertEquals(Object.fromEntries(roles), {
    lobby: "reader",
    "team-blue": "member",
    "team-red": "moderator",
  });
  ann.send({ type: "join", room: "team-staff" });
  await ann.until((client) => client.of("error").length === 1);
  const [{ room, payload }] = ann.of("error");
  assertEquals([room, payload.code, payload.for], ["team-staff", "forbidden", "join"]);

  const list = await signWithSecret({ sub: "bob", rooms: ["team-*"] }, SECRET);
  await using bob = await connect(server.url, list);
  await bob.join("team-red");
  assertEquals(bob.of("joined")[0].payload.role, "member");
  const wrong = await signWithSecret({ sub: "bob", rooms: { lobby: "owner" } }, SECRET);
  await assertRefused(await postAs(server.url, wrong, { text: "hi" }), 401, "unauthorized");
});

Deno.test("A reader receives, and may neither send nor type, in any way", net, async () => {
  await using server = await serveAlone({ authorize: byName });
  await using bob = await connect(server.url, "bob");
  await bob.join("lobby");
  await using reader = await connect(server.url, "ann.reader");
  await reader.join("lobby");
  await using old = await TestClient.join(server.url, "/rooms/lobby/ws?token=ann.reader");
  reader.send(
    { type: "chat_message", room: "lobby", payload: { text: "hello", ref: "1" } },
    { type: "typing_status", room: "lobby", payload: { status: true } },
    { type: "typing_status", room: "lobby", payload: { status: false } },
  );
  await reader.until((client) => client.of("error").length === 2);
  assertEquals(reader.of("error").map(({ room, payload }) => [room, payload.for, payload.ref]), [
    ["lobby", "chat_message", "1"],
    ["lobby", "typing_status", undefined],
  ]);
  for (const { payload } of reader.of("error")) assertEquals(payload.code, "forbidden");
  old.send({ type: "chat_message", payload: { text: "hello", ref: "2" } });
  const error = await old.first("error", () => true);
  assertEquals([error.code, error.ref], ["forbidden", "2"]);
  await assertRefused(await postAs(server.url, "ann.reader", { text: "hi" }), 403, "forbidden");
  const stored = await postAs(server.url, "bob", { text: "hi" });
  assertEquals([stored.status, (await stored.json()).text], [201, "hi"]);
  await reader.until((client) => client.said("lobby").length === 1);
  assertEquals(bob.said("lobby"), ["hi"]);
  assertEquals(bob.of("typing_status"), []);
});

Deno.test("A fresh token's role holds at once, and is told", net, async () => {
  await using server = await serveAlone({ authorize: byName });
  await using bob = await connect(server.url, "bob");
  await bob.join("lobby");
  await using ann = await connect(server.url, "ann.moderator");
  await ann.join("lobby");
  const refresh = (token: string) => ann.send({ type: "authenticate", payload: { token } });
  const roles = () => ann.of("role").map(({ payload: { role } }) => role);
  ann.send({ type: "typing_status", room: "lobby", payload: { status: true } });
  await bob.until((client) => client.of("typing_status").length === 1);
  refresh("ann.reader");
  await ann.until(() => roles().length === 1);
  // Who may no longer type has stopped.
  await bob.until((client) => client.of("typing_status").length === 2);
  ann.send({ type: "chat_message", room: "lobby", payload: { text: "no", ref: "1" } });
  await ann.until((client) => client.of("error").length === 1);
  refresh("ann.reader");
  refresh("ann.member");
  await ann.until((client) => client.of("error").length + roles().length >= 3);
  // One token at a time: the second may have been refused, and is sent again.
  if (roles().length === 1) refresh("ann.member");
  await ann.until(() => roles().length === 2);
  ann.send({ type: "chat_message", room: "lobby", payload: { text: "yes", ref: "2" } });
  await bob.until((client) => client.said("lobby").length === 1);
  assertEquals(roles(), ["reader", "member"]);
  refresh("ann.none");
  await ann.until((client) => client.of("left").length === 1);
  assertEquals(ann.of("left")[0].payload.code, "forbidden");
  assertEquals(bob.said("lobby"), ["yes"]);
});

Deno.test("A fresh token's role holds on a connection of protocol 1 too", net, async () => {
  await using server = await serveAlone({ authorize: byName });
  await using ann = await TestClient.join(server.url, "/rooms/lobby/ws?token=ann");
  ann.send({ type: "authenticate", payload: { token: "ann.reader" } });
  // Nothing tells when it was verified: it is tried until it has been.
  for (let n = 1; ann.of("error").length === 0; n++) {
    ann.send({ type: "chat_message", payload: { text: `${n}` } });
    await eventually(
      () => ann.of("error").length + ann.of("chat_message").length >= n,
      "an answer",
    );
  }
  assertEquals(ann.of("error")[0].code, "forbidden");
  ann.send({ type: "authenticate", payload: { token: "ann.none" } });
  const error = await ann.first("error", ({ message }) => message.includes("token"));
  assertEquals(error.code, "forbidden");
});

Deno.test("roleIn() may be slow: what is sent meanwhile waits, in its order", net, async () => {
  let decide = (_role: RoomRole) => {};
  await using server = await serveAlone({
    authorize: (_request, { room }) => ({
      user: "ann",
      roleIn: () => room === undefined ? new Promise((resolve) => decide = resolve) : "member",
    }),
  });
  await using ann = await connect(server.url, "");
  const say = (text: string) =>
    ({ type: "chat_message", room: "lobby", payload: { text } }) as const;
  ann.send({ type: "join", room: "lobby" }, say("1"), say("2"), { type: "leave", room: "lobby" });
  ann.send({ type: "join", room: "lobby" });
  await ann.until((client) => client.of("left").length === 1);
  ann.send(say("3"), { type: "ping" });
  await ann.until((client) => client.of("pong").length === 1);
  assertEquals(ann.of("joined"), []);
  decide("member");
  await ann.until((client) => client.said("lobby").length === 1);
  assertEquals(ann.said("lobby"), ["3"], "what was sent before leaving went with it");

  ann.send({ type: "join", room: "staff" });
  ann.send({ type: "ping" });
  await ann.until((client) => client.of("pong").length === 2);
  decide("none");
  await ann.until((client) => client.of("error").length === 1);
  const [{ room, payload }] = ann.of("error");
  assertEquals([room, payload.code, payload.for], ["staff", "forbidden", "join"]);
});

Deno.test("roleIn() that fails, or gives back no role, opens nothing", net, async () => {
  const answers: Record<string, () => unknown> = {
    throws: () => {
      throw new Error("no answer");
    },
    rejects: () => Promise.reject(new Error("no answer")),
    nothing: () => undefined,
    strange: () => "admin",
    promised: () => Promise.resolve(true),
  };
  await using server = await serveAlone({
    authorize: () => ({ user: "ann", roleIn: (room) => answers[room]() as RoomRole }),
  });
  await using ann = await connect(server.url, "");
  for (const room of Object.keys(answers)) {
    ann.send({ type: "join", room });
    await ann.until((client) => client.of("error", room).length === 1);
    const [{ payload }] = ann.of("error", room);
    assertEquals([payload.code, payload.for], ["unavailable", "join"], room);
    const response = await fetch(`${server.url}/rooms/${room}/messages`);
    await assertRefused(response, 503, "unavailable");
  }
  assertEquals(ann.of("joined"), []);
  assertEquals(server.hub.metrics.authorizeFailures, 10);
  assertEquals(new Set(server.events.map(({ event }) => event)), new Set(["authorize_failed"]));
});

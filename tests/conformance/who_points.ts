import { assert, assertEquals } from "@std/assert";
import { anew, ask, assertRefused, type PointCheck, tokenOf } from "./hub_under_test.ts";
import type { HubUnderTest } from "./hub_under_test.ts";
import { Socket } from "./socket.ts";

/** Connects with a token of some claims. */
async function enter(
  hub: HubUnderTest,
  user: string,
  claims: Parameters<typeof tokenOf>[2],
): Promise<Socket> {
  const token = await tokenOf(hub, user, claims);
  const socket = new Socket(`${hub.withTokens!.url}/ws`, ["hubbub.v2", `hubbub.token.${token}`]);
  await socket.first("welcome");
  return socket;
}

/** Waits for so many errors, and gives them without their sentences. */
async function errorsOf(socket: Socket, count: number): Promise<unknown[]> {
  await socket.until(`${count} errors`, () => socket.of("error").length >= count);
  return socket.of("error").map(({ message: _why, ...rest }) => rest);
}

/** Imposes a sanction as a moderator of the room. */
async function sanction(
  hub: HubUnderTest,
  room: string,
  body: Record<string, unknown>,
): Promise<Response> {
  const token = await tokenOf(hub, "ann", { rooms: { [room]: "moderator" } });
  const response = await ask(`${hub.withTokens!.url}/rooms/${room}/sanctions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  if (response.ok) assertEquals(await response.json(), body);
  return response;
}

/** Waits until a member's typing is refused: within a second, it is promised. */
async function becomesMuted(socket: Socket, room: string): Promise<void> {
  const until = performance.now() + 10_000;
  while (socket.of("error").length === 0) {
    assert(performance.now() < until, "it is never muted");
    socket.send({ type: "typing_status", room, payload: { status: true } });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const pings = socket.of("pong").length;
  // All that was said before is answered.
  socket.send({ type: "ping" });
  await socket.until("a pong", () => socket.of("pong").length > pings);
}

/** The points about who may do what. */
export const WHO_POINTS: readonly PointCheck[] = [
  {
    id: "WHO-1",
    need: "withTokens",
    async check(hub) {
      const name = anew("r");
      const roles: Record<string, string> = {
        [`${name}*`]: "reader",
        [`${name}-*`]: "member",
        [`${name}-bb`]: "moderator",
        [`*-bb`]: "none",
        [`*-shut`]: "none",
        [`${name}-c*`]: "moderator",
        [`${name}-*c`]: "reader",
      };
      await using ann = await enter(hub, "ann", { rooms: roles });
      const rooms = [name, `${name}-a`, `${name}-bb`, `${name}-cc`];
      ann.send(...rooms.map((room) => ({ type: "join", room })));
      await ann.until("four rooms", () => ann.of("joined").length === 4);
      const found = rooms.map((room) => ann.of("joined", room)[0].role);
      assertEquals(found, ["reader", "member", "moderator", "reader"]);
      ann.send({ type: "join", room: "x-shut" }, { type: "join", room: anew("other") });
      assertEquals(await errorsOf(ann, 2), Array(2).fill({ code: "forbidden", for: "join" }));
    },
  },
  {
    id: "WHO-2",
    need: "withTokens",
    async check(hub) {
      const room = anew("room");
      await using ann = await enter(hub, "ann", { rooms: { [room]: "reader" } });
      ann.send(
        { type: "join", room },
        { type: "chat_message", room, payload: { text: "hello", ref: "r1" } },
        { type: "typing_status", room, payload: { status: true } },
      );
      assertEquals(await errorsOf(ann, 2), [
        { code: "forbidden", for: "chat_message", ref: "r1" },
        { code: "forbidden", for: "typing_status" },
      ]);
      const token = await tokenOf(hub, "ann", { rooms: { [room]: "reader" } });
      const headers = { authorization: `Bearer ${token}` };
      const url = `${hub.withTokens!.url}/rooms/${room}/messages`;
      const body = JSON.stringify({ text: "hello" });
      await assertRefused(ask(url, { method: "POST", headers, body }), 403, "forbidden");
      const page = await ask(url, { headers });
      assertEquals([page.status, (await page.json()).messages], [200, []]);
      // Nor does a reader change what is there, be it its own.
      const member = { authorization: `Bearer ${await tokenOf(hub, "ann")}` };
      const stored = await ask(url, { method: "POST", headers: member, body });
      const { cursor } = await stored.json();
      ann.send(
        { type: "edit_message", room, payload: { cursor, text: "x" } },
        { type: "delete_message", room, payload: { cursor } },
        { type: "react", room, payload: { cursor, emoji: "x", status: true } },
      );
      const changes = ["edit_message", "delete_message", "react"];
      assertEquals(
        (await errorsOf(ann, 5)).slice(2),
        changes.map((type) => ({ code: "forbidden", for: type })),
      );
      const reaction = `${url}/${cursor}/reactions?emoji=x`;
      await assertRefused(ask(reaction, { method: "PUT", headers }), 403, "forbidden");
      await assertRefused(ask(`${url}/${cursor}`, { method: "DELETE", headers }), 403, "forbidden");
    },
  },
  {
    id: "WHO-3",
    need: "withTokens",
    async check(hub) {
      const [one, two] = [anew("one"), anew("two")];
      await using ann = await enter(hub, "ann", { rooms: [one, two] });
      ann.send({ type: "join", room: one }, { type: "join", room: two });
      await ann.until("two rooms", () => ann.of("joined").length === 2);
      const token = await tokenOf(hub, "ann", { rooms: { [one]: "reader" } });
      ann.send({ type: "authenticate", payload: { token } });
      assertEquals(await ann.first("role", () => true, one), { role: "reader" });
      assertEquals((await ann.first("left", () => true, two)).code, "forbidden");
      ann.send({ type: "chat_message", room: one, payload: { text: "hello" } });
      assertEquals(await errorsOf(ann, 1), [{ code: "forbidden", for: "chat_message" }]);
    },
  },
  {
    id: "WHO-4",
    need: "withTokens",
    async check(hub) {
      const room = anew("room");
      await using ann = await enter(hub, "ann", { name: " Ann  Lee " });
      await using bob = await enter(hub, "bob", { name: "bob" });
      await using cleo = await enter(hub, "cleo", { name: "\u200b" });
      const members = [ann, bob, cleo];
      assertEquals(members.map((socket) => socket.of("welcome")[0].name), [
        "Ann Lee",
        undefined,
        undefined,
      ]);
      for (const socket of members) {
        socket.send({ type: "join", room });
        await socket.first("joined");
        socket.send({ type: "chat_message", room, payload: { text: "hello" } });
        // Its own: others' stand before it in the history, and may be at another process.
        const { user: own } = socket.of("welcome")[0];
        await socket.first("chat_message", ({ user }) => user === own);
      }
      await ann.until("three messages", () => ann.of("chat_message").length === 3);
      const { users } = cleo.of("joined")[0];
      assertEquals(users, [{ user: "ann", name: "Ann Lee" }, { user: "bob" }, { user: "cleo" }]);
      const fresh = await tokenOf(hub, "ann", { name: "Ann Mae" });
      ann.send({ type: "authenticate", payload: { token: fresh } });
      const { renamed } = await bob.first("presence", ({ renamed }) => renamed !== undefined);
      assertEquals(renamed, [{ user: "ann", name: "Ann Mae" }]);
      const names = ann.of("chat_message").map(({ user, name }) => [user, name]);
      assertEquals(names, [["ann", "Ann Lee"], ["bob", undefined], ["cleo", undefined]]);
      const token = await tokenOf(hub, "ann", { name: "Ann Mae" });
      const headers = { authorization: `Bearer ${token}` };
      const url = `${hub.withTokens!.url}/rooms/${room}/messages`;
      const body = JSON.stringify({ text: "hello" });
      const response = await ask(url, { method: "POST", headers, body });
      assertEquals((await response.json()).name, "Ann Mae");
      await bob.first("chat_message", ({ name }) => name === "Ann Mae");
    },
  },
  {
    id: "WHO-5",
    need: "withTokens",
    async check(hub) {
      const room = anew("room");
      await using ann = await enter(hub, "ann", { rooms: { [room]: "moderator" } });
      await using bob = await enter(hub, "bob", {});
      for (const socket of [ann, bob]) {
        socket.send({ type: "join", room });
        await socket.first("joined");
      }
      bob.send({ type: "chat_message", room, payload: { text: "hello" } });
      const { cursor } = await bob.first("chat_message");
      await sanction(hub, room, { user: "bob", kind: "mute", seconds: 60 });
      // Another process may know of it a moment later.
      await becomesMuted(bob, room);
      const before = bob.of("error").length;
      bob.send(
        { type: "chat_message", room, payload: { text: "again" } },
        { type: "edit_message", room, payload: { cursor, text: "again" } },
        { type: "react", room, payload: { cursor, emoji: "👍", status: true } },
        { type: "typing_status", room, payload: { status: true } },
        { type: "delete_message", room, payload: { cursor } },
      );
      await bob.until("four errors", () => bob.of("error").length >= before + 4);
      const errors = bob.of("error").slice(before);
      assertEquals(errors.map(({ code, for: type }) => [code, type]), [
        ["muted", "chat_message"],
        ["muted", "edit_message"],
        ["muted", "react"],
        ["muted", "typing_status"],
      ]);
      for (const { retry_after_ms } of errors) {
        assert(retry_after_ms > 0 && retry_after_ms < 60_001);
      }
      await ann.first("message_changed", ({ kind }) => kind === "delete");
    },
  },
  {
    id: "WHO-6",
    need: "withTokens",
    async check(hub) {
      const room = anew("room");
      const headers = { authorization: `Bearer ${await tokenOf(hub, "bob")}` };
      const url = `${hub.withTokens!.url}/rooms/${room}`;
      await using bob = await enter(hub, "bob", {});
      bob.send({ type: "join", room });
      await bob.first("joined");
      await sanction(hub, room, { user: "bob", kind: "kick" });
      assertEquals((await bob.first("left")).code, "kicked");
      bob.send({ type: "join", room });
      await bob.until("a second stay", () => bob.of("joined").length === 2);
      const events = await ask(`${url}/events`, { headers });
      assertEquals(events.status, 200);
      const protocols = ["hubbub.v1", `hubbub.token.${await tokenOf(hub, "bob")}`];
      await using old = new Socket(`${url}/ws`, protocols);
      await old.first("joined");
      await sanction(hub, room, { user: "bob", kind: "ban" });
      assertEquals((await bob.first("left", ({ code }) => code !== "kicked")).code, "banned");
      await events.text(); // It ends.
      assertEquals(await old.closed(), 4503);
      bob.send({ type: "join", room });
      assertEquals(await errorsOf(bob, 1), [{ code: "banned", for: "join" }]);
      for (const path of ["", "/messages", "/events", `/messages/${"0".repeat(20)}`]) {
        await assertRefused(ask(url + path, { headers }), 403, "banned");
      }
      const token = await tokenOf(hub, "ann", { rooms: { [room]: "moderator" } });
      const lifted = await ask(`${url}/sanctions?user=bob`, {
        method: "DELETE",
        headers: { authorization: `Bearer ${token}` },
      });
      assertEquals(lifted.status, 204);
      bob.send({ type: "join", room });
      await bob.until("a third stay", () => bob.of("joined").length === 3);
    },
  },
  {
    id: "WHO-7",
    need: "withTokens",
    async check(hub) {
      const room = anew("room");
      await using ann = await enter(hub, "ann", { rooms: { [room]: "moderator" } });
      await using cleo = await enter(hub, "cleo", { rooms: { [room]: "moderator" } });
      for (const socket of [ann, cleo]) {
        socket.send({ type: "join", room });
        await socket.first("joined");
      }
      // Who is there is known to the other processes too.
      await ann.until("cleo is seen", () => {
        return [
          ...ann.of("joined").flatMap(({ users }) => users),
          ...ann.of("presence").flatMap(({ joined }) => joined),
        ]
          .some(({ user }) => user === "cleo");
      });
      for (const kind of ["ban", "mute", "kick"]) {
        await assertRefused(await sanction(hub, room, { user: "cleo", kind }), 403, "forbidden");
      }
      cleo.send({ type: "chat_message", room, payload: { text: "hello" } });
      await ann.first("chat_message");
    },
  },
];

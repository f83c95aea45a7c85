// Every sanction, said by every kind of authority, against every role, at every way in: over the wire,
// on another isolate than the one that was told.

import { assert, assertEquals } from "@std/assert";
import { type Authorize, type RoomRole, tokenOf } from "@hubbub/hub";
import { EventReader } from "../helpers/event_reader.ts";
import { MultiRoomClient } from "../helpers/multi_room_client.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { serve, type TestServer } from "../helpers/test_server.ts";

const net = needs("net");
const ADMIN = "x".repeat(32);
const KINDS = ["none", "mute", "ban", "kick"] as const;
const SAYERS = ["moderator", "operator", "everywhere"] as const;
const ROLES = ["reader", "member", "moderator"] as const;

type Kind = typeof KINDS[number];

/** Tokens are `user.role`. A cookie says the same. */
const authorize: Authorize = (request) => {
  const [user, role = "member"] = (tokenOf(request) ?? "").split(".");
  return user === "" ? { denied: "Who are you?" } : { user, roleIn: () => role as RoomRole };
};

interface Case {
  readonly kind: Kind;
  readonly by: typeof SAYERS[number];
  readonly role: typeof ROLES[number];
  readonly user: string;
}

const cases: Case[] = KINDS.flatMap((kind) =>
  SAYERS.flatMap((by) => ROLES.map((role) => ({ kind, by, role, user: `${kind}-${by}-${role}` })))
).filter(({ kind, by }) => kind !== "none" || by === "moderator");

/** What holds for somebody: a moderator's word does not for moderators. */
function holding({ kind, by, role }: Case): Kind {
  return by === "moderator" && role === "moderator" ? "none" : kind;
}

/** What one gets who wants to read, or to say something. */
function expected(one: Case): { read: string; say: string; withdraw: string } {
  const kind = holding(one);
  if (kind === "ban") {
    // Whoever may only read is told that, or that they are banned: both are the end of it.
    return { read: "banned", say: one.role === "reader" ? "forbidden" : "banned", withdraw: "" };
  }
  const say = one.role === "reader" ? "forbidden" : kind === "mute" ? "muted" : "ok";
  return { read: "ok", say, withdraw: one.role === "reader" ? "forbidden" : "ok" };
}

async function impose({ kind, by, user }: Case, { url }: TestServer): Promise<number> {
  if (kind === "none") return 201;
  const path = by === "everywhere" ? "/sanctions" : "/rooms/lobby/sanctions";
  const token = by === "moderator" ? "ann.moderator" : ADMIN;
  const seconds = kind === "kick" ? undefined : 60;
  const response = await fetch(url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ user, kind, seconds }),
  });
  await response.body?.cancel();
  return response.status;
}

async function codeOf(response: Response): Promise<string> {
  const isJson = response.headers.get("content-type")?.includes("json");
  const body = isJson ? await response.json() : void await response.body?.cancel();
  if (response.ok) return "ok";
  const { code } = body.error;
  if (code === "muted" || code === "banned") {
    assertEquals(response.status, 403);
    const seconds = Number(response.headers.get("retry-after"));
    assert(seconds > 30 && seconds <= 60, "it says when it is over");
  }
  return code;
}

/** What plain requests are answered. */
async function byHttp(
  one: Case,
  { url }: TestServer,
  own: string,
): Promise<Record<string, string>> {
  const headers = { authorization: `Bearer ${one.user}.${one.role}` };
  const ask = async (method: string, path: string, body?: object) =>
    await codeOf(
      await fetch(`${url}/rooms/lobby${path}`, {
        method,
        headers,
        body: body && JSON.stringify(body),
      }),
    );
  const reaction = `/messages/${own}/reactions?emoji=%F0%9F%91%8D`;
  return {
    state: await ask("GET", ""),
    page: await ask("GET", "/messages"),
    later: await ask("GET", `/messages?after=${own}`),
    message: await ask("GET", `/messages/${own}`),
    events: await ask("GET", "/events"),
    sanctions: await ask("GET", "/sanctions"),
    post: await ask("POST", "/messages", { text: "hello" }),
    patch: await ask("PATCH", `/messages/${own}`, { text: "hello again" }),
    react: await ask("PUT", reaction),
    unreact: await ask("DELETE", reaction),
    delete: await ask("DELETE", `/messages/${own}`),
  };
}

/** What envelopes are answered. */
async function byEnvelopes(
  client: MultiRoomClient,
  own: string,
): Promise<Record<string, string>> {
  const about = { room: "lobby" } as const;
  const emoji = "🎉";
  const before = client.envelopes.length;
  client.send(
    { type: "chat_message", ...about, payload: { text: "hi", ref: "post" } },
    { type: "edit_message", ...about, payload: { cursor: own, text: "edited", ref: "patch" } },
    { type: "react", ...about, payload: { cursor: own, emoji, status: true, ref: "react" } },
    { type: "typing_status", ...about, payload: { status: true } },
    { type: "delete_message", ...about, payload: { cursor: own, ref: "delete" } },
    { type: "ping" },
  );
  const found: Record<string, string> = { typing: "ok" };
  const refs = ["post", "patch", "react", "delete"];
  await client.until(({ envelopes }) => {
    for (const envelope of envelopes.slice(before)) {
      if (!("payload" in envelope)) continue;
      const { ref, code, for: type } = envelope.payload as Record<string, string>;
      if (envelope.type === "error" && type === "typing_status") found.typing = code;
      if (ref !== undefined && !envelope.type.startsWith("welcome")) found[ref] = code ?? "ok";
    }
    return refs.every((ref) => ref in found) && envelopes.slice(before).some(isPong);
  });
  return found;
}

const isPong = ({ type }: { type: string }) => type === "pong";

async function closeOf(socket: WebSocket): Promise<number> {
  return await new Promise((resolve) => socket.onclose = ({ code }) => resolve(code));
}

/** How an attempt to join ends. */
async function joining(client: MultiRoomClient, after?: string): Promise<string> {
  const count = () => client.of("joined").length + client.of("error").length;
  const before = count();
  client.send({ type: "join", room: "lobby", payload: { after } });
  await client.until(() => count() > before);
  const last = client.envelopes.findLast(({ type }) => type === "joined" || type === "error")!;
  return last.type === "error" ? last.payload.code : "ok";
}

/** How a connection of protocol 1 begins. */
async function joiningV1(one: Case, { url }: TestServer, after = ""): Promise<string> {
  const query = new URLSearchParams({ token: `${one.user}.${one.role}`, after });
  const socket = new WebSocket(`${url.replace("http", "ws")}/rooms/lobby/ws?${query}`);
  const closed = closeOf(socket);
  const joined = new Promise<string>((resolve) => {
    socket.onmessage = ({ data }) => JSON.parse(data).type === "joined" && resolve("ok");
  });
  const ended = closed.then((code) => code === 4503 ? "banned" : `${code}`);
  const result = await Promise.race([joined, ended]);
  socket.close();
  await closed;
  return result;
}

Deno.test(
  "Every sanction holds at every way in, for every role, on every isolate",
  net,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const options = {
      authorize,
      adminToken: ADMIN,
      alone: false,
      limits: { messages_per_second: 1_000, message_burst: 10_000 },
      connectionsPerUser: 1_000,
    };
    await using told = serve(kv, options);
    await using other = serve(kv, options);
    /** A message of each user, from before. */
    const own = new Map<string, string[]>();
    for (const { user } of cases) {
      const cursors: string[] = [];
      for (const text of ["1", "2"]) {
        const outcome = await told.hub.publish("lobby", user, { text });
        assert(outcome.status === "stored");
        cursors.push(outcome.record.cursor);
      }
      own.set(user, cursors);
    }

    // Those who are there already.
    const there = await Promise.all(cases.map(async (one) => {
      const token = `${one.user}.${one.role}`;
      const client = new MultiRoomClient(other.url, `token=${token}`);
      await client.until(({ envelopes }) => envelopes.length > 0);
      await client.join("lobby");
      const events = await EventReader.open(`${other.url}/rooms/lobby/events`, {
        authorization: `Bearer ${token}`,
      });
      await events.until("joined");
      const socket = new WebSocket(
        `${other.url.replace("http", "ws")}/rooms/lobby/ws?token=${token}`,
      );
      await new Promise((resolve) => socket.onmessage = resolve);
      return { one, client, events, socket, closed: closeOf(socket) };
    }));
    for (const one of cases) assertEquals(await impose(one, told), 201, one.user);

    await Promise.all(there.map(async ({ one, client, events, socket, closed }) => {
      const kind = holding(one);
      if (kind === "ban" || kind === "kick") {
        await client.until(({ of }) => of.call(client, "left").length === 1);
        assertEquals(client.of("left")[0].payload.code, kind === "ban" ? "banned" : "kicked");
        assertEquals(await closed, 4503, one.user);
        while (await events.next() !== undefined);
        client.send({ type: "chat_message", room: "lobby", payload: { text: "?", ref: "x" } });
        await client.until((client) => client.of("error").length === 1);
        assertEquals(client.of("error")[0].payload.code, "not_joined");
      } else {
        const say = kind === "mute" ? "muted" : "ok";
        const found = await eventually(async () => {
          const found = await byEnvelopes(client, own.get(one.user)![0]);
          return found.typing === (one.role === "reader" ? "forbidden" : say) && found;
        }, one.user);
        const refused = one.role === "reader" ? "forbidden" : say;
        const deletion = one.role === "reader" ? "forbidden" : "ok";
        assertEquals(found.post, refused, one.user);
        assertEquals(found.delete, deletion, one.user);
        assertEquals(client.of("left"), [], one.user);
        assertEquals(socket.readyState, WebSocket.OPEN, one.user);
      }
      // A fresh token lets nobody back in, and lifts nothing.
      client.send({ type: "authenticate", payload: { token: `${one.user}.${one.role}` } });
      const again = await joining(client);
      assertEquals(again, kind === "ban" ? "banned" : kind === "kick" ? "ok" : "already_joined");
      await client[Symbol.asyncDispose]();
      await events[Symbol.asyncDispose]();
      socket.close();
      await closed;
    }));

    // Those who come now.
    await Promise.all(cases.map(async (one) => {
      const { read, say, withdraw } = expected(one);
      const [, cursor] = own.get(one.user)!;
      assertEquals(await joiningV1(one, other), read, one.user);
      assertEquals(await joiningV1(one, other, cursor), read, one.user);
      const client = new MultiRoomClient(other.url, `token=${one.user}.${one.role}`);
      await client.until(({ envelopes }) => envelopes.length > 0);
      assertEquals(await joining(client), read, one.user);
      if (read === "ok") {
        client.send({ type: "leave", room: "lobby" });
        assertEquals(await joining(client, cursor), read, one.user);
      }
      await client[Symbol.asyncDispose]();
      const answers = await byHttp(one, other, cursor);
      const isInCharge = one.role === "moderator" && read === "ok";
      assertEquals(answers, {
        state: read,
        page: read,
        later: read,
        message: read,
        events: read,
        sanctions: read === "ok" ? isInCharge ? "ok" : "forbidden" : read,
        post: say,
        patch: say,
        react: say,
        unreact: say,
        delete: withdraw || say,
      }, one.user);
    }));
  },
);

Deno.test(
  "What operators say holds in rooms that come later, after a restart, and until it is lifted",
  net,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const options = { authorize, adminToken: ADMIN, alone: false };
    const ask = async (url: string, method: string, query = "", body?: object) => {
      const headers = { authorization: `Bearer ${ADMIN}` };
      const init = { method, headers, body: body && JSON.stringify(body) };
      const response = await fetch(`${url}/sanctions${query}`, init);
      const text = await response.text();
      return [response.status, text === "" ? undefined : JSON.parse(text)];
    };
    const say = async ({ hub }: TestServer, room: string, user: string) => {
      const outcome = await hub.publish(room, user, { text: "hello" });
      return outcome.status === "refused" ? outcome.problem.code : outcome.status;
    };
    {
      await using one = serve(kv, options);
      const body = { user: "bob", kind: "ban", reason: "spam" };
      assertEquals(await ask(one.url, "POST", "", body), [201, body]);
      assertEquals(await say(one, "never-seen", "bob"), "banned");
    }
    await using one = serve(kv, options);
    await using two = serve(kv, options);
    assertEquals(await say(two, "a-new-one", "bob"), "banned");
    const [status, { sanctions }] = await ask(two.url, "GET");
    const [{ at, ...sanction }] = sanctions;
    assertEquals([status, sanction], [200, { user: "bob", kind: "ban", reason: "spam" }]);
    assert(Math.abs(at - Date.now()) < 60_000);
    // In a list of rooms it does not stand.
    const headers = { authorization: `Bearer ${ADMIN}` };
    const { rooms } = await (await fetch(`${one.url}/rooms?limit=1`, { headers })).json();
    assertEquals(rooms, []);
    assertEquals(await ask(one.url, "DELETE", "?user=bob"), [204, undefined]);
    await eventually(async () => await say(two, "lobby", "bob") === "stored", "it is lifted");
    const [again] = await ask(one.url, "DELETE", "?user=bob");
    assertEquals(again, 404);
    await ask(one.url, "POST", "", { user: "cleo", kind: "mute", seconds: 1 });
    await eventually(async () => await say(two, "lobby", "cleo") === "muted", "it is there");
    await eventually(async () => await say(two, "lobby", "cleo") === "stored", "it is over");
  },
);

Deno.test("A moderator who is none any more is held to what moderators said", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv, { authorize, adminToken: ADMIN });
  const { hub, url } = server;
  // Said before, while no moderator of that name was there.
  assertEquals(await hub.sanctions.impose("lobby", { user: "bob", kind: "ban" }, "ann"), undefined);
  await using bob = new MultiRoomClient(url, "token=bob.moderator");
  await bob.until(({ envelopes }) => envelopes.length > 0);
  await bob.join("lobby");
  bob.send({ type: "authenticate", payload: { token: "bob.member" } });
  await bob.until((client) => client.of("left").length === 1);
  assertEquals(bob.of("left")[0].payload.code, "banned");
});

// Who is muted, banned or kicked, over the wire, on several isolates and after a restart.

import { assertEquals } from "@std/assert";
import { type Authorize, BroadcastChannelFanout, type RoomRole, tokenOf } from "@hubbub/hub";
import { MultiRoomClient } from "../helpers/multi_room_client.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { assertRefused } from "../helpers/requests.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";

const net = needs("net");
const ADMIN = "x".repeat(32);

/** Who comes with which token: `user.role`, or a user alone for a member. */
const authorize: Authorize = (request) => {
  const [user, role = "member"] = (tokenOf(request) ?? "").split(".");
  return user === "" ? { denied: "Who are you?" } : { user, roleIn: () => role as RoomRole };
};

function request(
  url: string,
  token: string,
  { method = "GET", path = "sanctions", query = "", body }: {
    method?: string;
    path?: string;
    query?: string;
    body?: object;
  } = {},
): Promise<Response> {
  return fetch(`${url}/rooms/lobby/${path}${query}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    body: body && JSON.stringify(body),
  });
}

async function impose(url: string, token: string, body: object): Promise<void> {
  const response = await request(url, token, { method: "POST", body });
  assertEquals([response.status, await response.json()], [201, body]);
}

async function list(url: string): Promise<unknown[]> {
  const { sanctions } = await (await request(url, ADMIN)).json();
  return sanctions.map(({ user, kind, by }: Record<string, string>) => [user, kind, by]);
}

async function connect(url: string, token: string): Promise<MultiRoomClient> {
  const client = new MultiRoomClient(url, `token=${token}`);
  await client.until(({ envelopes }) => envelopes.length > 0);
  await client.join("lobby");
  return client;
}

const say = (text: string) =>
  ({ type: "chat_message", room: "lobby", payload: { text, ref: text } }) as const;
const typing = { type: "typing_status", room: "lobby", payload: { status: true } } as const;

Deno.test(
  "Who is muted receives, and neither sends nor types, until that is over",
  net,
  async () => {
    await using server = await serveAlone({ authorize, adminToken: ADMIN });
    const { url } = server;
    await using bob = await connect(url, "bob");
    await using old = await TestClient.join(url, "/rooms/lobby/ws?token=bob");
    await impose(url, "ann.moderator", {
      user: "bob",
      kind: "mute",
      seconds: 1,
      reason: "Calm down",
    });
    bob.send(say("1"), typing);
    await bob.until((client) => client.of("error").length === 2);
    assertEquals(bob.of("error").map(({ payload }) => [payload.code, payload.for, payload.ref]), [
      ["muted", "chat_message", "1"],
      ["muted", "typing_status", undefined],
    ]);
    assertEquals(bob.of("error")[0].payload.message, "You are muted here: Calm down");
    old.say("2");
    assertEquals((await old.first("error", () => true)).code, "muted");
    const post = { method: "POST", path: "messages", body: { text: "3" } };
    await assertRefused(await request(url, "bob", post), 403, "muted");
    await server.hub.publish("lobby", "cleo", { text: "to all" });
    await bob.until((client) => client.said("lobby").includes("to all"));
    await eventually(async () => {
      const response = await request(url, "bob", post);
      await response.body?.cancel();
      return response.status === 201;
    }, "the end of it");
    assertEquals(await list(url), []);
  },
);

Deno.test("Who is kicked has to leave, and may come back", net, async () => {
  await using server = await serveAlone({ authorize, adminToken: ADMIN });
  const { url } = server;
  await using bob = await connect(url, "bob");
  await using old = await TestClient.join(url, "/rooms/lobby/ws?token=bob");
  await impose(url, "ann.moderator", { user: "bob", kind: "kick" });
  await bob.until((client) => client.of("left").length === 1);
  assertEquals(bob.of("left")[0].payload.code, "kicked");
  assertEquals((await old.closed).code, 4503);
  await bob.join("lobby");
  bob.send(say("back"));
  await bob.until((client) => client.said("lobby").includes("back"));
});

Deno.test(
  "Who is banned is out on every isolate, and after a restart, until that is lifted",
  net,
  async () => {
    using kv = await Deno.openKv(":memory:");
    const options = { authorize, adminToken: ADMIN, alone: false };
    {
      await using one = serve(kv, options);
      await using two = serve(kv, options);
      await using bob = await connect(two.url, "bob");
      await using old = await TestClient.join(two.url, "/rooms/lobby/ws?token=bob");
      await using cleo = await connect(two.url, "cleo");
      await impose(one.url, "ann.moderator", { user: "bob", kind: "ban" });
      await bob.until((client) => client.of("left").length === 1);
      assertEquals(bob.of("left")[0].payload.code, "banned");
      assertEquals((await old.closed).code, 4503);
      bob.send({ type: "join", room: "lobby" });
      await bob.until((client) => client.of("error").length === 1);
      assertEquals([bob.of("error")[0].payload.code, bob.of("error")[0].payload.for], [
        "banned",
        "join",
      ]);
      assertEquals(cleo.of("left"), []);
    }
    await using server = serve(kv, options);
    const { url } = server;
    await using bob = new MultiRoomClient(url, "token=bob");
    await bob.until((client) => client.of("welcome").length === 1);
    bob.send({ type: "join", room: "lobby" });
    await bob.until((client) => client.of("error").length === 1);
    const old = new WebSocket(`${url.replace("http", "ws")}/rooms/lobby/ws?token=bob`);
    const code = await new Promise((resolve) => old.onclose = ({ code }) => resolve(code));
    assertEquals(code, 4503);
    const post = { method: "POST", path: "messages", body: { text: "hello" } };
    await assertRefused(await request(url, "bob", post), 403, "banned");
    assertEquals(await list(url), [["bob", "ban", "ann"]]);
    const lifted = await request(url, "ann.moderator", { method: "DELETE", query: "?user=bob" });
    assertEquals([lifted.status, await lifted.text()], [204, ""]);
    await bob.join("lobby");
    const again = await request(url, "ann.moderator", { method: "DELETE", query: "?user=bob" });
    await assertRefused(again, 404, "not_found");
  },
);

Deno.test(
  "Sanctions are for moderators and operators; theirs hold for moderators too",
  net,
  async () => {
    await using server = await serveAlone({ authorize, adminToken: ADMIN });
    const { url } = server;
    const body = { user: "bob", kind: "ban" };
    for (const token of ["cleo", "cleo.reader"]) {
      await assertRefused(await request(url, token, { method: "POST", body }), 403, "forbidden");
      await assertRefused(await request(url, token), 403, "forbidden");
      const query = "?user=bob";
      await assertRefused(await request(url, token, { method: "DELETE", query }), 403, "forbidden");
    }
    await using bob = await connect(url, "bob.moderator");
    for (const kind of ["ban", "kick", "mute"]) {
      const one = { method: "POST", body: { user: "bob", kind } };
      await assertRefused(await request(url, "ann.moderator", one), 403, "forbidden");
    }
    bob.send(say("still here"));
    await bob.until((client) => client.said("lobby").length === 1);
    assertEquals(bob.of("left"), []);
    await impose(url, ADMIN, body);
    await bob.until((client) => client.of("left").length === 1);
    // Nor does a moderator put something shorter in its place.
    const shorter = { method: "POST", body: { ...body, seconds: 1 } };
    await assertRefused(await request(url, "ann.moderator", shorter), 403, "forbidden");
    const query = "?user=bob";
    await assertRefused(
      await request(url, "ann.moderator", { method: "DELETE", query }),
      403,
      "forbidden",
    );
    assertEquals((await request(url, ADMIN, { method: "DELETE", query })).status, 204);
    await bob.join("lobby");
  },
);

Deno.test("A moderator on another isolate is put out by no other either", net, async () => {
  using kv = await Deno.openKv(":memory:");
  const channel = crypto.randomUUID();
  const start = () => {
    const fanout = new BroadcastChannelFanout(channel);
    return serve(kv, { authorize, adminToken: ADMIN, alone: false, fanout });
  };
  await using one = start();
  await using two = start();
  await using bob = await connect(two.url, "bob.moderator");
  for (const kind of ["ban", "kick", "mute"]) {
    const asked = { method: "POST", body: { user: "bob", kind } };
    for (const { url } of [one, two]) {
      await assertRefused(await request(url, "ann.moderator", asked), 403, "forbidden");
    }
  }
  assertEquals([await list(one.url), bob.of("left")], [[], []]);
});

Deno.test("Names of any kind may be put out, and no other by them", net, async () => {
  await using server = await serveAlone({ adminToken: ADMIN });
  const { url } = server;
  const names = ["a/b", "..", "ban:x", "mute:ban:y", "ä b", "%2e%2e", "mallory ", "<b>"];
  for (const name of names) {
    const user = name.trim();
    await impose(url, ADMIN, { user, kind: "ban" });
    const { problem } = await server.hub.publish("lobby", user, { text: "hi" }) as {
      problem?: { code: string };
    };
    assertEquals(problem?.code, "banned", user);
  }
  for (const user of ["a", "x", "ban", "y", "mallor"]) {
    assertEquals((await server.hub.publish("lobby", user, { text: "hi" })).status, "stored", user);
  }
  for (const name of names) {
    const query = "?" + new URLSearchParams({ user: name });
    assertEquals((await request(url, ADMIN, { method: "DELETE", query })).status, 204, name);
  }
  assertEquals(await list(url), []);
});

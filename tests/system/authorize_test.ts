// An `authorize` that hangs, or gives what is no answer.

import { assert, assertEquals } from "@std/assert";
import type { Authorization, Authorize, RoomRole } from "@hubbub/hub";
import { errorOf, MultiRoomClient } from "../helpers/multi_room_client.ts";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { assertRefused } from "../helpers/requests.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serveAlone, type TestServer } from "../helpers/test_server.ts";

const net = needs("net");
const TIMEOUT_MS = 50;

const never = <T>() => new Promise<T>(() => {});

/** Tries every way in, and checks that each is told to come back. */
async function assertUnavailable({ url }: TestServer): Promise<void> {
  const bearer = { authorization: "Bearer x" };
  const body = JSON.stringify({ text: "hello" });
  const requests: [path: string, init?: RequestInit][] = [
    ["/rooms/lobby"],
    ["/rooms/lobby/messages"],
    ["/rooms/lobby/messages", { method: "POST", body }],
    ["/rooms/lobby/sanctions"],
  ];
  for (const [path, init] of requests) {
    const response = await fetch(url + path, { headers: bearer, ...init });
    assert(response.headers.has("retry-after"), path);
    await assertRefused(response, 503, "unavailable");
  }
  // A stream of events is told to come back: with another status, browsers would not.
  const events = await fetch(`${url}/rooms/lobby/events`);
  assertEquals([events.status, (await events.text()).includes("retry:")], [200, true]);
  using socket = await RawSocket.open(`${url}/rooms/lobby/ws?token=x`);
  assertEquals(socket.status, 503);
}

Deno.test(
  "an authorize that hangs costs its caller the deadline, and is logged once",
  net,
  async () => {
    let answer: () => Authorization | Promise<Authorization> = never;
    const signals: AbortSignal[] = [];
    const authorize: Authorize = (_request, { signal }) => {
      signals.push(signal);
      return answer();
    };
    await using server = await serveAlone({ authorize, authorizeTimeoutMs: TIMEOUT_MS });
    const { events, hub: { metrics } } = server;
    await assertUnavailable(server);
    const listed = await fetch(`${server.url}/users/me/rooms`);
    await assertRefused(listed, 503, "unavailable");
    using several = await RawSocket.open(`${server.url}/ws`, {
      "sec-websocket-protocol": "hubbub.v2",
    });
    assertEquals(several.status, 503);
    assertEquals([metrics.authorizeTimeouts, metrics.authorizeFailures], [8, 0]);
    assertEquals(signals.map(({ aborted }) => aborted), new Array(8).fill(true));
    assertEquals(events.filter(({ event }) => event === "authorize_late").length, 1);
    assertEquals(events.filter(({ event }) => event === "authorize_failed"), []);
    assertEquals(metrics.connections, 0, "none of them keeps a place");

    // A fresh token that cannot be verified in time changes nothing, and the next one is taken.
    answer = () => ({ user: "ann" });
    await using ann = await TestClient.join(server.url, "/rooms/lobby/ws");
    answer = never;
    ann.send({ type: "authenticate", payload: { token: "x" } });
    await ann.until((client) => client.of("error").length === 1);
    assertEquals(ann.of("error")[0].code, "unavailable");
    answer = () => Promise.resolve({ user: "bob" });
    ann.send({ type: "authenticate", payload: { token: "x" } });
    await ann.until((client) => client.of("error").length === 2);
    assertEquals(ann.of("error")[1].code, "forbidden", "it was asked, and said no");
    await ann.store("still here");
  },
);

Deno.test("a roleIn that hangs shuts its room for the deadline, and no other", net, async () => {
  let role: () => RoomRole | Promise<RoomRole> = never;
  const authorize: Authorize = () => ({
    user: "ann",
    roleIn: (room) => room === "lobby" ? role() : "member",
  });
  await using server = await serveAlone({ authorize, authorizeTimeoutMs: TIMEOUT_MS });
  await assertUnavailable(server);
  await using ann = new MultiRoomClient(server.url, "");
  await ann.until(({ envelopes }) => envelopes.length > 0);
  ann.send({ type: "join", room: "lobby" });
  await ann.join("other");
  await ann.until((client) => client.of("error").length === 1);
  const { room, payload } = errorOf(ann);
  assertEquals([room, payload.code, payload.for], ["lobby", "unavailable", "join"]);
  role = () => Promise.resolve("reader");
  await ann.join("lobby");
  assertEquals(ann.of("joined", "lobby")[0].payload.role, "reader");

  // What becomes of rooms after a fresh token is found out in time too, or stays as it was.
  role = never;
  ann.send({ type: "authenticate", payload: { token: "x" } });
  await ann.until((client) => client.of("error").length === 2);
  const late = errorOf(ann);
  assertEquals([late.room, late.payload.code, late.payload.for], [
    "lobby",
    "unavailable",
    "authenticate",
  ]);
  assertEquals(ann.of("left"), []);
});

Deno.test("an authorize that gives no answer lets nobody in, and says why", net, async () => {
  const none: unknown[] = [undefined, null, true, "ann", [], {}, { user: 5 }, { user: " ann" }];
  none.push({ user: "a\nb" }, { user: "ann", expiresAt: "soon" }, { denied: 1 }, {
    user: "ann",
    denied: undefined,
  });
  let answer: unknown;
  await using server = await serveAlone({ authorize: () => answer as Authorization });
  for (answer of none) await assertUnavailable(server);
  const { events, hub: { metrics } } = server;
  assertEquals(metrics.authorizeFailures, 6 * none.length);
  assertEquals(new Set(events.map(({ event }) => event)), new Set(["authorize_failed"]));
});

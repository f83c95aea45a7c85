// What a server sends and takes, held against docs/schemas.

import { assert, assertEquals } from "@std/assert";
import type { ErrorCode } from "@hubbub/hub/protocol";
import { startOwnHubs } from "../conformance/own_hub.ts";
import { observers } from "../conformance/socket.ts";
import { checkPoints, POINTS } from "../conformance/suite.ts";
import { needs } from "../helpers/permissions.ts";
import { post, say } from "../helpers/requests.ts";
import { checkOf } from "../helpers/schemas.ts";
import { serveAlone } from "../helpers/test_server.ts";
import { TestClient } from "../helpers/test_client.ts";

const net = needs("net", "read", "env");

Deno.test("all that servers sent in the conformance suite fits the schemas", net, async () => {
  await using hub = await startOwnHubs();
  const checks = [1, 2].map((version) => {
    return checkOf(`v${version}-server-envelope` as "v1-server-envelope", { isExact: true });
  });
  const [wrong, types] = [new Set<string>(), new Set<string>()];
  const observe = (frame: string, protocol: string) => {
    const version = protocol === "hubbub.v2" ? 2 : 1;
    for (const line of frame.split("\n")) {
      const envelope = JSON.parse(line);
      types.add(`${version} ${envelope.type}`);
      const problem = checks[version - 1](envelope);
      if (problem !== undefined) wrong.add(problem);
    }
  };
  observers.add(observe);
  try {
    await checkPoints(hub, POINTS, () => {});
  } finally {
    observers.delete(observe);
  }
  assertEquals([...wrong], []);
  const shared = [
    "chat_message",
    "message_changed",
    "joined",
    "typing_status",
    "presence",
    "error",
    "draining",
    "pong",
    "user_erased",
  ];
  const expected = [1, 2].flatMap((version) => shared.map((type) => `${version} ${type}`));
  const ofV2 = ["left", "read", "role", "welcome"].map((type) => `2 ${type}`);
  assertEquals([...types].toSorted(), [...expected, ...ofV2].toSorted());
});

Deno.test("HTTP answers fit the schemas", net, async () => {
  await using server = await serveAlone();
  await using _ann = await TestClient.join(server.url, "/rooms/lobby/ws?user=ann");
  const fits = async (name: Parameters<typeof checkOf>[0], response: Promise<Response>) => {
    assertEquals(checkOf(name, { isExact: true })(await (await response).json()), undefined);
  };
  await fits("http-message", say(server.url, { user: "ann", text: "hello", ref: "1" }));
  await fits("http-message-page", fetch(`${server.url}/rooms/lobby/messages`));
  await fits("http-room-state", fetch(`${server.url}/rooms/lobby`));
  await fits("http-health", fetch(`${server.url}/health`));
  await fits("http-error", fetch(`${server.url}/nowhere`));
  const answer = await (await fetch(`${server.url}/rooms/lobby/messages?limit=x`)).json();
  assertEquals(answer.error.code satisfies ErrorCode, "bad_query");
});

Deno.test(
  "a body that does not fit its schema is refused, and one that does is not",
  net,
  async () => {
    await using server = await serveAlone();
    const check = checkOf("http-post-body");
    const bodies: [object, boolean][] = [
      [{ user: "ann", text: "hello" }, true],
      [{ user: "ann", text: "hello", ref: "r" }, true],
      [{ user: "علی\u200cرضا", text: "👩\u200d🚒" }, true],
      [{ user: "ann", text: "" }, false],
      [{ user: "ann", text: " \u2800" }, false],
      [{ user: "ann", text: "hello", ref: "" }, false],
      [{ user: "ann", text: "hello", ref: 7 }, false],
      [{ user: "\u2800", text: "hello" }, false],
      [{ user: "ann", text: "hello", mood: "good" }, false],
      [{ user: "ann" }, false],
    ];
    for (const [body, isRight] of bodies) {
      const response = await post(server.url, JSON.stringify(body));
      const text = await response.text();
      assertEquals([check(body) === undefined, response.ok], [isRight, isRight], text);
    }
    const sent = checkOf("v2-client-envelope");
    assertEquals(sent({ type: "join", room: "lobby", payload: { history: 0 } }), undefined);
    assertEquals(sent({ type: "ping" }), undefined);
    assert(sent({ type: "join", room: "lobby", payload: { since: 0 } }) !== undefined);
    assert(sent({ type: "join" }) !== undefined);
  },
);

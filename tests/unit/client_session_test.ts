import { mock } from "node:test";
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { ChatError, connect } from "@hubbub/hub/client";
import { CLOSE_CODES } from "@hubbub/hub/protocol";
import { chat, cursor, fakeSockets, settle, start, waiting } from "../helpers/fake_socket.ts";

/** An answer of the server over HTTP. */
function httpError(status: number, code: string, headers?: Record<string, string>): Response {
  return Response.json({ error: { code, message: `It says ${code}` } }, { status, headers });
}

Deno.test("connect() refuses what cannot be joined", () => {
  assertThrows(() => connect("http://chat.test", { room: "no room" }), TypeError, "no room");
  assertThrows(() => connect("http://chat.test", { room: "lobby", user: " " }), TypeError, "empty");
  assertThrows(() => connect("ftp://chat.test", { room: "lobby" }), TypeError, "ftp");
  assertThrows(() => connect("nowhere", { room: "lobby" }), TypeError);
});

Deno.test("ChatConnection keeps the path of the URL and asks as a newcomer, then resumes", async () => {
  using test = await start({ history: 3 });
  const { url, protocols } = test.socket;
  assertEquals(url.href, "ws://chat.test/base/ws?user=ann");
  assertEquals(protocols, ["hubbub.v2"]);
  test.socket.welcome();
  await settle();
  assertEquals(test.socket.asked, { history: 3 });
  test.socket.say(chat(1), chat(2));
  test.socket.end(1006);
  await test.tick(500);
  test.socket.welcome();
  await settle();
  assertEquals(test.socket.url.search, "?user=ann");
  assertEquals(test.socket.asked, { after: cursor(2), history: 0 });
});

Deno.test("ChatConnection shows its token as a subprotocol and in no URL", async () => {
  const requests: Request[] = [];
  using test = await start({
    token: () => Promise.resolve("aa.bb-c.d_d"),
    fetch: (input, init) => {
      requests.push(new Request(input, init));
      return Promise.resolve(Response.json({ messages: [] }));
    },
  });
  assertEquals(test.socket.url.search, "");
  assertEquals(test.socket.protocols[1], "hubbub.token.aa.bb-c.d_d");
  test.socket.join();
  assertEquals(await test.ann.loadOlder(7), []);
  const [{ url, headers }] = requests;
  assertEquals(url, "http://chat.test/base/rooms/lobby/messages?limit=7");
  assertEquals(headers.get("authorization"), "Bearer aa.bb-c.d_d");
});

Deno.test("ChatConnection waits when there is no token, and where a platform refuses", async () => {
  using test = await start({ token: () => Promise.reject(new Error("logged out")) });
  assertEquals(test.sockets.length, 0);
  assertEquals(waiting(test.ann.state).reason, "There is no token: logged out");
  using mute = await start({ token: (() => 1) as unknown as () => string });
  assertEquals(
    waiting(mute.ann.state).reason,
    "There is no token: the function returned no text but number",
  );

  const Refusing = class {
    constructor() {
      throw new DOMException("not from a page of https", "SecurityError");
    }
  } as unknown as typeof WebSocket;
  using other = await start({ WebSocket: Refusing });
  const { reason } = waiting(other.ann.state);
  assertEquals(reason, "The connection cannot be opened: not from a page of https");
});

Deno.test("ChatConnection comes back with a backoff that doubles, with full jitter", async () => {
  const random = mock.method(Math, "random", () => 0.999);
  try {
    using test = await start({ reconnect: { minDelayMs: 100, maxDelayMs: 1000 } });
    for (const most of [100, 200, 400, 800, 1000, 1000]) {
      const before = test.sockets.length;
      test.socket.end(1006);
      const { retryInMs, reason } = waiting(test.ann.state);
      assertEquals(retryInMs, Math.floor(0.999 * most));
      assertEquals(reason, "The server cannot be reached");
      await test.tick(retryInMs - 1);
      assertEquals(test.sockets.length, before);
      await test.tick(1);
      assertEquals(test.sockets.length, before + 1);
      assertEquals(test.ann.state.status, "connecting");
    }
  } finally {
    random.mock.restore();
  }
});

Deno.test("ChatConnection starts its backoff anew once it was live for 5 s, not before", async () => {
  const random = mock.method(Math, "random", () => 0.5);
  try {
    using test = await start({ reconnect: { minDelayMs: 100, maxDelayMs: 100_000 } });
    const waits: number[] = [];
    for (const liveMs of [0, 0, 0, 4_999, 5_000, 0]) {
      test.socket.join();
      await test.tick(liveMs);
      test.socket.end(4008);
      const { retryInMs } = waiting(test.ann.state);
      waits.push(retryInMs);
      await test.tick(retryInMs);
    }
    assertEquals(waits, [50, 100, 200, 400, 50, 100]);
  } finally {
    random.mock.restore();
  }
});

Deno.test("ChatConnection comes back when a draining server asks it to", async () => {
  using test = await start();
  test.socket.join();
  test.socket.say({ type: "draining", payload: { reconnect_after_ms: 7_777 } });
  test.socket.end(4000, "The server is stopping");
  assertEquals(waiting(test.ann.state), { retryInMs: 7_777, reason: "The server is stopping" });
  await test.tick(7_777);
  test.socket.end(1006);
  assertLess(waiting(test.ann.state).retryInMs, 500);
});

for (const [name, { code, reconnect }] of Object.entries(CLOSE_CODES)) {
  Deno.test(`ChatConnection ${reconnect ? "comes back" : "stays away"} after ${name}`, async () => {
    using test = await start({ user: undefined, token: "always the same" });
    test.socket.join();
    const sent = test.ann.send("hello");
    test.socket.end(code, "Because");
    if (reconnect) return assertEquals(waiting(test.ann.state).reason, "Because");
    assertEquals(test.ann.state, { status: "closed", code, reason: "Because" });
    const error = await assertRejects(() => sent, ChatError, "Because");
    assertEquals([error.code, error.temporary], ["closed", false]);
    await assertRejects(() => test.ann.send("more"), ChatError, "Because");
    await assertRejects(() => test.ann.loadOlder(), ChatError, "Because");
    await test.tick(100_000);
    assertEquals(test.sockets.length, 1);
  });
}

Deno.test("ChatConnection ends where the server says that a try is in vain", async () => {
  const urls: string[] = [];
  const fetch = (input: string | URL | Request) => {
    urls.push(String(input));
    return Promise.resolve(httpError(400, "bad_user"));
  };
  using test = await start({ fetch });
  test.socket.end(1006);
  await settle();
  assertEquals(urls, ["http://chat.test/base/ws?user=ann"]);
  assertEquals(test.ann.state, { status: "closed", code: 4501, reason: "It says bad_user" });
});

Deno.test("ChatConnection waits as long as a server asks that is full", async () => {
  const fetch = () => Promise.resolve(httpError(503, "unavailable", { "retry-after": "20" }));
  using test = await start({ fetch });
  test.socket.end(1006);
  await settle();
  const { retryInMs, reason } = waiting(test.ann.state);
  assertEquals(reason, "It says unavailable");
  assert(retryInMs >= 20_000 && retryInMs < 20_500, `${retryInMs}`);
});

Deno.test("ChatConnection goes on where the refusal is not the server's, or has passed", async () => {
  for (const response of [new Response("Not Found", { status: 404 }), httpError(426, "any")]) {
    using test = await start({ fetch: () => Promise.resolve(response) });
    test.socket.end(1006);
    await settle();
    assertLess(waiting(test.ann.state).retryInMs, 501);
    await test.tick(500);
    test.socket.join();
    assertEquals(test.ann.state.status, "live");
  }
});

Deno.test("ChatConnection.close() ends it in every state, once, and closes the socket", async () => {
  using connecting = await start();
  connecting.ann.close();
  using live = await start();
  live.socket.join();
  live.ann.close(4321, "Bye");
  live.ann.close();
  using waits = await start();
  waits.socket.end(1006);
  waits.ann.close();
  await waits.tick(60_000);
  for (const { sockets, states } of [connecting, live, waits]) {
    assertEquals(sockets.length, 1);
    assertEquals(states.filter(({ status }) => status === "closed").length, 1);
  }
  assertEquals(live.socket.closed, { code: 4321 });
  assertEquals(connecting.socket.closed, { code: 1000 });
  assertEquals(live.ann.state, { status: "closed", code: 4321, reason: "Bye" });
});

Deno.test("ConnectOptions.signal closes the connection, also before it began", async () => {
  const controller = new AbortController();
  using test = await start({ signal: controller.signal });
  test.socket.join();
  controller.abort();
  assertEquals(test.ann.state.status, "closed");
  using never = await start({ signal: controller.signal });
  assertEquals(never.ann.state.status, "closed");
  assertEquals(never.sockets.length, 0);
});

Deno.test("connect() finds the room under whatever base it is given", async () => {
  const cases = [
    ["https://host.test", "wss://host.test/ws"],
    ["https://host.test/", "wss://host.test/ws"],
    ["https://host.test/chat", "wss://host.test/chat/ws"],
    ["https://host.test/chat/", "wss://host.test/chat/ws"],
    ["https://host.test/a/b//", "wss://host.test/a/b/ws"],
    ["https://host.test/a%20b/?q=1#hash", "wss://host.test/a%20b/ws"],
    ["ws://host.test:8080/chat", "ws://host.test:8080/chat/ws"],
    ["wss://host.test:443", "wss://host.test/ws"],
    ["http://[::1]:8000", "ws://[::1]:8000/ws"],
    ["http://[2001:DB8::1]/chat/", "ws://[2001:db8::1]/chat/ws"],
    ["http://127.0.0.1:8000", "ws://127.0.0.1:8000/ws"],
    ["HTTP://HOST.test", "ws://host.test/ws"],
    ["http://bücher.test", "ws://xn--bcher-kva.test/ws"],
    ["https://ann:secret@host.test", "wss://host.test/ws"],
  ];
  for (const [base, expected] of cases) {
    const { sockets, WebSocket } = fakeSockets();
    for (const url of [base, new URL(base)]) {
      const ann = connect(url, { room: "lobby", user: "ann", WebSocket });
      await settle();
      ann.close();
    }
    for (const { url } of sockets) assertEquals(url.href.split("?")[0], expected);
    assertEquals(sockets.length, 2);
  }
});

Deno.test("ChatConnection reports what it cannot use and goes on, or comes back", async () => {
  using test = await start();
  const problems: string[] = [];
  test.ann.addEventListener("problem", ({ detail }) => problems.push(detail.code));
  test.socket.join();
  const broken = [
    "",
    "[]",
    "null",
    "<html>",
    '{"type":"chat_message"}',
    '{"type":"chat_message","room":"lobby","payload":null}',
    '{"type":"chat_message","room":"lobby","payload":{}}',
    '{"type":"chat_message","payload":{"cursor":"1","user":"bob","text":"hi","at":1}}',
    '{"type":"chat_message","room":7,"payload":{"cursor":"1","user":"bob","text":"hi","at":1}}',
    '{"type":"chat_message","room":"lobby","payload":{"cursor":2,"user":"bob","text":"hi","at":1}}',
    '{"type":"presence","room":"lobby","payload":{}}',
    '{"type":"typing_status","room":"lobby","payload":{"user":7,"status":true}}',
    '{"type":"error","payload":{}}',
    '{"type":"welcome","payload":{}}',
    '{"type":"joined","room":"lobby","payload":{}}',
    '{"type":"joined","room":"lobby","payload":{"cursor":"1","user_count":1,"users":[1],"typing":[]}}',
    '{"type":"of_a_newer_server","payload":{}}',
  ];
  for (const frame of broken) test.socket.onmessage?.({ data: frame });
  // An empty line and an unknown type are passed over.
  assertEquals(problems, Array(broken.length - 2).fill("bad_frame"));
  assertEquals(test.ann.state.status, "live");
  test.socket.say(chat(1));
  assertEquals(test.ann.cursor, cursor(1));

  using other = await start();
  other.socket.welcome();
  other.socket.onmessage?.({ data: '{"type":"joined","room":"lobby","payload":{"cursor":7}}' });
  for (let seconds = 0; seconds < 30; seconds += 5) {
    assertEquals(other.ann.state.status, "connecting");
    await other.tick(5_000);
    other.socket.say({ type: "pong", payload: {} });
  }
  assertEquals(
    waiting(other.ann.state).reason,
    "The server answers, but lets nobody into the room",
  );
});

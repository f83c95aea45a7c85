import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { type Authorize, tokenOf } from "@hubbub/hub";
import {
  ChatError,
  connect,
  type ConnectionState,
  type ConnectOptions,
  type StoredMessage,
} from "@hubbub/hub/client";
import { PROTOCOL_V1_LINES } from "@hubbub/hub/protocol";
import { FaultProxy } from "../helpers/fault_proxy.ts";
import { readLog } from "../helpers/log_run.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { received, until } from "../helpers/received.ts";
import { serve, serveAlone, type TestServer } from "../helpers/test_server.ts";
import { Stopwatch } from "../helpers/stopwatch.ts";

const net = needs("net");
const texts = (messages: readonly StoredMessage[]) => messages.map(({ text }) => text);
const SOON = { minDelayMs: 5, maxDelayMs: 50 };

/** The texts from `text 1` to the last. */
function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `text ${from + index}`);
}

/** Fills a room, as a user who is not in it. */
async function fill(server: TestServer, from: number, to: number): Promise<void> {
  for (const text of range(from, to)) await server.hub.publish("lobby", "cy", { text });
}

Deno.test("connect() brings history, then what is live, and who is there", net, async () => {
  await using server = await serveAlone({ limits: { message_burst: 7 } });
  await fill(server, 1, 12);
  await using ann = connect(server.url, { room: "lobby", user: " ann " });
  const messages = received(ann);
  await until(ann, () => ann.state.status === "live");
  assertEquals(texts(messages), range(3, 12));
  assertEquals(ann.user, "ann");
  assertEquals(ann.limits?.message_burst, 7);
  assertEquals(ann.cursor, messages[9].cursor);

  await using bob = connect(server.url, { room: "lobby", user: "bob", history: 0 });
  await until(ann, () => ann.users.includes("bob"));
  bob.typing();
  await until(ann, () => ann.typingUsers.includes("bob"));
  const one = await bob.send("hello");
  const two = await ann.send("hi", { ref: "my own" });
  await until(ann, () => messages.length === 12);
  assertEquals(ann.typingUsers, []);
  // A ref is shown on its sender's connections alone.
  const { ref: _, ...shown } = one;
  assertEquals(messages.slice(10), [shown, two]);
  assertEquals([one.user, two.user, two.ref], ["bob", "ann", "my own"]);
  await bob[Symbol.asyncDispose]();
  await until(ann, () => !ann.users.includes("bob"));
});

Deno.test("ConnectOptions.after goes on where an earlier connection ended", net, async () => {
  await using server = await serveAlone();
  const earlier = connect(server.url, { room: "lobby", user: "ann" });
  const { cursor } = await earlier.send("seen");
  await earlier[Symbol.asyncDispose]();
  // More than history, and more than the server has in memory.
  await fill(server, 1, 400);
  await using ann = connect(server.url, { room: "lobby", user: "ann", after: cursor });
  const messages = received(ann);
  let recovered: boolean | undefined;
  ann.addEventListener("joined", ({ detail }) => recovered = detail.recovered);
  await until(ann, () => ann.state.status === "live" && recovered !== undefined);
  assertEquals(texts(messages), range(1, 400));
  assert(recovered);
});

Deno.test("ChatConnection.loadOlder() reaches the beginning, while others talk", net, async () => {
  await using server = await serveAlone();
  await fill(server, 1, 250);
  await using ann = connect(server.url, { room: "lobby", user: "ann" });
  const messages = received(ann);
  // Before it is connected, and two at once: one after the other.
  const pages = await Promise.all([ann.loadOlder(), ann.loadOlder(100)]);
  assertEquals(pages.map(texts), [range(191, 240), range(91, 190)]);
  await fill(server, 251, 251);
  assertEquals(texts(await ann.loadOlder(1000)), range(1, 90));
  assertEquals(await ann.loadOlder(), []);
  await until(ann, () => messages.length === 11);
  assertEquals(texts(messages), range(241, 251));
});

Deno.test("ChatConnection iterates over its messages, at the reader's pace", net, async () => {
  await using server = await serveAlone();
  const ann = connect(server.url, { room: "lobby", user: "ann" });
  const slow: string[] = [];
  const ended = (async () => {
    for await (const { text } of ann) slow.push(text);
  })();
  const messages = received(ann);
  for (const text of range(1, 5)) await ann.send(text);
  const sent = ann.send("text 6");
  for await (const { text } of ann) {
    assertEquals(text, "text 6");
    break;
  }
  await sent;
  await ann[Symbol.asyncDispose]();
  await ended;
  assertEquals(slow, texts(messages));
  for await (const { text } of ann) throw new Error(`${text} came after the end`);
});

Deno.test("ChatConnection notices a dead network within quietMs and its test", net, async () => {
  await using server = await serveAlone();
  await using proxy = new FaultProxy(server.port);
  const options = { room: "lobby", user: "ann", quietMs: 300, reconnect: SOON };
  await using ann = connect(proxy.url, options);
  const messages = received(ann);
  await ann.send("before");
  await until(ann, () => messages.length === 1);
  using watch = new Stopwatch();
  // Both directions fall silent; TCP stays open.
  proxy.stall();
  const sent = ann.send("during");
  await fill(server, 1, 3);
  await until(ann, () => ann.state.status === "waiting");
  assertGreater(watch.elapsedMs, 299);
  // Silence, then a test: 600 ms, and more where the machine is busy. TCP would take minutes.
  assertLess(watch.ms, 3_000);
  // New connections fall silent too, in the middle of their handshake.
  await until(ann, () => ann.state.status === "connecting");
  await until(ann, () => ann.state.status === "waiting");
  proxy.recover();
  await sent;
  assertEquals(texts(messages), ["before", ...range(1, 3), "during"]);
  // The stuck connections would keep the end waiting.
  ann.close();
  proxy.cut();
});

Deno.test("ChatConnection keeps a quiet connection to a server that is well", net, async () => {
  await using server = await serveAlone();
  await using proxy = new FaultProxy(server.port);
  await using ann = connect(proxy.url, { room: "lobby", user: "ann", quietMs: 300 });
  const states: ConnectionState[] = [];
  ann.addEventListener("state", ({ detail }) => states.push(detail));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assertEquals(states, [{ status: "live" }]);
  assertEquals(proxy.accepted, 1);
});

Deno.test("ChatConnection lives through a restart: what is said meanwhile arrives once", {
  ...net,
}, async () => {
  using kv = await Deno.openKv(":memory:");
  const first = serve(kv);
  await using proxy = new FaultProxy(first.port);
  const reconnect = SOON;
  await using ann = connect(proxy.url, { room: "lobby", user: "ann", reconnect });
  const messages = received(ann);
  const states: string[] = [];
  ann.addEventListener("state", ({ detail }) => states.push(detail.status));
  await ann.send("text 1");
  const stopped = first.stop();
  await until(ann, () => ann.state.status === "waiting");
  assertEquals(states, ["live", "waiting"]);
  const waiting = Promise.all(range(2, 4).map((text) => ann.send(text)));
  await stopped;
  await using second = serve(kv);
  proxy.targetPort = second.port;
  await waiting;
  assertEquals(texts(messages), range(1, 4));
  const records = await readLog(second.log, "lobby");
  assertEquals(records.map(({ cursor }) => cursor), messages.map(({ cursor }) => cursor));
});

Deno.test("ChatConnection ends with the server's reason where a try is in vain", net, async () => {
  await using server = await serveAlone();
  const ann = connect(server.url, { room: "lobby", user: "ann", history: 1000 });
  const sent = ann.send("hello");
  await until(ann, () => ann.state.status === "closed");
  const reason = '"history" must be a whole number from 0 to 100';
  assertEquals(ann.state, { status: "closed", code: 4501, reason });
  await assertRejects(() => sent, ChatError, reason);
  await ann[Symbol.asyncDispose]();
});

Deno.test(
  "ChatConnection keeps to the server's rate, so that nothing is refused",
  net,
  async () => {
    const limits = { messages_per_second: 100, message_burst: 10 };
    await using server = await serveAlone({ limits });
    await using ann = connect(server.url, { room: "lobby", user: "ann" });
    const messages = received(ann);
    const problems: string[] = [];
    ann.addEventListener("problem", ({ detail }) => problems.push(detail.code));
    const startedAt = performance.now();
    await Promise.all(range(1, 60).map((text) => ann.send(text)));
    assertGreater(performance.now() - startedAt, 500);
    assertEquals(texts(messages), range(1, 60));
    assertEquals(problems, []);
  },
);

Deno.test("the server answers a ping, also in one frame with a message", net, async () => {
  await using server = await serveAlone();
  const url = `${server.url.replace("http", "ws")}/rooms/lobby/ws?user=ann`;
  const socket = new WebSocket(url, PROTOCOL_V1_LINES);
  const types: string[] = [];
  const done = Promise.withResolvers<void>();
  socket.onopen = () =>
    socket.send('{"type":"ping","payload":{}}\n{"type":"chat_message","payload":{"text":"x"}}');
  socket.onmessage = ({ data }) => {
    for (const line of data.split("\n")) types.push(JSON.parse(line).type);
    if (types.includes("pong") && types.includes("chat_message")) done.resolve();
  };
  await done.promise;
  // It need not wait for the history.
  assertEquals(types.filter((type) => type !== "joined"), ["pong", "chat_message"]);
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
});

/** A WebSocket and a fetch() that send a cookie, as those of browsers do. */
function withCookie(cookie: string): Pick<ConnectOptions, "WebSocket" | "fetch"> {
  class CookieSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, { protocols, headers: { cookie } } as unknown as string[]);
    }
  }
  const fetcher: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("cookie", cookie);
    return fetch(input, { ...init, headers });
  };
  return { WebSocket: CookieSocket, fetch: fetcher };
}

Deno.test(
  "connect() stays with a session of a cookie past its time, until it is over",
  net,
  async () => {
    const sessions = new Map([["session=1", "ann"]]);
    let tries = 0;
    const authorize: Authorize = (request) => {
      const user = sessions.get(request.headers.get("cookie") ?? "");
      if (user === undefined) return { denied: "Please log in" };
      tries++;
      return { user, expiresAt: Date.now() + 500 };
    };
    await using server = await serveAlone({ authorize });
    await using ann = connect(server.url, {
      room: "lobby",
      reconnect: SOON,
      ...withCookie("session=1"),
    });
    const messages = received(ann);
    await ann.send("first");
    // The server prolongs the session by itself, without an event.
    await eventually(() => tries > 3 && ann.state.status === "live", () => `${tries} tries`);
    await ann.send("second");
    assertEquals(texts(await ann.loadOlder()), []);
    assertEquals(texts(messages), ["first", "second"]);
    sessions.clear();
    await until(ann, () => ann.state.status === "closed");
    assertEquals(ann.state, { status: "closed", code: 4501, reason: "Please log in" });
  },
);

Deno.test("connect() brings tokens of any characters to the server", net, async () => {
  const tokens = ["c2Vzc2lvbi1vbmU=", "with a space", "süß 🙂", "plain", 'a,"b"'];
  const authorize: Authorize = (request) => {
    const index = tokens.indexOf(tokenOf(request) ?? "");
    return index < 0 ? { denied: "Who is that?" } : { user: `user ${index}` };
  };
  await using server = await serveAlone({ authorize });
  for (const [index, token] of tokens.entries()) {
    await using chat = connect(server.url, { room: "lobby", token });
    assertEquals((await chat.send("hello")).user, `user ${index}`);
    await chat.loadOlder();
  }
});

Deno.test(
  "connect() finds a server under a path, with or without a slash at its end",
  net,
  async () => {
    await using server = await serveAlone({ basePath: "/chat" });
    const earlier: string[] = [];
    for (const base of ["/chat", "/chat/", "/chat//"]) {
      await using chat = connect(server.url + base, { room: "lobby", user: "ann", history: 0 });
      const { text } = await chat.send(base);
      assertEquals([text, texts(await chat.loadOlder())], [base, earlier]);
      earlier.push(base);
    }
    await using lost = connect(`${server.url}/elsewhere`, { room: "lobby", user: "ann" });
    await until(lost, () => lost.state.status === "closed");
  },
);

Deno.test("connect() says so where a proxy passes HTTP on and no upgrade", net, async () => {
  await using server = await serveAlone();
  // As nginx does without the lines that its manual has for WebSocket.
  const proxy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const headers = new Headers(request.headers);
    for (const name of ["connection", "upgrade"]) headers.delete(name);
    const { pathname, search } = new URL(request.url);
    return fetch(server.url + pathname + search, { headers });
  });
  const url = `http://127.0.0.1:${proxy.addr.port}`;
  const ann = connect(url, { room: "lobby", user: "ann", reconnect: SOON });
  const expected = /answers HTTP, but no WebSocket gets through.*Upgrade/;
  await until(ann, () => ann.state.status === "waiting" && expected.test(ann.state.reason));
  ann.close();
  await ann[Symbol.asyncDispose]();
  await proxy.shutdown();
});

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ConnectOptions } from "@hubbub/hub/client";
import { CLOSE_CODES } from "@hubbub/hub/protocol";
import { chat, settle, start, waiting } from "../helpers/fake_socket.ts";

/** An answer of the server over HTTP. */
function said(status: number, code: string, headers?: Record<string, string>): Response {
  return Response.json({ error: { code, message: `It says ${code}` } }, { status, headers });
}

/** What a failed upgrade is answered with over HTTP, as the rest of the options. */
function answering(answer: () => Response): Pick<ConnectOptions, "fetch"> {
  return { fetch: () => Promise.resolve(answer()) };
}

/** Answers of things that are not the server. */
const FOREIGN: Readonly<Record<string, () => Response>> = {
  "502 in a server's form": () => said(502, "X"),
  "502 in the form of Hubbub": () => said(502, "unauthorized"),
  "500 with a code of Hubbub": () => said(500, "forbidden"),
  "403 with a code of 401": () => said(403, "unauthorized"),
  "403 of a gateway": () => Response.json({ error: { code: 403, message: "No" } }, { status: 403 }),
  "403 with more beside it": () =>
    Response.json({ error: { code: "forbidden", message: "No" }, requestId: 1 }, { status: 403 }),
  "403 without a message": () => Response.json({ error: { code: "forbidden" } }, { status: 403 }),
  "401 as HTML": () => new Response("<h1>Log in</h1>", { status: 401 }),
  "401 as text that looks like JSON": () =>
    new Response('{"error":{"code":"unauthorized","message":"No"}}', { status: 401 }),
  "404 of nginx": () => new Response("<html>404 Not Found</html>", { status: 404 }),
  "408": () => new Response(null, { status: 408 }),
  "413": () => new Response("Request Entity Too Large", { status: 413 }),
  "425": () => new Response(null, { status: 425 }),
  "429 of Hubbub": () => said(429, "too_many_connections"),
  "429 of a gateway": () => Response.json({ message: "API rate limit exceeded" }, { status: 429 }),
  "431": () => new Response(null, { status: 431 }),
  "503 of Hubbub": () => said(503, "unavailable"),
  "a code of a newer server": () => said(403, "not_on_a_sunday"),
  "a name that every object has": () => said(400, "constructor"),
  "null": () => Response.json(null, { status: 403 }),
  "a captive portal": () =>
    new Response("<form>Accept the terms</form>", { headers: { "content-type": "text/html" } }),
  "200 with an error in it": () => said(200, "forbidden"),
  "426 without a body": () => new Response(null, { status: 426 }),
};

for (const [name, answer] of Object.entries(FOREIGN)) {
  Deno.test(`ChatConnection goes on after an answer that does not end it: ${name}`, async () => {
    using test = await start(answering(answer));
    let isSettled = false;
    const sent = test.ann.send("hello", { ref: "1" }).finally(() => isSettled = true);
    for (let tries = 0; tries < 20; tries++) {
      test.socket.end(1006);
      await settle();
      const { retryInMs } = waiting(test.ann.state);
      assert(retryInMs <= 30_000);
      await test.tick(retryInMs);
    }
    assertEquals(test.sockets.length, 21);
    test.socket.join();
    await settle();
    assert(!isSettled);
    test.socket.say(chat(1, { text: "hello", user: "ann", ref: "1" }));
    assertEquals((await sent).text, "hello");
  });
}

for (
  const [status, code] of [[401, "unauthorized"], [403, "forbidden"], [400, "bad_user"], [
    404,
    "not_found",
  ]] as const
) {
  Deno.test(`ChatConnection ends where the server says ${code} and no token could help`, async () => {
    using test = await start({ ...answering(() => said(status, code)), token: "always the same" });
    test.socket.end(1006);
    await settle();
    assertEquals(test.ann.state, { status: "closed", code: 4501, reason: `It says ${code}` });
    await test.tick(100_000);
    assertEquals(test.sockets.length, 1);
  });
}

Deno.test("ChatConnection takes refused tokens of a function for stale ones, for 5 minutes", async () => {
  let tokens = 0;
  const options = { ...answering(() => said(401, "unauthorized")), token: () => `t${++tokens}` };
  using test = await start(options);
  let seconds = 0;
  while (test.ann.state.status !== "closed") {
    test.socket.end(1006);
    await settle();
    if (test.ann.state.status !== "waiting") continue;
    assertEquals(test.ann.state.reason, "It says unauthorized");
    // The request that asks why has a token of its own.
    assert(tokens >= test.sockets.length);
    seconds += test.ann.state.retryInMs / 1000;
    await test.tick(test.ann.state.retryInMs);
  }
  assert(seconds >= 300 && seconds < 340, `${seconds}`);
  assertEquals(test.ann.state, { status: "closed", code: 4501, reason: "It says unauthorized" });
});

Deno.test("ChatConnection counts refused tokens anew once it was let in", async () => {
  using test = await start({ ...answering(() => said(401, "unauthorized")), token: () => "t" });
  for (let minute = 0; minute < 20; minute++) {
    test.socket.end(1006);
    await settle();
    await test.tick(waiting(test.ann.state).retryInMs);
    test.socket.join();
    assertEquals(test.ann.state.status, "live");
    await test.tick(60_000);
    test.socket.say({ type: "pong", payload: {} });
  }
});

Deno.test("ChatConnection asks for a new token when the old one has expired", async () => {
  let tokens = 0;
  using test = await start({ token: () => `token${++tokens}` });
  test.socket.join();
  for (let expiry = 2; expiry < 10; expiry++) {
    test.socket.end(CLOSE_CODES.notAllowed.code, "The token has expired");
    await test.tick(waiting(test.ann.state).retryInMs);
    assertEquals(test.socket.protocols[1], `hubbub.token.token${expiry}`);
    // Stale as well, or not: that shows when the connection is let in.
    if (expiry % 2 === 0) test.socket.welcome();
    else test.socket.join();
  }
});

Deno.test("ChatConnection asks again where a cookie may be good for longer than the server knew", async () => {
  const inits: RequestInit[] = [];
  let answer = said(426, "upgrade_required");
  using test = await start({
    credentials: "include",
    fetch: (_, init) => {
      inits.push(init ?? {});
      return Promise.resolve(answer);
    },
  });
  test.socket.join();
  test.socket.end(CLOSE_CODES.notAllowed.code, "The token has expired");
  assertEquals(waiting(test.ann.state).reason, "The token has expired");
  await test.tick(waiting(test.ann.state).retryInMs);
  test.socket.join();
  assertEquals(test.ann.state.status, "live");
  answer = Response.json({ messages: [] });
  await test.ann.loadOlder();
  assertEquals(inits[0].credentials, "include");
  test.socket.end(CLOSE_CODES.notAllowed.code, "The token has expired");
  await test.tick(waiting(test.ann.state).retryInMs);
  // Now the session is over, and the server says so.
  answer = said(401, "unauthorized");
  test.socket.end(1006);
  await settle();
  assertEquals(test.ann.state, { status: "closed", code: 4501, reason: "It says unauthorized" });
});

Deno.test("ChatConnection takes no proxy's 1009 for the server's", async () => {
  using test = await start();
  test.socket.join();
  test.socket.end(CLOSE_CODES.tooBig.code);
  assertEquals(waiting(test.ann.state).reason, "The connection was lost");
});

Deno.test("ChatConnection says when HTTP gets through and WebSocket does not", async () => {
  using test = await start(answering(() => said(426, "upgrade_required")));
  test.socket.end(1006);
  await settle();
  // The first one may have come just before the server did.
  assertEquals(waiting(test.ann.state).reason, "The server cannot be reached");
  await test.tick(waiting(test.ann.state).retryInMs);
  test.socket.end(1006);
  await settle();
  assertMatch(waiting(test.ann.state).reason, /answers HTTP, but no WebSocket.* proxy .*Upgrade/);
  await test.tick(1_000);
  test.socket.end(1006);
  // At once: it is known.
  assertMatch(waiting(test.ann.state).reason, /answers HTTP, but no WebSocket/);
  await test.tick(2_000);
  test.socket.join();
  test.socket.end(1006);
  assertEquals(waiting(test.ann.state).reason, "The connection was lost");
});

Deno.test("ChatConnection also asks why an upgrade is never answered", async () => {
  using test = await start(answering(() => new Response("Bad Gateway", { status: 502 })));
  await test.tick(10_000);
  assertEquals(
    waiting(test.ann.state).reason,
    "Something in front of the server answered with status 502",
  );
});

Deno.test("ChatConnection says where pages of its origin may not read what the server answers", async () => {
  const there = Object.getOwnPropertyDescriptor(globalThis, "location");
  Object.defineProperty(globalThis, "location", {
    configurable: true,
    value: new URL("https://app.test/page"),
  });
  try {
    // As browsers do with answers that do not name the page's origin.
    const fetch = (_: unknown, init?: RequestInit) =>
      init?.mode === "no-cors"
        ? Promise.resolve(new Response(null))
        : Promise.reject(new TypeError("Failed to fetch"));
    using test = await start({ fetch });
    test.socket.end(1006);
    await settle();
    const { reason } = waiting(test.ann.state);
    assertStringIncludes(reason, "http://chat.test answers, but not to pages of https://app.test");
    assertStringIncludes(reason, "HUBBUB_ORIGINS");

    using offline = await start({ fetch: () => Promise.reject(new TypeError("Failed to fetch")) });
    offline.socket.end(1006);
    await settle();
    assertEquals(waiting(offline.ann.state).reason, "The server cannot be reached");
  } finally {
    if (there) Object.defineProperty(globalThis, "location", there);
    else delete (globalThis as { location?: unknown }).location;
  }
});

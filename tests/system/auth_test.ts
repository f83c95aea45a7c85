import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { tokenAuthorizer } from "@hubbub/hub";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { TestClient } from "../helpers/test_client.ts";
import { linesOf } from "../helpers/test_hub.ts";
import { forge, signWithSecret } from "../helpers/tokens.ts";
import { serveAlone, type TestServer, type TestServerOptions } from "../helpers/test_server.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const authorize = tokenAuthorizer({ secret: SECRET });

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

function tokenFor(claims: Record<string, unknown>, secret = SECRET): Promise<string> {
  return signWithSecret({ exp: inSeconds(60), ...claims }, secret);
}

function base64Url(value: unknown): string {
  return btoa(JSON.stringify(value)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

/** What each route of a room answers to the same headers and query: the statuses. */
async function statuses(
  running: TestServer,
  room: string,
  options: { headers?: Record<string, string>; query?: string },
): Promise<number[]> {
  const { headers = {}, query = "" } = options;
  const base = `${running.url}/rooms/${room}`;
  const body = JSON.stringify({ text: "hello" });
  const answers = [
    await fetch(`${base}?${query}`, { headers }),
    await fetch(`${base}/messages?${query}`, { headers }),
    await fetch(`${base}/messages?${query}`, { headers, method: "POST", body }),
  ];
  for (const answer of answers) {
    const { error } = await answer.json();
    if (answer.ok) continue;
    assert(error.message && error.code, "errors are JSON");
  }
  const events = await fetch(`${base}/events?${query}`, { headers });
  await events.body?.cancel();
  using socket = await RawSocket.open(`${base}/ws?${query}`, headers);
  return [...answers, events, socket].map(({ status }) => status);
}

async function guarded(options: TestServerOptions = { authorize }): Promise<TestServer> {
  return await serveAlone(options);
}

Deno.test("createServer() takes a token in each of its places", needs("net"), async () => {
  await using running = await guarded();
  const token = await tokenFor({ sub: "ann" });
  const open = [200, 200, 201, 200, 101];
  const authorization = { authorization: `Bearer ${token}` };
  assertEquals(await statuses(running, "lobby", { headers: authorization }), open);
  const lowerCase = { authorization: `bearer  ${token}` };
  assertEquals(await statuses(running, "lobby", { headers: lowerCase }), open);
  assertEquals(await statuses(running, "lobby", { query: `token=${token}` }), open);
  const subprotocol = { "sec-websocket-protocol": `hubbub.v1,hubbub.token.${token}` };
  assertEquals(await statuses(running, "lobby", { headers: subprotocol }), open);
});

Deno.test(
  "createServer() answers with the subprotocol, never with the token",
  needs("net"),
  async () => {
    await using running = await guarded();
    const token = await tokenFor({ sub: "ann" });
    for (const offered of [`hubbub.token.${token}, hubbub.v1`, `hubbub.v1,hubbub.token.${token}`]) {
      const headers = { "sec-websocket-protocol": offered };
      using socket = await RawSocket.open(`${running.url}/rooms/lobby/ws`, headers);
      assertEquals(socket.headers.get("sec-websocket-protocol"), "hubbub.v1");
      assertFalse(socket.head.includes(token));
    }
  },
);

Deno.test(
  "createServer() goes by the token, whatever the client calls itself",
  needs("net"),
  async () => {
    await using running = await guarded();
    const token = await tokenFor({ sub: "ann" });
    await using guest = await TestClient.join(
      running.url,
      `/rooms/lobby/ws?user=bob&token=${token}`,
    );
    assertEquals((await guest.first("joined")).user, "ann");
    const response = await fetch(`${running.url}/rooms/lobby/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ text: "hello", user: "bob" }),
    });
    assertEquals((await response.json()).user, "ann");
  },
);

Deno.test("createServer() refuses tokens that are not good", needs("net"), async (t) => {
  await using running = await guarded();
  const claims = { sub: "ann", exp: inSeconds(60) };
  const unsigned = `${base64Url({ alg: "none", typ: "JWT" })}.${base64Url(claims)}.`;
  const good = await tokenFor(claims);
  const [header, , signature] = good.split(".");
  const bad: Record<string, string> = {
    "expired": await tokenFor({ sub: "ann", exp: inSeconds(-31) }),
    "issued later": await tokenFor({ sub: "ann", iat: inSeconds(60) }),
    "of an unknown extension": await forge(
      { alg: "HS256", crit: ["x"], x: true },
      claims,
      new TextEncoder().encode(SECRET),
    ),
    "of an unencoded payload": await forge(
      { alg: "HS256", crit: ["b64"], b64: false },
      claims,
      new TextEncoder().encode(SECRET),
    ),
    "without an algorithm": await forge({}, claims, new TextEncoder().encode(SECRET)),
    "of claims that are no object": await forge(
      { alg: "HS256" },
      [claims],
      new TextEncoder().encode(SECRET),
    ),
    "none in capitals": await forge({ alg: "None" }, claims),
    "not valid yet": await tokenFor({ sub: "ann", nbf: inSeconds(60) }),
    "expiry that is no number": await tokenFor({ sub: "ann", exp: "tomorrow" }),
    "wrong secret": await tokenFor({ sub: "ann" }, SECRET + "!"),
    "expiry that is null": await tokenFor({ sub: "ann", exp: null }),
    "wrong algorithm": await signWithSecret(claims, SECRET, "HS512"),
    "unsigned": unsigned,
    "unsigned with the signature of another": unsigned + signature,
    "changed": `${header}.${base64Url({ ...claims, sub: "bob" })}.${signature}`,
    "without a user": await tokenFor({}),
    "user that is no text": await tokenFor({ sub: 7 }),
    "user that is no name": await tokenFor({ sub: "a\u0000b" }),
    "user of a second name for the same": await tokenFor({ sub: " ann" }),
    "rooms that are no list": await tokenFor({ sub: "ann", rooms: "lobby" }),
    "rooms that are no names": await tokenFor({ sub: "ann", rooms: [{}] }),
    "no token": "abc",
    "two dots": "..",
    "too long": "a".repeat(9_000),
  };
  for (const [name, token] of Object.entries(bad)) {
    await t.step(name, async () => {
      const headers = { authorization: `Bearer ${token}` };
      assertEquals(await statuses(running, "lobby", { headers }), [401, 401, 401, 401, 401]);
    });
  }
  await t.step("none at all", async () => {
    assertEquals(await statuses(running, "lobby", { query: "user=ann" }), [
      401,
      401,
      401,
      401,
      401,
    ]);
    const { headers } = await fetch(`${running.url}/rooms/lobby`).then(async (response) => {
      await response.body?.cancel();
      return response;
    });
    assertEquals(headers.get("www-authenticate"), "Bearer");
  });
  await t.step("nothing was stored", async () => {
    assertEquals(await running.hub.log.last("lobby", { limit: 1 }), []);
  });
  await t.step("no token is in the log", () => {
    const lines = linesOf(running.events);
    assert(lines.some((line) => line.includes("access_refused")));
    for (const token of [good, ...Object.values(bad)].filter(({ length }) => length > 10)) {
      for (const part of token.split(".").filter(({ length }) => length > 10)) {
        assertFalse(lines.some((line) => line.includes(part)));
      }
    }
  });
});

Deno.test("createServer() lets a token into the rooms that it names", needs("net"), async () => {
  await using running = await guarded();
  const token = await tokenFor({ sub: "ann", rooms: ["lobby", "team-*", "*.open.*"] });
  const headers = { authorization: `Bearer ${token}` };
  for (const room of ["lobby", "team-", "team-a", "x.open.y"]) {
    assertEquals(await statuses(running, room, { headers }), [200, 200, 201, 200, 101], room);
  }
  for (const room of ["lobby2", "team", "my-team-a", "open", "x.open"]) {
    assertEquals(await statuses(running, room, { headers }), [403, 403, 403, 403, 403], room);
  }
  const nowhere = { authorization: `Bearer ${await tokenFor({ sub: "ann", rooms: [] })}` };
  assertEquals(await statuses(running, "lobby", { headers: nowhere }), [403, 403, 403, 403, 403]);
});

Deno.test("createServer() ends a connection when its token expires", needs("net"), async () => {
  await using running = await guarded({
    authorize: () => ({ user: "ann", expiresAt: Date.now() + 500 }),
  });
  await using guest = await TestClient.join(running.url, "/rooms/lobby/ws");
  assertEquals((await guest.closed).code, 4501);
});

Deno.test(
  "createServer() ends a stream of events when its token expires",
  needs("net"),
  async () => {
    await using running = await guarded({
      authorize: () => ({ user: "ann", expiresAt: Date.now() + 500 }),
    });
    const response = await fetch(`${running.url}/rooms/lobby/events`);
    assertEquals(response.status, 200);
    assertMatch(await response.text(), /^event: ?joined$/m);
    assertEquals(running.hub.metrics.closed.get("notAllowed"), 1);
    assertEquals(running.hub.metrics.connections, 0);
  },
);

Deno.test("createServer() takes nothing from a token that has expired", needs("net"), async () => {
  let expiresAt = Infinity;
  await using running = await guarded({
    authorize: () => ({
      user: "ann",
      get expiresAt() {
        return expiresAt;
      },
    }),
  });
  expiresAt = Date.now() + 50;
  await using guest = await TestClient.join(running.url, "/rooms/lobby/ws");
  while (Date.now() <= expiresAt) await new Promise((resolve) => setTimeout(resolve, 5));
  guest.say("too late");
  assertEquals((await guest.closed).code, 4501);
  assertEquals(await running.hub.log.last("lobby", { limit: 1 }), []);
});

Deno.test("authenticate lets a connection outlive its first token", needs("net"), async () => {
  const expiries: Record<string, number> = {
    first: Date.now() + 3_000,
    second: Date.now() + 60_000,
  };
  await using running = await guarded({
    authorize: (request) => {
      const [, token] = request.headers.get("authorization")?.split(" ") ?? [];
      if (token === "bob") return { user: "bob" };
      if (token === "elsewhere") return { user: "ann", roleIn: () => "none" };
      if (token === "broken") throw new Error("no answer");
      if (token === "bad") return { denied: "No" };
      return { user: "ann", expiresAt: expiries[token ?? "first"] };
    },
  });
  await using guest = await TestClient.join(running.url, "/rooms/lobby/ws?token=old");
  const refused = {
    bob: "forbidden",
    elsewhere: "forbidden",
    bad: "unauthorized",
    broken: "unavailable",
  };
  for (const [token, code] of Object.entries(refused)) {
    guest.send({ type: "authenticate", payload: { token } });
    await guest.first("error", (error) => error.code === code);
    guest.envelopes.length = 0;
  }
  guest.send({ type: "authenticate", payload: { token: "second" } });
  while (Date.now() <= expiries.first + 1_100) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await guest.store("still here");
  assertEquals(guest.of("error"), []);
  assertFalse(linesOf(running.events).some((line) => line.includes("second")));
});

Deno.test("authenticate means nothing to an open hub", needs("net"), async () => {
  await using running = await serveAlone();
  await using guest = await TestClient.join(running.url, "/rooms/lobby/ws?user=ann");
  guest.send({ type: "authenticate", payload: { token: "whatever" } });
  await guest.store("hello");
  assertEquals(guest.of("error"), []);
});

Deno.test(
  "createServer() says so when it cannot be found out who somebody is",
  needs("net"),
  async () => {
    await using running = await guarded({
      authorize: () => Promise.reject(new Error("no answer")),
    });
    // A stream of events is told to come back: with another status, browsers would not.
    assertEquals(await statuses(running, "lobby", {}), [503, 503, 503, 200, 503]);
    assertEquals(running.hub.metrics.authorizeFailures, 5);
    assert(linesOf(running.events).some((line) => line.includes("authorize_failed")));
  },
);

const ORIGINS: [string, number][] = [
  ["https://app.example", 101],
  ["https://app.example:8443", 403],
  ["https://app.example/", 403],
  ["http://app.example", 403],
  ["https://sub.app.example", 403],
  ["https://app.example.evil.example", 403],
  ["HTTPS://app.example", 403],
  ["null", 403],
  ["", 403],
  ["file://", 403],
  ["https://", 403],
];

Deno.test(
  "createServer() lets in its own pages and those of the origins given",
  needs("net"),
  async (t) => {
    await using running = await serveAlone({ origins: ["https://app.example"] });
    const { host, port } = new URL(running.url);
    const origins: [string, number][] = [
      ...ORIGINS,
      [`http://${host}`, 101],
      [`https://${host}`, 101],
      [`http://127.0.0.1:${Number(port) ^ 1}`, 403],
      [`http://localhost:${port}`, 403],
    ];
    for (const [origin, status] of origins) {
      await t.step(JSON.stringify(origin), async () => {
        const headers = { origin };
        using socket = await RawSocket.open(`${running.url}/rooms/lobby/ws?user=ann`, headers);
        assertEquals(socket.status, status);
        const body = JSON.stringify({ text: "hello", user: "ann" });
        // A browser's fetch sets the header itself, and Deno's takes it.
        const url = `${running.url}/rooms/lobby/messages`;
        const response = await fetch(url, { method: "POST", headers, body });
        await response.body?.cancel();
        assertEquals(response.status, status === 101 ? 201 : status);
      });
    }
  },
);

const PATTERNS: [string, boolean][] = [
  ["capacitor://localhost", true],
  ["capacitor://localhost:80", false],
  ["capacitor://other", false],
  ["ionic://localhost", false],
  ["https://a.example.com", true],
  ["https://a.b.example.com", true],
  ["https://example.com", false],
  ["https://.example.com", false],
  ["https://xexample.com", false],
  ["https://evil.example/.example.com", false],
  ["https://evil.example:1.example.com", false],
  ["https://evil.example#.example.com", false],
  ["https://user@a.example.com", false],
  ["http://a.example.com", false],
  ["https://a.example.com:8443", false],
  ["https://A.example.com", false],
  ["https://a.example.com.evil.example", false],
  ["http://a.local:3000", true],
  ["chrome-extension://abcdefghijklmnop", true],
];

Deno.test(
  "createServer() lets in the origins of apps, and those of patterns",
  needs("net"),
  async () => {
    await using running = await serveAlone({
      origins: [
        "capacitor://localhost",
        "https://*.example.com",
        "http://a.local:3000",
        "chrome-extension://abcdefghijklmnop",
      ],
    });
    for (const [origin, isAllowed] of PATTERNS) {
      using socket = await RawSocket.open(`${running.url}/rooms/lobby/ws?user=ann`, { origin });
      assertEquals(socket.status, isAllowed ? 101 : 403, origin);
      const response = await fetch(`${running.url}/rooms/lobby/messages`, { headers: { origin } });
      await response.body?.cancel();
      assertEquals(response.status, isAllowed ? 200 : 403, origin);
      const shared = response.headers.get("access-control-allow-origin");
      assertEquals(shared, isAllowed ? origin : null, origin);
    }
  },
);

Deno.test(
  "createServer() knows its own origin behind a proxy by the host",
  needs("net"),
  async () => {
    await using running = await serveAlone();
    for (const host of ["chat.example", "chat.example:443"]) {
      const headers = { host, origin: "https://chat.example" };
      using socket = await RawSocket.open(`${running.url}/rooms/lobby/ws?user=ann`, headers);
      assertEquals(socket.status, 101);
    }
  },
);

Deno.test(
  "createServer() lets pages of the origins given read its answers",
  needs("net"),
  async () => {
    await using running = await serveAlone({ origins: ["https://app.example"] });
    const allowed = async (origin: string, method: string) => {
      const headers = { origin, "access-control-request-method": "POST" };
      const response = await fetch(`${running.url}/rooms/lobby/messages`, { method, headers });
      await response.body?.cancel();
      return response.headers.get("access-control-allow-origin");
    };
    for (const method of ["GET", "OPTIONS", "PUT"]) {
      assertEquals(await allowed("https://app.example", method), "https://app.example", method);
      assertEquals(await allowed("https://evil.example", method), null, method);
    }
  },
);

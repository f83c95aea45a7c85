import { mock } from "node:test";
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { jsonLogger } from "@hubbub/hub";
import { describeAccess, readConfiguration, VARIABLES } from "@hubbub/hub/service";
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { linesOf } from "../helpers/test_hub.ts";
import { serveAlone } from "../helpers/test_server.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

function read(environment: Record<string, string>) {
  return readConfiguration((name) => environment[name]);
}

const BAD: [Record<string, string>, string][] = [
  [
    { HUBBUB_JWT_SECRET: SECRET, HUBBUB_JWKS_URL: "https://a.example/" },
    "HUBBUB_JWT_SECRET and HUBBUB_JWKS_URL are both set: only one can be",
  ],
  [{ HUBBUB_JWKS_URL: "a.example" }, "HUBBUB_JWKS_URL must be an http or https address"],
  [{ HUBBUB_JWKS_URL: "file:///etc/passwd" }, "HUBBUB_JWKS_URL must be an http or https address"],
  [{ HUBBUB_ORIGINS: "https://a.example/" }, 'must hold "https://a.example", as browsers write it'],
  [{ HUBBUB_ORIGINS: "https://A.example" }, 'must hold "https://a.example", as browsers write it'],
  [{ HUBBUB_ORIGINS: "https://a.example:443" }, 'must hold "https://a.example", as'],
  [{ HUBBUB_ORIGINS: "https://bücher.example" }, 'must hold "https://xn--bcher-kva.example", as'],
  [{ HUBBUB_ORIGINS: "https://a.example/chat" }, "without a path"],
  [{ HUBBUB_ORIGINS: "https://*" }, 'not "https://*"'],
  [{ HUBBUB_ORIGINS: "https://*.com" }, 'not "https://*.com"'],
  [{ HUBBUB_ORIGINS: "https://a.*.example" }, 'not "https://a.*.example"'],
  [{ HUBBUB_ORIGINS: "https://*.1.2.3.4" }, 'not "https://*.1.2.3.4"'],
  [{ HUBBUB_ORIGINS: "null" }, 'not "null"'],
  [{ HUBBUB_ORIGINS: "file://" }, 'not "file://"'],
  [{ HUBBUB_ORIGINS: "capacitor://localhost/" }, 'not "capacitor://localhost/"'],
  [{ HUBBUB_ORIGINS: "*" }, 'not "*"'],
  [{ HUBBUB_ORIGINS: "https://a.example b.example" }, 'not "b.example"'],
  [{ HUBBUB_PROXIES: "yes" }, 'HUBBUB_PROXIES must be a number from 0 to 100, not "yes"'],
  [{ HUBBUB_MAX_CONNECTIONS_PER_USER: "-1" }, "HUBBUB_MAX_CONNECTIONS_PER_USER must be"],
];

Deno.test("readConfiguration() says what is wrong with who may come in", () => {
  for (const [environment, message] of BAD) {
    const error = assertThrows(() => read(environment), RangeError, message);
    assertFalse(/\n|hunter2/.test(error.message));
  }
});

Deno.test("every way of starting may read every variable", needs("read"), async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile("deno.json"));
  for (const name of ["start", "start:parallel", "dev"]) {
    const [, allowed] = /"--allow-env=([^"]+)"/.exec(tasks[name].command) ?? [];
    const patterns = allowed.split(",").map((part) => new RegExp(`^${part.replace("*", ".*")}$`));
    for (const variable of [...VARIABLES, "DENO_JOBS", "DENO_DEPLOYMENT_ID"]) {
      assert(patterns.some((pattern) => pattern.test(variable)), variable);
    }
  }
});

Deno.test("describeAccess() says who may come in, and no secret", () => {
  assertEquals(describeAccess(read({})), "open: anybody who connects may use any name");
  const secret = describeAccess(read({ HUBBUB_JWT_SECRET: SECRET }));
  assert(secret.startsWith("tokens: ") && !secret.includes(SECRET));
  const published = describeAccess(read({ HUBBUB_JWKS_URL: "https://me:pass@a.example/keys?x=y" }));
  assert(published.startsWith("tokens: anybody with one signed with a key of a.example;"));
  assert(published.includes("HUBBUB_JWT_AUDIENCE is not set"));
  const meant = { HUBBUB_JWKS_URL: "https://a.example/keys", HUBBUB_JWT_AUDIENCE: "chat" };
  const named = describeAccess(read(meant));
  assertEquals(named, "tokens: anybody with one signed with a key of a.example");
});

Deno.test("jsonLogger() leaves out what comes too often, and counts it", () => {
  let now = 0;
  const lines: { event: string; n: number; left_out?: number }[] = [];
  const write = (line: string) => lines.push(JSON.parse(line));
  const logger = jsonLogger(write, { perMinute: 3, now: () => now });
  for (let n = 0; n < 100; n++) logger("warn", "refused", { n });
  logger("error", "failed", { n: 0 });
  assertEquals(lines.map(({ event, n }) => [event, n]), [
    ["refused", 0],
    ["refused", 1],
    ["refused", 2],
    ["failed", 0],
  ]);
  now += 60_000;
  logger("warn", "refused", { n: 100 });
  logger("warn", "refused", { n: 101 });
  assertEquals(lines.slice(4).map(({ n, left_out }) => [n, left_out]), [[100, 97], [
    101,
    undefined,
  ]]);
});

Deno.test("jsonLogger() never throws, and cuts what is too long", () => {
  const lines: string[] = [];
  const logger = jsonLogger((line) => lines.push(line));
  logger("warn", "odd", {
    big: 1n,
    long: "x".repeat(10_000),
    error: new Error("y".repeat(10_000)),
  });
  assert(lines[0].length < 1_500);
  assertEquals(JSON.parse(lines[0]).big, "1");
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  logger("warn", "circle", { circle });
  assertEquals(JSON.parse(lines[1]).event, "circle");
});

Deno.test(
  "createServer() puts headers for safety on everything but an upgrade",
  needs("net"),
  async () => {
    await using running = await serveAlone();
    for (
      const path of ["/", "/health", "/metrics", "/nothing", "/rooms/a", "/rooms/a/ws", "/rooms/!"]
    ) {
      const response = await fetch(running.url + path);
      await response.body?.cancel();
      assertEquals(response.headers.get("x-content-type-options"), "nosniff", path);
      assertEquals(response.headers.get("referrer-policy"), "no-referrer", path);
      assert(response.headers.get("content-security-policy")?.includes("default-src 'none'"), path);
    }
    using socket = await RawSocket.open(`${running.url}/rooms/a/ws?user=ann`);
    assertEquals(socket.status, 101);
    assertFalse(/content-security-policy/i.test(socket.head));
  },
);

Deno.test("createServer() says nothing about itself when it fails", needs("net"), async () => {
  const fail = () => {
    throw new Error("at secret (file:///secret.ts:1:1)");
  };
  const authorize = () => ({
    get user(): string {
      return fail();
    },
  });
  for (const event of ["authorize_failed", "request_failed"]) {
    await using running = await serveAlone(event === "authorize_failed" ? { authorize } : {});
    if (event === "request_failed") mock.method(running.hub.log, "last", fail);
    const response = await fetch(`${running.url}/rooms/a/messages`);
    const text = await response.text();
    assertEquals(response.status, 503);
    assertEquals(JSON.parse(text).error.code, "unavailable");
    assertFalse(text.includes("secret"));
    assert(linesOf(running.events).some((line) => line.includes(event)), event);
  }
});

Deno.test("a request that finds the database closed is told that the server stops", {
  ...needs("net"),
}, async () => {
  await using running = await serveAlone();
  const { hub } = running;
  const asked = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<never>();
  mock.method(hub.log, "last", () => {
    asked.resolve();
    return closed.promise;
  });
  const answer = fetch(`${running.url}/rooms/a/messages`);
  await asked.promise;
  const drained = hub.drain();
  closed.reject(new Deno.errors.BadResource("Bad resource ID"));
  const response = await answer;
  assertEquals(response.status, 503);
  assertEquals((await response.json()).error.code, "draining");
  assert(response.headers.has("retry-after"));
  await drained;
  assertFalse(running.events.some(({ event }) => event === "request_failed"));
});

Deno.test(
  "the log tells start, refusals, closes and stop, and no token or text",
  needs("run", "net", "read", "write", "env"),
  async () => {
    await inFolder(async (directory) => {
      await using hub = await HubProcess.start({
        HUBBUB_KV: `${directory}/log`,
        HUBBUB_JWT_SECRET: SECRET,
      });
      const token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.";
      for (let i = 0; i < 200; i++) {
        const name = encodeURIComponent("\r\n\u001b[31m{}");
        using socket = await RawSocket.open(
          `${hub.url}/rooms/lobby/ws?user=${name}&token=${token}`,
        );
        assertEquals(socket.status, 401);
      }
      assertEquals((await hub.stop("SIGTERM")).code, 0);
      const events = hub.lines.map((line) => JSON.parse(line));
      const counts = Object.groupBy(events, ({ event }) => event);
      assertEquals(Object.keys(counts), ["started", "access_refused", "stopping", "stopped"]);
      assertEquals(
        counts.started?.[0].entry,
        "tokens: anybody with one signed with the secret (HS256)",
      );
      assertEquals(counts.access_refused?.length, 60);
      const text = hub.lines.join("\n");
      assertFalse(
        text.includes(token.slice(0, 12)) || text.includes(SECRET) || text.includes("\u001b"),
      );
    });
  },
);

Deno.test(
  "a bad value stops the start with one line",
  needs("run", "net", "read", "write", "env"),
  async () => {
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-env", "main.ts"],
      env: { HUBBUB_JWT_SECRET: "hunter2", HUBBUB_JWKS_URL: "https://a.example/" },
    }).output();
    assertEquals(output.code, 1);
    const lines = new TextDecoder().decode(output.stdout).trim().split("\n");
    assertEquals(lines.length, 1);
    const { event, error } = JSON.parse(lines[0]);
    assertEquals(event, "bad_configuration");
    assert(error.includes("HUBBUB_JWT_SECRET") && !error.includes("hunter2"));
  },
);

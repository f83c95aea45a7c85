// Which hosts a server serves, and who may start an open one.

import http2 from "node:http2";
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { AllowedHosts } from "../../src/access/host.ts";
import { inFolder } from "../helpers/folder.ts";
import { failToStart, HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { linesOf } from "../helpers/test_hub.ts";
import { serveAlone } from "../helpers/test_server.ts";

const PROCESS = needs("net", "run", "read", "write", "env");

/** The statuses of an upgrade and of a request, for a host, from a page of that host. */
async function statuses(url: string, host: string): Promise<[upgrade: number, request: number]> {
  const headers = { host, origin: new URL(`http://${host}`).origin };
  using socket = await RawSocket.open(`${url}/rooms/lobby/ws?user=ann`, headers);
  // A client that one may tell the host.
  using request = await RawSocket.open(`${url}/rooms/lobby/messages`, headers);
  return [socket.status, request.status];
}

Deno.test("createServer() serves its hosts alone", needs("net"), async () => {
  await using running = await serveAlone({ hosts: ["chat.example", "*.b.example"] });
  const { port } = running;
  const served = [
    "localhost",
    `localhost:${port}`,
    `127.0.0.1:${port}`,
    "127.8.8.8",
    "[::1]:8000",
    "chat.example",
    "CHAT.example:443",
    "chat.example.",
    "a.b.example",
    "a.a.b.example",
  ];
  for (const host of served) assertEquals(await statuses(running.url, host), [101, 200], host);
  const foreign = [
    `rebind.example:${port}`,
    "localhost.rebind.example",
    "127.0.0.1.rebind.example",
    "chat.example.rebind.example",
    "b.example",
    "xb.example",
    "128.0.0.1",
    "0.0.0.0",
    "[::2]",
  ];
  for (const host of foreign) assertEquals(await statuses(running.url, host), [421, 421], host);
  const answer = await running.server.fetch(new Request("http://rebind.example/"));
  const { error } = await answer.json();
  assertEquals([answer.status, error.code], [421, "misdirected"]);
  assert(error.message.includes("rebind.example") && error.message.includes("HUBBUB_HOSTS"));
  const refusals = running.events.filter(({ event }) => event === "access_refused");
  assertEquals(refusals.at(-1)?.fields?.code, "misdirected");
  assertEquals(refusals[0].fields?.address, "127.0.0.1");
});

Deno.test("createServer() serves its hosts alone over HTTP/2 too", needs("net"), async () => {
  await using running = await serveAlone({ hosts: [] });
  const session = http2.connect(running.url);
  const ask = async (authority: string): Promise<number> => {
    const stream = session.request({ ":path": "/rooms/lobby", ":authority": authority });
    const status = new Promise<number>((resolve, reject) => {
      stream.on("response", (headers) => resolve(Number(headers[":status"])));
      stream.on("error", reject);
    });
    stream.resume();
    await new Promise<void>((resolve) => stream.on("end", () => resolve()));
    return await status;
  };
  try {
    assertEquals(await ask(`127.0.0.1:${running.port}`), 200);
    assertEquals(await ask("localhost"), 200);
    assertEquals(await ask("rebind.example"), 421);
  } finally {
    await new Promise<void>((resolve) => session.close(() => resolve()));
  }
});

Deno.test("createServer() without hosts serves any", needs("net"), async () => {
  await using running = await serveAlone();
  assertEquals(await statuses(running.url, "chat.example"), [101, 200]);
});

Deno.test(
  "createServer() refuses a host that is none, and logs no token",
  needs("net"),
  async () => {
    await using running = await serveAlone();
    for (const host of ["[::", "a b", "a:b:c", "a\u00ffb", "[", ":80", "user@", "%00"]) {
      using socket = await RawSocket.open(`${running.url}/rooms/lobby/ws?token=t0ken`, { host });
      assert(socket.status >= 400 && socket.status < 500, `${host}: ${socket.status}`);
      // As a proxy leaves it that takes the upgrade away.
      const stripped = { host, upgrade: undefined, connection: undefined };
      using request = await RawSocket.open(`${running.url}/rooms/lobby/ws?token=t0ken`, stripped);
      assert(request.status >= 400 && request.status < 500, `${host}: ${request.status}`);
    }
    assertFalse(linesOf(running.events).some((line) => line.includes("t0ken")));
    assertFalse(running.events.some(({ event }) => event === "request_failed"));
  },
);

Deno.test("new AllowedHosts() refuses what is no host", () => {
  const none = [
    "",
    "*",
    "*.",
    "http://a",
    "a:80",
    "a/b",
    "a b",
    "a?b",
    "@a",
    "*.1.2.3.4",
    "a*b",
    "-a",
  ];
  for (const host of none) {
    assertThrows(() => new AllowedHosts([host]), TypeError, "Cannot use the");
  }
  const hosts = new AllowedHosts(["2001:db8::1", "BÜCHER.example", "a_b.example", "192.0.2.1"]);
  for (const host of ["[2001:db8::1]", "xn--bcher-kva.example", "a_b.example", "192.0.2.1"]) {
    assert(hosts.includes(host), host);
  }
});

Deno.test(
  "a hub on loopback serves no other host, unless HUBBUB_HOSTS names it",
  PROCESS,
  async () => {
    await inFolder(async (folder) => {
      const environment = { HUBBUB_KV: `${folder}/log`, HUBBUB_HOSTS: "chat.example" };
      await using hub = await HubProcess.start(environment);
      assertEquals(await statuses(hub.url, "chat.example"), [101, 200]);
      assertEquals(await statuses(hub.url, "localhost"), [101, 200]);
      assertEquals(await statuses(hub.url, "rebind.example"), [421, 421]);
    });
  },
);

Deno.test("an open hub on another host stops with one line", PROCESS, async () => {
  await inFolder(async (folder) => {
    const HUBBUB_KV = `${folder}/log`;
    const { code, lines } = await failToStart({ HUBBUB_KV, HOST: "0.0.0.0" });
    assertEquals([code, lines.length], [1, 1]);
    const { event, error } = JSON.parse(lines[0]);
    assertEquals(event, "bad_configuration");
    assert(error.includes("HUBBUB_OPEN=1"), error);
    await using hub = await HubProcess.start({ HUBBUB_KV, HOST: "0.0.0.0", HUBBUB_OPEN: "1" });
    const url = `http://127.0.0.1:${hub.port}`;
    assertEquals(await statuses(url, "chat.example"), [101, 200]);
  });
});

Deno.test("a hub on an IPv6 address says where it is", PROCESS, async () => {
  await inFolder(async (folder) => {
    const environment = { HUBBUB_KV: `${folder}/log`, HOST: "::1" };
    await using hub = await HubProcess.start(environment).catch((error) => {
      // Not every machine has IPv6.
      if (!String(error).includes("listen_failed")) throw error;
      console.warn("A test is left out: this machine has no address ::1");
      return undefined;
    });
    if (!hub) return;
    assertEquals(hub.url, `http://[::1]:${hub.port}`);
    assertEquals((await hub.stop("SIGTERM")).code, 0);
  });
});

Deno.test(
  "a misspelt variable stops the start, under the tasks' permissions",
  PROCESS,
  async () => {
    await inFolder(async (folder) => {
      const HUBBUB_KV = `${folder}/log`;
      const { tasks } = JSON.parse(await Deno.readTextFile("deno.json"));
      const [, env] = /"(--allow-env=[^"]+)"/.exec(tasks.start.command) ?? [];
      const files = `${HUBBUB_KV},${HUBBUB_KV}.lock`;
      const args = ["run", "--no-prompt", env, "--allow-net"];
      args.push(`--allow-read=${files}`, `--allow-write=${files}`, "main.ts");
      const { code, lines } = await failToStart(
        { HUBBUB_KV, HUBBUB_JWT_SECERT: "s".repeat(32) },
        args,
      );
      assertEquals([code, lines.length], [1, 1]);
      const { error } = JSON.parse(lines[0]);
      assert(error.includes("it should probably be HUBBUB_JWT_SECRET") && !error.includes("ssss"));
      await using hub = await HubProcess.start(
        { HUBBUB_KV, HUBBUB_SERVICE_HOST: "10.0.0.1" },
        args,
      );
      assert(hub.url);
    });
  },
);

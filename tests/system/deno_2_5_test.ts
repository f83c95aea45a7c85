// What Deno Deploy documents to run. A process of that Deno stands in for an instance: it gets the
// address and the database from outside, as there, and may use everything.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { TestClient } from "../helpers/test_client.ts";
import { Stopwatch } from "../helpers/stopwatch.ts";

const VERSION = "2.5.0";
/** Milliseconds that npm has to bring that Deno. */
const FETCH_MS = 180_000;
/** Milliseconds that Deno Deploy gives an instance to stop. */
const STOP_MS = 5_000;

const NEEDS = needs("net", "run", "read", "write", "env");
const oldDeno = NEEDS.ignore ? undefined : await findOldDeno();
const OLD_DENO = { ignore: oldDeno === undefined };

async function findOldDeno(): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("sh", {
      args: ["-c", `npx -y deno@${VERSION} eval "console.log(Deno.execPath())"`],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(FETCH_MS),
    }).output();
    if (success) return new TextDecoder().decode(stdout).trim();
  } catch {
    // There is no sh here.
  }
  console.warn(`Tests of Deno ${VERSION} are ignored: npx does not bring it`);
  return undefined;
}

/** Starts a file of this project in that Deno. */
function start(file: string, environment: Record<string, string>): Promise<HubProcess> {
  // What another Deno has cached is used: this one would look for it with other certificates.
  const args = ["run", "--allow-all", "--no-prompt", "--cached-only", file];
  // The shell becomes that Deno: so the test may run it without a permission of its own.
  const shellArgs = ["-c", 'exec "$0" "$@"', oldDeno!, ...args];
  return HubProcess.start({ NO_COLOR: "1", ...environment }, shellArgs, "sh");
}

/** What Deno Deploy gives an instance. */
function instanceOf(folder: string): Record<string, string> {
  return {
    DENO_DEPLOYMENT_ID: "test",
    HUBBUB_OPEN: "1",
    DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
    DENO_KV_DEFAULT_PATH: `${folder}/assigned.sqlite3`,
  };
}

Deno.test("main.ts serves an instance of Deno Deploy, from start to stop", OLD_DENO, async () => {
  await inFolder(async (folder) => {
    {
      await using hub = await start("main.ts", instanceOf(folder));
      const [warning, started] = hub.events;
      assertEquals(warning.event, "no_fanout");
      assertMatch(String(warning.message), /^No BroadcastChannel: .+ through the database alone$/);
      assertEquals([started.event, started.kv], ["started", "assigned"]);
      const page = await fetch(`${hub.url}/r/lobby`);
      assertEquals(page.status, 200);
      assertMatch(await page.text(), /<!doctype html>/i);

      await using ann = await TestClient.join(hub.url, "/rooms/lobby/ws?user=ann", [
        "hubbub.v1.lines",
        "hubbub.v1",
      ]);
      await using bob = await TestClient.join(hub.url, "/rooms/lobby/ws?user=bob");
      assertEquals(ann.socket.protocol, "hubbub.v1.lines");
      ann.send({ type: "typing_status", payload: { status: true } });
      await bob.until((client) => client.of("typing_status").some(({ status }) => status));
      ann.say("hello");
      await bob.until(({ said }) => said.length === 1);
      const posted = await fetch(`${hub.url}/rooms/lobby/messages`, {
        method: "POST",
        body: JSON.stringify({ user: "robot", text: "beep" }),
      });
      assertEquals(posted.status, 201);
      await posted.body?.cancel();
      for (const client of [ann, bob]) {
        await client.until(({ said }) => said.length === 2);
        assertEquals(client.said, ["hello", "beep"]);
      }
      const health = await fetch(`${hub.url}/health`);
      assertEquals((await health.json()).reach, "database");

      using watch = new Stopwatch();
      const status = await hub.stop("SIGINT");
      assertEquals([status.code, status.signal], [0, null]);
      assert(watch.ms < STOP_MS, `${watch.ms} ms`);
      assertEquals([(await ann.closed).code, (await bob.closed).code], [4000, 4000]);
      assertEquals(hub.events.slice(2).map(({ event }) => event), ["stopping", "stopped"]);
    }
    await using again = await start("main.ts", instanceOf(folder));
    await using cleo = await TestClient.join(again.url, "/rooms/lobby/ws?user=cleo");
    assertEquals(cleo.said, ["hello", "beep"]);
  });
});

Deno.test("connect() chooses a subprotocol where headers are immutable", OLD_DENO, async () => {
  await inFolder(async (folder) => {
    await using hub = await start("main.ts", instanceOf(folder));
    // As the "ws" of npm writes it: without a space.
    const offer = { "sec-websocket-protocol": "mqtt,hubbub.v1" };
    using raw = await RawSocket.open(`${hub.url}/rooms/lobby/ws?user=ann`, offer);
    assertEquals([raw.status, raw.headers.get("sec-websocket-protocol")], [101, "hubbub.v1"]);
    await using bob = await TestClient.join(hub.url, "/rooms/lobby/ws?user=bob");
    bob.say("still here");
    await bob.until(({ said }) => said.length === 1);
  });
});

Deno.test("main.ts says that it cannot lock a file, and goes on", OLD_DENO, async () => {
  await inFolder(async (folder) => {
    await using hub = await start("main.ts", { HUBBUB_KV: `${folder}/kv.sqlite3` });
    const [warning, started] = hub.events;
    assertEquals([warning.event, started.event], ["lock_failed", "started"]);
    assertMatch(String(warning.error), /^Deno 2\.5\.0 cannot lock files/);
  });
});

Deno.test("isolates reach each other through the database alone", OLD_DENO, async () => {
  await inFolder(async (folder) => {
    await using hub = await start("parallel.ts", {
      DENO_JOBS: "2",
      HUBBUB_KV: `${folder}/kv.sqlite3`,
    });
    const events = hub.events.map(({ event }) => event);
    assertEquals(events.filter((event) => event === "no_fanout").length, 2);
    assertEquals(events.filter((event) => event === "no_locks").length, 2);
    // The kernel spreads connections: of so many, hardly all come to one isolate.
    const users = Array.from({ length: 10 }, (_, i) => `user${i}`);
    await using stack = new AsyncDisposableStack();
    const clients: TestClient[] = [];
    for (const user of users) {
      clients.push(stack.use(await TestClient.join(hub.url, `/rooms/lobby/ws?user=${user}`)));
    }
    for (const [i, client] of clients.entries()) client.say(users[i]);
    for (const client of clients) await client.until(({ said }) => said.length === users.length);
    for (const client of clients) assertEquals(client.said, clients[0].said);
    assertEquals(clients[0].said.toSorted(), users);
  });
});

// The listener outlives failures of accept: see promise 10.

import { assert, assertEquals } from "@std/assert";
import { Listener, type ListenerOptions } from "../../src/service/listener.ts";
import { untilAnswers } from "../helpers/blind_server.ts";
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { hasStrace, Injection, NOT_ATTACHED } from "../helpers/injection.ts";
import { parallelArgs } from "../helpers/parallel_server.ts";
import { needs } from "../helpers/permissions.ts";
import { numbers } from "../helpers/stored_lines.ts";
import { TestClient } from "../helpers/test_client.ts";

const ALL = needs("net", "run", "read", "write", "env");
const LINUX = { ignore: ALL.ignore || Deno.build.os !== "linux" };
const STRACE = { ignore: !hasStrace() };

/** Descriptors that a server of these tests may have. */
const DESCRIPTORS = 120;

/** Starts a server that may have few descriptors. */
function startPoor(kv: string): Promise<HubProcess> {
  // The shell becomes the server.
  const line = `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`;
  const args = ["-c", line, Deno.execPath(), "run", "--no-prompt", "-A", "main.ts"];
  return HubProcess.start({ HUBBUB_KV: kv }, args, "sh");
}

/** Opens connections on which nobody asks for anything: more than a poor server can hold. */
async function openIdle(port: number, stack: DisposableStack): Promise<void> {
  for (const _ of numbers(DESCRIPTORS)) {
    try {
      stack.use(await Deno.connect({ hostname: "127.0.0.1", port }));
    } catch {
      // It does not listen just now.
    }
  }
}

Deno.test(
  "a server whose descriptors ran out serves again when they are there again",
  LINUX,
  async () => {
    await inFolder(async (folder) => {
      await using hub = await startPoor(`${folder}/kv.sqlite3`);
      await using ann = await TestClient.join(hub.url, "/rooms/lobby/ws?user=ann");
      {
        using idle = new DisposableStack();
        await openIdle(hub.port, idle);
        await hub.logged("accept_failed");
        // Who is in stays in.
        await ann.store("meanwhile");
      }
      await untilAnswers(hub.url);
      await using bob = await TestClient.join(hub.url, "/rooms/lobby/ws?user=bob");
      assertEquals(bob.said, ["meanwhile"]);
      await ann.store("after");
      assertEquals((await hub.stop("SIGTERM")).code, 0);
    });
  },
);

Deno.test(
  "a server whose descriptors others hold on to closes all connections, and serves",
  LINUX,
  async () => {
    await inFolder(async (folder) => {
      await using hub = await startPoor(`${folder}/kv.sqlite3`);
      await using ann = await TestClient.join(hub.url, "/rooms/lobby/ws?user=ann");
      await ann.store("hello");
      using idle = new DisposableStack();
      await openIdle(hub.port, idle);
      // They are not given back.
      await untilAnswers(hub.url);
      await hub.logged("connections_closed");
      assertEquals((await ann.closed).code, 1001);
      await using again = await TestClient.join(hub.url, "/rooms/lobby/ws?user=ann");
      assertEquals(again.said, ["hello"]);
      assertEquals((await hub.stop("SIGTERM")).code, 0);
    });
  },
);

for (const error of ["ECONNABORTED", "EPROTO", "ENOBUFS", "ENETDOWN", "EMFILE"]) {
  for (const mode of ["start", "start:parallel"]) {
    Deno.test(`${mode} listens again after accept failed once with ${error}`, STRACE, async () => {
      await inFolder(async (folder) => {
        const kv = `${folder}/kv.sqlite3`;
        const env = { HUBBUB_KV: kv, DENO_JOBS: "2" };
        await using hub = mode === "start"
          ? await HubProcess.start(env)
          : await HubProcess.start(env, await parallelArgs(kv));
        await using ann = await TestClient.join(hub.url, "/rooms/lobby/ws?user=ann");
        await using injection = new Injection(hub.pid, `accept4:error=${error}:when=1`);
        if (!await injection.attached) return console.warn(NOT_ATTACHED);
        // Each comes to a thread of its own; where accept fails, nobody answers.
        for (const _ of numbers(4)) {
          await fetch(`${hub.url}/health`).then((response) => response.body?.cancel(), () => {});
        }
        await hub.logged("accept_failed");
        await hub.logged("listening_again");
        await injection.end();
        for (const _ of numbers(8)) await untilAnswers(hub.url);
        await ann.store("still here");
        assertEquals((await hub.stop("SIGTERM")).code, 0);
      });
    });
  }
}

/** A server without a network, which a test ends as it likes. */
interface FakeServer {
  readonly fail: (error: Error) => void;
  readonly request: () => Promise<Response>;
  isShutDown: boolean;
}

class FakeListening {
  readonly servers: FakeServer[] = [];
  /** Thrown instead of listening. */
  refusal: Error | undefined;
  /** Called before that. */
  onRefusal = () => {};
  closed = 0;
  readonly events: string[] = [];
  readonly listener: Listener;

  constructor(options: Partial<ListenerOptions> = {}) {
    const serve: ListenerOptions["serve"] = ({ port }, handler) => {
      if (this.refusal) {
        this.onRefusal();
        throw this.refusal;
      }
      const { promise, reject } = Promise.withResolvers<void>();
      const addr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: port || 8000 };
      const info = { remoteAddr: addr, completed: Promise.resolve() };
      const server: FakeServer = {
        fail: reject,
        request: () => handler(new Request("http://localhost/"), info),
        isShutDown: false,
      };
      this.servers.push(server);
      const shutdown = () => {
        server.isShutDown = true;
        return Promise.resolve();
      };
      return { addr, finished: promise, shutdown };
    };
    this.listener = new Listener(() => Promise.resolve(new Response("ok")), {
      hostname: "127.0.0.1",
      port: 0,
      reusePort: false,
      logger: (_level, event) => void this.events.push(event),
      onClosed: () => this.closed++,
      serve,
      ...options,
    });
  }

  /** Waits until something holds. */
  async until(holds: () => boolean): Promise<void> {
    const until = performance.now() + 10_000;
    while (!holds()) {
      assert(performance.now() < until, `${this.events}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

const ABORTED = new Error("Software caused connection abort (os error 103)");
const NO_DESCRIPTOR = new Error("Too many open files (os error 24)");

Deno.test("Listener gives up once where it cannot listen again, and says so", async () => {
  const fake = new FakeListening({ giveUpMs: 50 });
  fake.refusal = new Error("Address already in use (os error 98)");
  fake.servers[0].fail(ABORTED);
  await fake.until(() => fake.closed > 0);
  assertEquals([fake.closed, fake.events], [1, ["accept_failed"]]);
});

Deno.test("Listener gives up where each new one fails too", async () => {
  const fake = new FakeListening({ giveUpMs: 50 });
  while (fake.closed === 0) {
    const { length } = fake.servers;
    fake.servers[length - 1].fail(ABORTED);
    await fake.until(() => fake.servers.length > length || fake.closed > 0);
  }
  assertEquals(fake.closed, 1);
});

Deno.test("Listener forgets failures when a request comes", async () => {
  const fake = new FakeListening({ giveUpMs: 50 });
  const startedAt = performance.now();
  while (performance.now() - startedAt < 200) {
    const { length } = fake.servers;
    fake.servers[length - 1].fail(ABORTED);
    await fake.until(() => fake.servers.length > length || fake.closed > 0);
    assertEquals(fake.closed, 0);
    assertEquals((await fake.servers[length].request()).status, 200);
  }
});

Deno.test("Listener closes connections where descriptors stay away, and only then", async () => {
  for (const [error, closes] of [[NO_DESCRIPTOR, true], [ABORTED, false]] as const) {
    const fake = new FakeListening({ closeConnectionsMs: 20, giveUpMs: 200 });
    while (fake.closed === 0 && !fake.events.includes("connections_closed")) {
      const { length } = fake.servers;
      fake.servers[length - 1].fail(error);
      await fake.until(() => fake.servers.length > length || fake.closed > 0);
    }
    assertEquals(fake.servers[0].isShutDown, closes);
    await fake.listener.shutdown();
  }
});

Deno.test("Listener gives closed connections time to help, and gives up where they do not", async () => {
  const closeConnectionsMs = 20;
  const giveUpMs = 500;
  let helps = true;
  const fake: FakeListening = new FakeListening({
    closeConnectionsMs,
    giveUpMs,
    logger(_level, event) {
      fake.events.push(event);
      if (event === "connections_closed" && helps) fake.refusal = undefined;
    },
  });
  fake.refusal = NO_DESCRIPTOR;
  // On a machine that is busy, the next look comes when it would be given up.
  fake.onRefusal = () => busyFor(giveUpMs + 100);
  fake.servers[0].fail(NO_DESCRIPTOR);
  await fake.until(() => fake.servers.length > 1 || fake.closed > 0);
  assertEquals([fake.closed, (await fake.servers[1].request()).status], [0, 200]);
  fake.onRefusal = () => {};
  helps = false;
  fake.refusal = NO_DESCRIPTOR;
  fake.servers[1].fail(NO_DESCRIPTOR);
  await fake.until(() => fake.closed > 0);
  const closed = fake.events.filter((event) => event === "connections_closed").length;
  assert(closed >= 2, `${fake.events}`);
});

/** Keeps this thread from everything else. */
function busyFor(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

Deno.test("Listener does not listen again after shutdown()", async () => {
  const fake = new FakeListening();
  await fake.listener.shutdown();
  assertEquals(fake.servers[0].isShutDown, true);
  fake.servers[0].fail(ABORTED);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals([fake.servers.length, fake.closed, fake.events], [1, 0, []]);
});

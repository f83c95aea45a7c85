import { assert, assertEquals } from "@std/assert";
import type { Message } from "@hubbub/hub";
import { failToStart, HubProcess } from "../helpers/hub_process.ts";
import { hasStrace, Injection, NOT_ATTACHED } from "../helpers/injection.ts";
import { eventually } from "../helpers/patience.ts";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { numbers } from "../helpers/stored_lines.ts";
import { TestClient } from "../helpers/test_client.ts";
import { pause } from "../helpers/test_isolates.ts";

const all = needs("net", "run", "read", "write", "env");
const STRACE = { ignore: !hasStrace() };
const JOIN = "/rooms/lobby/ws?user=";
const UNLIMITED = { HUBBUB_MESSAGES_PER_SECOND: "0" };

function start(kv: string, environment: Record<string, string> = {}): Promise<HubProcess> {
  return HubProcess.start({ HUBBUB_KV: kv, HOST: "127.0.0.1", ...environment });
}

/** Runs the server where it is not to start: its code, and its log. */
async function startInVain(environment: Record<string, string>) {
  const { code, lines } = await failToStart({ HUBBUB_KV: ":memory:", ...environment });
  return { code, events: lines.map((line) => JSON.parse(line)) };
}

/** A path for a database, in a folder of its own that goes with it. */
async function createKvPath(): Promise<{ path: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "hubbub-" });
  return {
    path: `${folder}/chat.sqlite3`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function history(url: string): Promise<Message[]> {
  const messages: Message[] = [];
  for (let after = "0".repeat(20);;) {
    const page = await fetch(`${url}/rooms/lobby/messages?limit=100&after=${after}`);
    const { messages: more }: { messages: Message[] } = await page.json();
    if (more.length === 0) return messages;
    messages.push(...more);
    assert(after < more[more.length - 1].cursor, "the log goes in circles");
    after = more[more.length - 1].cursor;
  }
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(
    `${signal} stops the server in order, and it starts again where it was`,
    all,
    async () => {
      await using kv = await createKvPath();
      let before: Message[];
      {
        await using server = await start(kv.path, UNLIMITED);
        await using ann = await TestClient.join(server.url, JOIN + "ann");
        await using bob = await TestClient.join(server.url, JOIN + "bob");
        // The signal comes while most of this is on its way.
        for (const text of numbers(2000)) ann.say(text, text);
        await bob.until(({ said }) => said.length > 0);
        const { tookMs, ...status } = await server.stop(signal);
        assertEquals([status.code, status.signal], [0, null]);
        assert(tookMs < 4000, `${tookMs} ms`);
        const events = server.lines.map((line) => JSON.parse(line));
        assertEquals(events.map(({ event }) => event), ["started", "stopping", "stopped"]);
        assertEquals(events.at(-1)?.late, undefined);
        assertEquals((await bob.closed).code, 4000);
        const [{ reconnect_after_ms: wait }] = bob.of("draining");
        assert(wait >= 0 && wait <= 30_000);
        assertEquals(bob.envelopes.at(-1)?.type, "draining");
        before = bob.messages;
        // Deno cuts a connection off (code 0) on which something arrives after the close.
        const { code } = await ann.closed;
        assert(code === 4000 || code === 0, `closed with ${code}`);
        assertEquals(ann.messages, before.slice(0, ann.messages.length));
        if (code === 4000) assertEquals(ann.messages.length, before.length);
        // What was not accepted was refused, each by its name, and nothing else was.
        const refused = ann.of("error").map(({ code, ref }) => `${code} ${ref}`);
        assertEquals(
          refused,
          numbers(refused.length, before.length).map((ref) => `draining ${ref}`),
        );
        assertEquals(before.map(({ text }) => text), numbers(before.length));
      }
      await using server = await start(kv.path);
      assertEquals(await history(server.url), before);
      await using cid = await TestClient.join(server.url, `${JOIN}cid&after=${before[0].cursor}`);
      assertEquals(cid.messages, before.slice(1));
      assertEquals(cid.joined?.recovered, true);
      cid.say("after the restart");
      await cid.until(({ said }) => said.includes("after the restart"));
      assertEquals((await history(server.url)).map(({ cursor }) => cursor).toSorted(), [
        ...before.map(({ cursor }) => cursor),
        cid.messages.at(-1)!.cursor,
      ]);
    },
  );
}

Deno.test("SIGTERM stops the server in time, also with members that are stuck", all, async () => {
  await using kv = await createKvPath();
  await using server = await start(kv.path, {
    ...UNLIMITED,
    HUBBUB_MAX_TEXT_BYTES: "60000",
  });
  using _stuck = await RawSocket.open(server.url + JOIN + "stuck");
  await using ann = await TestClient.join(server.url, JOIN + "ann&history=0");
  // Until the sockets' buffers are full and the server has closed it, which it will not notice.
  let count = 0;
  while (!ann.of("presence").some(({ status }) => status === "left")) {
    assert(count < 1000, "it never was too slow");
    for (const _ of numbers(10)) ann.say(count++ + "x".repeat(50_000));
    await ann.until(({ said }) => said.length === count);
  }
  // Another one, in whose buffers 5 MB of history wait.
  using _full = await RawSocket.open(server.url + JOIN + "full&history=100");
  const { tookMs, ...status } = await server.stop("SIGTERM");
  assertEquals(status.code, 0);
  assert(tookMs < 4000, `${tookMs} ms`);
  assertEquals((await ann.closed).code, 4000);
  assertEquals(server.events.at(-1)?.event, "stopped");
  assertEquals(server.events.at(-1)?.late, undefined);
});

Deno.test("SIGTERM lets the answers out to what was stored", all, async () => {
  await using kv = await createKvPath();
  const acknowledged: string[] = [];
  {
    await using server = await start(kv.path);
    const isUnderWay = Promise.withResolvers<void>();
    const post = async (user: string) => {
      for (let number = 0;; number++) {
        const text = `${user} ${number}`;
        const body = JSON.stringify({ user, text });
        const request = { method: "POST", body };
        const response = await fetch(`${server.url}/rooms/lobby/messages`, request);
        await response.body?.cancel();
        if (response.status !== 201) return;
        if (acknowledged.push(text) === 200) isUnderWay.resolve();
      }
    };
    // Each ends with a refusal, or finds nobody who listens.
    const posting = Promise.allSettled(numbers(40).map(post));
    await isUnderWay.promise;
    const { tookMs, ...status } = await server.stop("SIGTERM");
    assertEquals(status.code, 0);
    assert(tookMs < 4000, `${tookMs} ms`);
    await posting;
  }
  await using server = await start(kv.path);
  const stored = (await history(server.url)).map(({ text }) => text);
  assertEquals(stored.toSorted(), acknowledged.toSorted());
});

Deno.test("kill -9 loses nothing that was acknowledged", all, async () => {
  await using kv = await createKvPath();
  const acknowledged: Message[] = [];
  {
    await using server = await start(kv.path, UNLIMITED);
    await using ann = await TestClient.join(server.url, JOIN + "ann");
    for (const text of numbers(3000)) ann.say(text, text);
    await ann.until(({ said }) => said.length > 100);
    await server.stop("SIGKILL");
    await ann.closed;
    acknowledged.push(...ann.messages);
  }
  assert(acknowledged.length < 3000, "it was killed too late for this test");
  await using server = await start(kv.path, UNLIMITED);
  const stored = await history(server.url);
  assertEquals(stored.slice(0, acknowledged.length), acknowledged);
  assertEquals(stored.map(({ text }) => text), numbers(stored.length), "a beginning, in order");
  // The client comes back, resumes and sends again what was not acknowledged.
  const after = acknowledged[acknowledged.length - 1].cursor;
  await using ann = await TestClient.join(server.url, `${JOIN}ann&after=${after}`);
  for (const text of numbers(200, acknowledged.length)) ann.say(text, text);
  const last = String(acknowledged.length + 199);
  await ann.until(({ said }) => said.includes(last));
  const texts = (await history(server.url)).map(({ text }) => text);
  assertEquals(texts.slice(0, acknowledged.length + 200), numbers(acknowledged.length + 200));
});

Deno.test("A signal that comes twice is one", all, async () => {
  await using server = await start(":memory:");
  await using ann = await TestClient.join(server.url, JOIN + "ann");
  // As Ctrl+C does: from the terminal, and from the process that runs the task.
  const first = server.stop("SIGINT");
  const second = server.stop("SIGINT").catch(() => undefined);
  assertEquals((await first).code, 0);
  await second;
  assertEquals((await ann.closed).code, 4000);
  assertEquals(ann.of("draining").length, 1);
});

Deno.test(
  "a stop ends also while the disk hangs, and a second signal ends it at once",
  STRACE,
  async () => {
    for (const isSignalledTwice of [false, true]) {
      await using kv = await createKvPath();
      await using server = await start(kv.path);
      await using ann = await TestClient.join(server.url, JOIN + "ann");
      await ann.store("before");
      await using injection = new Injection(server.pid, "fsync,fdatasync:delay_enter=60000000");
      if (!await injection.attached) return console.warn(NOT_ATTACHED);
      ann.say("this one hangs");
      // Before it has come, the server would stop in order.
      await eventually(async () => {
        const text = await (await fetch(`${server.url}/metrics`)).text();
        return /^hubbub_messages_received_total 2$/m.test(text);
      }, "the message to be received");
      const startedAt = performance.now();
      server.signal("SIGTERM");
      if (isSignalledTwice) {
        await server.logged("stopping");
        await pause(600);
        server.signal("SIGTERM");
      }
      const { reason } = await server.logged("stopped", 10_000);
      const tookMs = performance.now() - startedAt;
      assert(tookMs < 6_000, `${tookMs} ms`);
      assertEquals(reason, isSignalledTwice ? "a second signal" : undefined);
      // strace holds on to a process that it delays, also where that has ended.
      await injection.end("SIGKILL");
      assertEquals((await server.end()).code, isSignalledTwice ? 1 : 0);
    }
  },
);

Deno.test("The server does not start where it cannot, and says why in a line", all, async () => {
  const { code, events } = await startInVain({ PORT: "eighty" });
  assertEquals(code, 1);
  assertEquals(events.map(({ level, event }) => [level, event]), [["error", "bad_configuration"]]);
  assertEquals(
    events[0].error,
    'RangeError: PORT must be a number from 0 to 65535, not "eighty"',
  );
  const nowhere = await startInVain({ HUBBUB_KV: "/nowhere/at/all/chat.sqlite3" });
  assertEquals([nowhere.code, nowhere.events[0].event], [1, "kv_failed"]);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const busy = await startInVain({ PORT: String(taken.addr.port) });
  assertEquals([busy.code, busy.events[0].event], [1, "listen_failed"]);
});

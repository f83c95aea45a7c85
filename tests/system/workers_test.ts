import { assert, assertEquals, assertThrows } from "@std/assert";
import { workerCount } from "@hubbub/hub/service";
import { failToStart, HubProcess } from "../helpers/hub_process.ts";
import { fetchJson, parallelArgs, startParallel, withFolder } from "../helpers/parallel_server.ts";
import { needs } from "../helpers/permissions.ts";
import { numbers } from "../helpers/stored_lines.ts";
import { Talker } from "../helpers/talker.ts";
import { eventually } from "../helpers/patience.ts";
import { pause } from "../helpers/test_isolates.ts";

const processes = needs("run", "net", "read", "write", "env");
const PAUSE = { ignore: processes.ignore || Deno.build.os === "windows" };

Deno.test("workerCount() takes a whole number, and the processors where there is none", () => {
  for (const [text, count] of [["1", 1], [" 4 ", 4], ["999", 999]] as const) {
    assertEquals(workerCount(text), count);
  }
  for (const text of [undefined, "", " "]) {
    assertEquals(workerCount(text), navigator.hardwareConcurrency);
  }
  for (const text of ["0", "-1", "1.5", "1e1", "0x4", "four", "1000", "4 4", "٤"]) {
    const message = `DENO_JOBS must be a whole number from 1 to 999, not "${text}"`;
    assertThrows(() => workerCount(text), RangeError, message);
  }
});

/** Environments in which several isolates cannot start, with the event that says so, and why. */
const HOPELESS: [Readonly<Record<string, string>>, string, string][] = [
  [{ DENO_JOBS: "many" }, "bad_configuration", "DENO_JOBS must be a whole number"],
  [{ HUBBUB_KV: ":memory:" }, "bad_configuration", 'HUBBUB_KV must not be ":memory:"'],
  [{ PORT: "http" }, "bad_configuration", "PORT must be a number"],
  [{ HUBBUB_KV: "/nowhere/at/all.sqlite3" }, "kv_failed", "No such file or directory"],
];

for (const [environment, event, reason] of HOPELESS) {
  const [[name, value]] = Object.entries(environment);
  Deno.test(`start:parallel with ${name}=${value} says what is wrong, and ends with 1`, {
    ...processes,
  }, async () => {
    await withFolder(async (kv) => {
      const env = { HUBBUB_KV: kv, DENO_JOBS: "3", ...environment };
      const { code, lines } = await failToStart(env, await parallelArgs(env.HUBBUB_KV));
      assertEquals(code, 1);
      const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === "error");
      assertEquals(errors.length, 1, lines.join("\n"));
      assertEquals(errors[0].event, event);
      assert(
        JSON.stringify(errors[0].error).includes(JSON.stringify(reason).slice(1, -1)),
        lines[0],
      );
      if (event === "bad_configuration") assertEquals(lines.length, 1);
    });
  });
}

Deno.test(
  "start:parallel does not share its port with another server",
  { ...processes },
  async () => {
    await withFolder(async (kv) => {
      await using server = await startParallel(kv);
      const env = { PORT: new URL(server.url).port, HUBBUB_KV: `${kv}-2`, DENO_JOBS: "2" };
      const { code, lines } = await failToStart(env, await parallelArgs(env.HUBBUB_KV));
      assertEquals([code, lines.length], [1, 1], lines.join("\n"));
      const { event, port } = JSON.parse(lines[0]);
      assertEquals([event, String(port)], ["listen_failed", env.PORT]);
      assertEquals((await fetchJson<{ status: string }>(`${server.url}/health`)).status, "ok");
    });
  },
);

function dyingArgs(kv: string): string[] {
  const allowed = ["--allow-net", "--allow-env", "--allow-read", `--allow-write=${kv}`];
  return ["run", "--no-prompt", ...allowed, "tests/helpers/dying_isolates.ts"];
}

for (
  const [death, event, reason] of [
    ["throwing", "isolate_died", "a module that throws"],
    ["refusing to listen", "listen_failed", "no more sockets"],
  ]
) {
  Deno.test(
    `an isolate that dies ${death} at the start ends the process`,
    { ...processes },
    async () => {
      await withFolder(async (kv) => {
        const env = { HUBBUB_KV: kv, DEATH: death };
        const { code, lines } = await failToStart(env, dyingArgs(kv));
        assertEquals(code, 1);
        assertError(lines, event, reason);
      });
    },
  );
}

for (
  const [death, event, reason] of [
    ["closing", "isolate_died", "It has ended by itself"],
    ["exiting", "isolate_died", "It has ended by itself"],
    ["hanging", "isolate_died", "It has not answered for "],
    ["closing its listener", "listener_closed", "The listener is closed for good"],
  ]
) {
  Deno.test(`an isolate that dies by ${death} ends the process, and clients come back`, {
    ...processes,
  }, async () => {
    await withFolder(async (kv) => {
      const env = { HUBBUB_KV: kv, DEATH: death, DEATH_FILE: `${kv}.death` };
      await using server = await HubProcess.start(env, dyingArgs(kv));
      // Enough for some to be with the isolate that lives.
      const talkers = numbers(20).map((index) => new Talker(`user${index}`, "lobby"));
      await Promise.all(talkers.map((talker) => talker.join(server.url)));
      for (const talker of talkers) talker.say("1", "hello");
      await Promise.all(
        talkers.map((talker) => talker.until(({ confirmed }) => confirmed.size === 1)),
      );
      await Deno.writeTextFile(env.DEATH_FILE, "now");
      const { code, signal } = await server.end();
      assertEquals([code, signal], [1, null]);
      assertDeath(server.lines, event, reason);
      // Those whose isolate lived are told to come back, the others see the connection break.
      const codes = await Promise.all(talkers.map(async ({ closed }) => (await closed).code));
      assert(codes.every((code) => code === 4000 || code < 2000), `${codes}`);
      assert(codes.includes(4000), `${codes}`);
      // As a supervisor would.
      await using again = await startParallel(kv);
      await Promise.all(talkers.map((talker) => talker.join(again.url)));
      for (const talker of talkers) {
        assertEquals(talker.recovered, [true]);
        await talker.until(({ messages }) => messages.length === 20);
        assertEquals(talker.messages, talkers[0].messages);
        await talker.leave();
      }
    });
  });
}

/** Checks that one line says which isolate died and why, and that the others stopped in order. */
function assertDeath(lines: readonly string[], event: string, reason: string): void {
  assertError(lines.filter((line) => !line.includes('"accept_failed"')), event, reason);
  const events = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  assertEquals(events.at(-1).event, "stopped");
}

/** Checks that one line says which isolate failed and why. */
function assertError(lines: readonly string[], event: string, reason: string): void {
  const events = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const errors = events.filter(({ level }) => level === "error");
  assertEquals(errors.length, 1, lines.join("\n"));
  assertEquals([errors[0].event, errors[0].isolate], [event, "isolate 2"]);
  assert(JSON.stringify(errors[0].error).includes(reason), JSON.stringify(errors[0]));
}

Deno.test("several isolates go on after a pause of the whole process", PAUSE, async () => {
  await withFolder(async (kv) => {
    const env = { HUBBUB_KV: kv, DEATH: "never", DEATH_FILE: kv };
    await using server = await HubProcess.start(env, dyingArgs(kv));
    const talker = new Talker("ann", "lobby");
    await talker.join(server.url);
    // Longer than the time without an answer after which an isolate of this test counts as dead.
    server.signal("SIGSTOP");
    await pause(3_000);
    server.signal("SIGCONT");
    talker.say("1", "still here");
    await talker.until(({ confirmed }) => confirmed.size === 1);
    // Several pings later.
    await pause(500);
    assertEquals((await fetchJson<{ status: string }>(`${server.url}/health`)).status, "ok");
    await talker.leave();
    assertEquals((await server.stop("SIGTERM")).code, 0);
    const errors = server.events.filter(({ level }) => level === "error");
    assertEquals(errors, []);
  });
});

Deno.test("an error that nobody catches in an isolate is logged, and ends nothing", {
  ...processes,
}, async () => {
  await withFolder(async (kv) => {
    const env = { HUBBUB_KV: kv, DEATH: "failing in a timer", DEATH_FILE: kv };
    await using server = await HubProcess.start(env, dyingArgs(kv));
    await eventually(() => server.lines.some((line) => line.includes('"uncaught"')), "the line");
    const asked = numbers(8).map(() => fetchJson<{ status: string }>(`${server.url}/health`));
    for (const { status } of await Promise.all(asked)) assertEquals(status, "ok");
    assertEquals((await server.stop("SIGTERM")).code, 0);
  });
});

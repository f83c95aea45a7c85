// What a person types: the tasks, with paths as people have them, from an empty cache, at a terminal.

import { assert, assertEquals, assertMatch } from "@std/assert";
import configuration from "../../deno.json" with { type: "json" };
import { inFolder } from "../helpers/folder.ts";
import { failToStart, HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";
import { post } from "../helpers/requests.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { hasCommand, Shell } from "../helpers/shell.ts";
import { numbers } from "../helpers/stored_lines.ts";

const ALL = needs("net", "run", "read", "write", "env");
const LINUX = { ignore: ALL.ignore || Deno.build.os !== "linux" };
const TERMINAL = { ignore: LINUX.ignore || !await hasCommand("script") };
const STARTED = /"event":"started","url":"([^"]+)"/;

Deno.test("no task is a line that nobody can read", () => {
  for (const [name, task] of Object.entries(configuration.tasks)) {
    const { length } = "command" in task ? task.command : "";
    assert(length < 400, `${name} has ${length} characters`);
  }
});

for (const task of ["start", "start:parallel"]) {
  Deno.test(`deno task ${task} takes a path with spaces and quotes`, ALL, async () => {
    await inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/my "chat"`);
      const kv = `${folder}/my "chat"/a $b h.sqlite3`;
      const env = { PORT: "0", DENO_JOBS: "2", HUBBUB_KV: kv };
      await using shell = new Shell(`deno task ${task}`, { env });
      const [, url] = await shell.until(STARTED);
      const response = await post(url.replace(/\/$/, ""), '{"user":"ann","text":"hello"}');
      await response.body?.cancel();
      assertEquals(response.status, 201);
      assert((await Deno.stat(kv)).isFile);
      assertEquals((await shell.stop("SIGTERM")).success, true, shell.output);
    });
  });
}

Deno.test("deno task start refuses a path that Deno cannot grant, with a line", ALL, async () => {
  await using shell = new Shell("deno task start", { env: { PORT: "0", HUBBUB_KV: "a,b" } });
  await shell.until(/HUBBUB_KV cannot be "a,b": Deno can grant no path with a comma/);
});

Deno.test("--help says what there is, and starts nothing", ALL, async () => {
  for (const file of ["main.ts", "parallel.ts"]) {
    const help = await Shell.run(`"${Deno.execPath()}" run --no-prompt ${file} --help`);
    assertMatch(help, /deno task NAME[\s\S]+HUBBUB_KV[\s\S]+docs\/configuration\.md/);
  }
  const { code, lines } = await failToStart({}, ["run", "--no-prompt", "-E", "main.ts", "--prot"]);
  assertEquals([code, lines.length], [1, 1]);
  assertMatch(lines[0], /"bad_configuration".+There is no argument/);
});

Deno.test("a start at a terminal says so to people", TERMINAL, async () => {
  await inFolder(async (folder) => {
    const env = { PORT: "0", HUBBUB_KV: `${folder}/kv.sqlite3` };
    const server = `"${Deno.execPath()}" run --no-prompt -A main.ts`;
    await using shell = new Shell(`script -qec '${server}' /dev/null`, { env });
    const [, url] = await shell.until(/Hubbub is at (http:\S+) \(open.*\)\. Messages are kept in/);
    assertEquals((await (await fetch(`${url}health`)).json()).status, "ok");
    await shell.stop("SIGTERM");
  });
});

Deno.test("connections are limited to what descriptors there are", LINUX, async () => {
  await inFolder(async (folder) => {
    assert(configuration.tasks.start.command.endsWith(" $MAIN"));
    // As the task does, with few open files; the shell becomes the server.
    const main = '$("$0" run --no-config -A tools/entry.ts main.ts)';
    const line = `ulimit -n 120 && exec "$0" run --no-prompt -A ${main}`;
    const env = { HUBBUB_KV: `${folder}/kv.sqlite3`, HUBBUB_MAX_CONNECTIONS: "500" };
    await using hub = await HubProcess.start(env, ["-c", line, Deno.execPath()], "sh");
    const started = await hub.logged("started");
    const { max_connections: max } = started;
    assert(typeof max === "number" && max < 100, `${max}`);
    await hub.logged("few_descriptors");
    await using sockets = new AsyncDisposableStack();
    const statuses: number[] = [];
    for (const i of numbers(130)) {
      const socket = await RawSocket.open(`${hub.url}/rooms/lobby/ws?user=user${i}`);
      statuses.push(socket.status);
      if (socket.status === 101) sockets.use(socket);
      else socket[Symbol.dispose]();
    }
    assertEquals(statuses.filter((status) => status === 101).length, max);
    assertEquals(statuses.filter((status) => status === 503).length, 130 - max);
    assertEquals(hub.events.filter(({ event }) => event === "accept_failed"), []);
  });
});

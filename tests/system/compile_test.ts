import { assertEquals, assertMatch } from "@std/assert";
import configuration from "../../deno.json" with { type: "json" };
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";
import { TestClient } from "../helpers/test_client.ts";

/** Milliseconds that Deno has to fetch what it makes executables of. */
const FETCH_MS = 120_000;
const ALLOW = ["--allow-net", "--allow-env", "--allow-read", "--allow-write"];

const NEEDS = needs("net", "run", "read", "write", "env");
const COMPILER = { ignore: NEEDS.ignore || !await canCompile() };

/** Deno fetches its runtime for executables when it first makes one. */
async function canCompile(): Promise<boolean> {
  return await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.js`, "");
    const args = ["compile", "--no-config", "--output", `${folder}/a`, `${folder}/a.js`];
    const { success, stderr } = await run(Deno.execPath(), args);
    if (!success) {
      const why = /error sending request for url \([^)]*\)/.exec(stderr)?.[0] ?? stderr.trim();
      console.warn(`The test of "deno task compile" is ignored, because "deno compile": ${why}`);
    }
    return success;
  });
}

async function run(
  command: string,
  args: string[],
): Promise<{ success: boolean; stderr: string }> {
  const signal = AbortSignal.timeout(FETCH_MS);
  const env = { NO_COLOR: "1" };
  const output = await new Deno.Command(command, { args, env, signal, stdin: "null" }).output();
  return { success: output.success, stderr: new TextDecoder().decode(output.stderr) };
}

/** Runs the steps of `deno task compile`, with another folder for what they make. */
async function make(folder: string, steps: number): Promise<void> {
  const commands = configuration.tasks.compile.command.split(" && ").slice(0, steps);
  const line = commands.join(" && ").replaceAll("build/", `${folder}/`);
  const { success, stderr } = await run("sh", ["-c", line]);
  assertEquals([success, stderr.includes("error")], [true, false], stderr);
}

/** Starts it in a folder without any source, and sees that it serves and stops. */
async function exercise(folder: string, command: string, args: string[]): Promise<void> {
  const environment = { HUBBUB_KV: `${folder}/kv.sqlite3`, NO_COLOR: "1" };
  // The shell goes to the folder, and becomes the command.
  const shellArgs = ["-c", 'cd "$0" && exec "$@"', folder, command, ...args];
  for (const said of [["hello"], ["hello", "hello"]]) {
    await using hub = await HubProcess.start(environment, shellArgs, "sh");
    const page = await fetch(`${hub.url}/`);
    assertEquals(page.status, 200);
    assertMatch(await page.text(), /<!doctype html>/i);
    await using ann = await TestClient.join(hub.url, "/rooms/lobby/ws?user=ann");
    ann.say("hello");
    await ann.until((client) => client.said.length === said.length);
    assertEquals(ann.said, said);
    assertEquals((await hub.stop("SIGTERM")).code, 0);
    assertEquals((await ann.closed).code, 4000);
  }
}

Deno.test("what is compiled is one file with the page inside", NEEDS, async () => {
  await inFolder(async (folder) => {
    await make(folder, 1);
    const flags = ["--no-config", "--no-remote", "--no-npm", "--unstable-kv", "--unstable-net"];
    await exercise(folder, Deno.execPath(), ["run", ...flags, ...ALLOW, `${folder}/hubbub.js`]);
  });
});

Deno.test("deno task compile makes an executable that serves and stops", COMPILER, async () => {
  await inFolder(async (folder) => {
    await make(folder, 2);
    await Deno.remove(`${folder}/hubbub.js`);
    await exercise(folder, `${folder}/hubbub`, []);
  });
});

import { assert, assertEquals, assertMatch } from "@std/assert";
import { VARIABLES } from "@hubbub/hub";
import { CLOSE_CODES } from "@hubbub/hub/protocol";
import configuration from "../deno.json" with { type: "json" };
import { inFolder } from "./folder.ts";
import { HubProcess } from "./hub_process.ts";
import { needs } from "./permissions.ts";
import { isThere, Readme } from "./readme.ts";
import { Shell } from "./shell.ts";

const READ = needs("read");
const ALL = needs("net", "run", "read", "write", "env");

/** What the README tells to type, and this test cannot: each with its reason. */
const NOT_RUN: readonly [RegExp, string][] = [
  [/^(git|cd|cp|mkdir|sudo|systemctl|useradd|journalctl|tail|kill)\b/, "changes the machine"],
  [/^docker\b/, "needs a Docker daemon"],
  [/^deno deploy\b/, "needs an account"],
  [/^(\.\/)?build\/hubbub\b|^deno task compile$/, "compile_test.ts"],
  [
    /^deno task (test|ok|check|abuse|agreement|bench|compare|curves|page|dev)\b/,
    "is work, or takes long",
  ],
  [/^deno add\b/, "the package is not published yet"],
];

/** Commands that a test below runs. */
const RUN = [
  /^curl (-N )?"?http:\/\/127\.0\.0\.1:8000\//,
  /^npx -y wscat@[\d.]+ -c "ws:\/\/127\.0\.0\.1:8000\//,
  /^deno task start(:parallel)?$/,
];

const readme = READ.ignore ? new Readme("") : Readme.read();

/** Puts a server's address where the README has that of a server just started. */
function at(url: string, text: string): string {
  const host = new URL(url).host;
  return text.replaceAll(/(127\.0\.0\.1|localhost):8000/g, host);
}

function commands(pattern: RegExp): string[] {
  const found = readme.commands.filter((line) => pattern.test(line));
  assert(found.length > 0, `README has no command like ${pattern}`);
  return found;
}

function blockWith(language: string, text: string): string {
  const block = readme.blocks.find((block) => {
    return block.language === language && block.text.includes(text);
  });
  assert(block, `README has no ${language} with "${text}"`);
  return block.text;
}

/** Whether the shell knows a command; says so where it does not. */
async function hasCommand(name: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${name}`] }).output();
  if (!success) console.warn(`The test of README's ${name} is ignored: there is none here`);
  return success;
}

const CURL = { ignore: ALL.ignore || !await hasCommand("curl") };
// Elsewhere "script" takes other options.
const TERMINAL = {
  ignore: ALL.ignore || Deno.build.os !== "linux" || !await hasCommand("script"),
};

async function withHub(test: (hub: HubProcess) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    await using hub = await HubProcess.start({ HUBBUB_KV: `${folder}/kv.sqlite3` });
    await test(hub);
  });
}

Deno.test("README's files are there", READ, () => {
  assert(readme.files.length > 20, "hardly any file is named");
  assertEquals(readme.files.filter((path) => !isThere(path)), []);
});

Deno.test("README's commands are run by a test, or are known not to be", READ, () => {
  const known = [...RUN, ...NOT_RUN.map(([pattern]) => pattern)];
  const unknown = readme.commands.filter((line) => !known.some((pattern) => pattern.test(line)));
  assertEquals(unknown, []);
});

Deno.test("README's tasks are those of deno.json, with the Deno of its tests", READ, () => {
  const named = [...readme.text.matchAll(/deno(?:@([\d.]+))? task ([\w:]+)/g)];
  assert(named.length > 5);
  const ci = Deno.readTextFileSync(new URL("../.ci/run", import.meta.url));
  const version = /deno@([\d.]+)/.exec(ci)?.[1];
  for (const [, wanted, task] of named) {
    assert(task in configuration.tasks, `there is no task "${task}"`);
    if (wanted !== undefined) assertEquals(wanted, version);
  }
});

Deno.test("README's variables are those that are read", READ, () => {
  const rows = readme.chapter("Configuration").split("\n").filter((line) => line.startsWith("| `"));
  const names: string[] = [];
  for (const [, name] of rows.join("\n").matchAll(/^\| (.+?) +\|/gm)) {
    for (const [, word] of name.matchAll(/`([^`]+)`/g)) {
      // What is left out is what the name before has: A_PER_B, …_PER_C.
      names.push(word.replace("…", names.at(-1)?.replace(/_PER_\w+$/, "") ?? ""));
    }
  }
  assertEquals(names.toSorted(), [...VARIABLES, "DENO_JOBS"].toSorted());
  const mentioned = readme.text.match(/HUBBUB_\w+/g) ?? [];
  const known: readonly string[] = VARIABLES;
  assertEquals(mentioned.filter((name) => !known.includes(name)), []);
});

Deno.test("README's close codes are those of the protocol", READ, () => {
  const known: number[] = Object.values(CLOSE_CODES).map(({ code }) => code);
  const text = readme.text.replace(/\d{4}–\d{4}/g, "");
  const found = [
    ...text.matchAll(/\((4[05]\d\d) |\b(10\d\d)\b|with (4[05]\d\d)\b|, (4[05]\d\d) /g),
  ];
  const codes = new Set(found.map((match) => Number(match.slice(1).find(Boolean))));
  assertEquals([...codes].filter((code) => !known.includes(code)), []);
  const { draining, notAllowed, tooManyBadFrames, tooSlow } = CLOSE_CODES;
  for (const { code } of [draining, notAllowed, tooManyBadFrames, tooSlow]) {
    assert(codes.has(code), `${code} is not explained`);
  }
});

for (const task of ["start", "start:parallel"] as const) {
  Deno.test(`README's "deno task ${task}" starts the chat`, ALL, async () => {
    assert(readme.text.includes(`\`deno task ${task}\``));
    await inFolder(async (folder) => {
      await using shell = new Shell(`deno task ${task}`, {
        PORT: "0",
        DENO_JOBS: "2",
        HUBBUB_KV: `${folder}/kv.sqlite3`,
      });
      const [, url] = await shell.until(/"event":"started","url":"([^"]+)"/);
      const page = await fetch(url);
      assertEquals(page.status, 200);
      assertMatch(await page.text(), /<!doctype html>/i);
      // By Ctrl+C, as a person does.
      assertEquals((await shell.stop("SIGINT")).success, true, shell.output);
    });
  });
}

Deno.test("README's curl reads, writes and follows", CURL, async () => {
  await withHub(async ({ url }) => {
    const [follow] = commands(/^curl -N .*\/events/);
    const [post] = commands(/^curl .*\/messages" ?-d|^curl .*\/messages -d/);
    const [read] = commands(/^curl .*\/messages\?/);
    await using events = new Shell(at(url, follow));
    await events.until(/event: ?joined/);
    const { text } = JSON.parse(await Shell.run(at(url, post.replace(/^curl/, "curl -sS"))));
    const said = /"text":"(\w+)"/.exec(post)?.[1];
    assertEquals(text, said);
    await events.until(new RegExp(`"text":"${said}"`));
    const page = JSON.parse(await Shell.run(at(url, read.replace(/^curl/, "curl -sS"))));
    assertEquals(page.messages.map((message: { text: string }) => message.text), [said]);
  });
});

Deno.test("README's wscat chats", TERMINAL, async () => {
  await withHub(async ({ url }) => {
    const [ann, bob] = commands(/^npx -y wscat/).map((line) => {
      // A terminal of its own for each.
      return new Shell(`script -qec '${at(url, line)}' /dev/null`);
    });
    await using stack = new AsyncDisposableStack();
    stack.use(ann);
    stack.use(bob);
    for (const shell of [ann, bob]) await shell.until(/"type":"joined"/);
    const [typing, message] = ["typing_status", "chat_message"].map((type) => {
      const line = readme.words.find((word) => word.startsWith(`{"type":"${type}","payload":{"`));
      assert(line, `README has no ${type} to type`);
      return line;
    });
    await ann.type(typing);
    await bob.until(/"typing_status","payload":\{"user":"ann","status":true\}/);
    await ann.type(message);
    for (const shell of [ann, bob]) await shell.until(/"user":"ann","text":"hello"/);
  });
});

Deno.test("README's JavaScript chats", ALL, async () => {
  await withHub(async ({ url }) => {
    await using shell = new Shell("deno run --no-config --allow-net=127.0.0.1 -");
    await shell.type(at(url, blockWith("js", "new WebSocket")));
    await shell.endInput();
    await shell.until(/"user":"cleo","text":"hello"/);
  });
});

Deno.test("README's client chats", ALL, async () => {
  await withHub(async ({ url }) => {
    await using shell = new Shell("deno run --no-prompt --allow-net=127.0.0.1 -");
    await shell.type(at(url, blockWith("ts", "@hubbub/hub/client")));
    await shell.endInput();
    await shell.until(/^live$/m);
    const messages = `${url}/rooms/lobby/messages`;
    for (let said = false; !said;) {
      said = (await (await fetch(messages)).text()).includes('"user":"ann","text":"hello"');
    }
    const posted = await fetch(messages, { method: "POST", body: '{"user":"bob","text":"hi"}' });
    assertEquals((await posted.json()).text, "hi");
    await shell.until(/^bob hi$/m);
  });
});

Deno.test("README's own server has the chat beside a route of its own", ALL, async () => {
  await inFolder(async (folder) => {
    const allow =
      `--allow-net=127.0.0.1 --allow-env --allow-read=${folder} --allow-write=${folder}`;
    await using shell = new Shell(`deno run --no-prompt ${allow} -`, {
      DENO_KV_DEFAULT_PATH: `${folder}/kv.sqlite3`,
      DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
    });
    await shell.type(blockWith("ts", "Deno.serve("));
    await shell.endInput();
    const [, url] = await shell.until(/Listening on (http:\/\/127\.0\.0\.1:\d+)/);
    assertEquals(await (await fetch(`${url}/hello`)).text(), "my own route");
    const posted = await fetch(`${url}/rooms/lobby/messages`, {
      method: "POST",
      body: '{"user":"robot","text":"hello"}',
    });
    assertEquals([posted.status, (await posted.json()).text], [201, "hello"]);
  });
});

import { assert, assertEquals, assertMatch } from "@std/assert";
import { readConfiguration, VARIABLES } from "@hubbub/hub/service";
import * as protocol from "@hubbub/hub/protocol";
import configuration from "../../deno.json" with { type: "json" };
import { DEFAULT_CONNECTION_LIMITS } from "../../src/access/connection_limits.ts";
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";
import { isThere, Readme } from "../helpers/readme.ts";
import { Shell } from "../helpers/shell.ts";
import { TestClient } from "../helpers/test_client.ts";

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
  /^websocat "ws:\/\/127\.0\.0\.1:8000\//,
  /^deno task start(:parallel)?$/,
  /^deno run --allow-net main\.ts$/,
];

const readme = READ.ignore ? new Readme("") : Readme.read();

/** Puts a server's address where the README has that of a server just started. */
function at(url: string, text: string): string {
  const host = new URL(url).host;
  return text.replaceAll(/(127\.0\.0\.1|localhost):8000/g, host);
}

/** The commands that a test runs: all that there are of their kind, so that none is left out. */
function commands(pattern: RegExp, count = 1): string[] {
  const found = readme.commands.filter((line) => pattern.test(line));
  assertEquals(found.length, count, `README's commands like ${pattern}`);
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
const WEBSOCAT = { ignore: ALL.ignore || !await hasCommand("websocat") };
// Elsewhere "script" takes other options.
const TERMINAL = {
  ignore: ALL.ignore || Deno.build.os !== "linux" || !await hasCommand("script"),
};

/** What the README tells to type into a client: a sign of typing, and a message. */
function lines(): string[] {
  return ["typing_status", "chat_message"].map((type) => {
    const line = readme.words.find((word) => word.startsWith(`{"type":"${type}","payload":{"`));
    assert(line, `README has no ${type} to type`);
    return line;
  });
}

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
  const ci = Deno.readTextFileSync(new URL("../../.ci/run", import.meta.url));
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

Deno.test("README's defaults are those that hold", READ, () => {
  const { port, host, maxTextBytes, messagesPerSecond, ...other } = readConfiguration(() =>
    undefined
  );
  const { maxConnectionsPerAddress, maxConnectionsPerRoom, maxConnectionsPerUser } =
    DEFAULT_CONNECTION_LIMITS;
  const counts = [maxConnectionsPerAddress, maxConnectionsPerRoom, maxConnectionsPerUser];
  const defaults: Record<string, string> = {
    PORT: `${port}, ${host}`,
    HUBBUB_KV: `the assigned database on Deno Deploy, \`${other.kv}\` elsewhere`,
    HUBBUB_JWT_SECRET: "none: open hub",
    HUBBUB_PROXIES: String(other.proxies),
    HUBBUB_MAX_TEXT_BYTES: String(maxTextBytes),
    HUBBUB_MESSAGES_PER_SECOND: `${messagesPerSecond}, bursts of ${2 * messagesPerSecond}`,
    HUBBUB_MAX_CONNECTIONS: other.maxConnections.toLocaleString("en"),
    HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: counts.map((count) => count.toLocaleString("en"))
      .join(", "),
  };
  assertEquals([other.tokens, other.retentionMs, other.origins], [undefined, undefined, []]);
  const chapter = readme.chapter("Configuration");
  for (const [name, value] of Object.entries(defaults)) {
    const [, found] = new RegExp(`^\\| \`${name}\`[^|]*\\| (.*?) +\\|`, "m").exec(chapter) ?? [];
    assertEquals(found, value, name);
  }
});

Deno.test("README's envelopes and numbers are those of the protocol", READ, () => {
  // Complete, or this is an error of types.
  const to: Record<protocol.ClientEnvelope["type"], true> = {
    chat_message: true,
    typing_status: true,
    ping: true,
    authenticate: true,
  };
  const from: Record<Exclude<protocol.ServerEnvelope["type"], "pong">, true> = {
    chat_message: true,
    typing_status: true,
    joined: true,
    presence: true,
    error: true,
    draining: true,
  };
  const chapter = readme.chapter("Protocol, version 1");
  const rows = [...chapter.matchAll(/^\| (both|from|to) +\| `(\w+)`/gm)];
  const named = (direction: string) => {
    return rows.filter(([, way]) => way === direction || way === "both").map(([, , type]) => type);
  };
  assertEquals(named("to").toSorted(), Object.keys(to).toSorted());
  assertEquals(named("from").toSorted(), Object.keys(from).toSorted());
  assert(readme.words.includes("pong"));
  const { HISTORY_DEFAULT, HISTORY_MAX, PAGE_DEFAULT, PAGE_MAX } = protocol;
  assert(chapter.includes(`default ${HISTORY_DEFAULT}, at most ${HISTORY_MAX}`));
  assert(chapter.includes(`default ${PAGE_DEFAULT}, at most ${PAGE_MAX}`));
  assert(readme.text.includes(`the last ${HISTORY_DEFAULT} messages, oldest first`));
  assert(readme.text.includes(`the room's last ${protocol.DEDUPLICATION_WINDOW} messages`));
  assert(readme.text.includes(`within ${protocol.TYPING_TIMEOUT_MS / 1000} s of the last sign`));
});

Deno.test("README's close codes are those of the protocol", READ, () => {
  const known: number[] = Object.values(protocol.CLOSE_CODES).map(({ code }) => code);
  const text = readme.prose.replace(/\d{4}–\d{4}/g, "");
  const found = [
    ...text.matchAll(/\((4[05]\d\d) |\b(10\d\d)\b|with (4[05]\d\d)\b|, (4[05]\d\d) /g),
  ];
  const codes = new Set(found.map((match) => Number(match.slice(1).find(Boolean))));
  assertEquals([...codes].filter((code) => !known.includes(code)), []);
  const { draining, notAllowed, tooManyBadFrames, tooSlow } = protocol.CLOSE_CODES;
  for (const { code } of [draining, notAllowed, tooManyBadFrames, tooSlow]) {
    assert(codes.has(code), `${code} is not explained`);
  }
});

for (const task of ["start", "start:parallel"] as const) {
  Deno.test(`README's "deno task ${task}" starts the chat`, ALL, async () => {
    assert(readme.text.includes(`\`deno task ${task}\``));
    await inFolder(async (folder) => {
      const env = { PORT: "0", DENO_JOBS: "2", HUBBUB_KV: `${folder}/kv.sqlite3` };
      await using shell = new Shell(`deno task ${task}`, { env });
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
    commands(/^curl /, 3);
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
    const [ann, bob] = commands(/^npx -y wscat/, 2).map((line) => {
      // A terminal of its own for each.
      return new Shell(`script -qec '${at(url, line)}' /dev/null`);
    });
    await using stack = new AsyncDisposableStack();
    stack.use(ann);
    stack.use(bob);
    for (const shell of [ann, bob]) await shell.until(/"type":"joined"/);
    const [typing, message] = lines();
    await ann.type(typing);
    await bob.until(/"typing_status","payload":\{"user":"ann","status":true\}/);
    await ann.type(message);
    for (const shell of [ann, bob]) await shell.until(/"user":"ann","text":"hello"/);
  });
});

Deno.test("README's websocat chats", WEBSOCAT, async () => {
  await withHub(async ({ url }) => {
    const [line] = commands(/^websocat/);
    await using dan = new Shell(at(url, line));
    await using eve = new Shell(at(url, line.replace("user=dan", "user=eve")));
    for (const shell of [dan, eve]) await shell.until(/"type":"joined"/);
    const [typing, message] = lines();
    await dan.type(typing);
    await eve.until(/"typing_status","payload":\{"user":"dan","status":true\}/);
    await dan.type(message);
    for (const shell of [dan, eve]) await shell.until(/"user":"dan","text":"hello"/);
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
    const clone = new URL("../..", import.meta.url).pathname;
    const config = JSON.parse(blockWith("json", "@hubbub/hub"));
    // What the README says for where npm is reached and JSR is not.
    const links = readme.words.filter((word) => /^\.\.\/hubbub\/links\/std\/\w+$/.test(word));
    assert(links.length > 0);
    config.links = [...config.links, ...links].map((path) => path.replace("../hubbub/", clone))
      .map((path) => path.replace(/^\.\.\/hubbub$/, clone));
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
    await Deno.writeTextFile(`${folder}/main.ts`, blockWith("ts", "Deno.serve("));
    // Where Deno keeps a database without a path, no permission is needed; here it is.
    const files = `--allow-read=${folder} --allow-write=${folder}`;
    const [command] = commands(/^deno run /).map((line) => line.replace(" main.ts", ` ${files}$&`));
    const env = {
      DENO_KV_DEFAULT_PATH: `${folder}/kv.sqlite3`,
      DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
    };
    await using shell = new Shell(command, { env, folder });
    const [, url] = await shell.until(/Listening on (http:\/\/127\.0\.0\.1:\d+)/);
    assertEquals(await (await fetch(`${url}/hello`)).text(), "my own route");
    for (const path of ["/", "/r/lobby"]) {
      assertMatch(await (await fetch(url + path)).text(), /<!doctype html>/i);
    }
    await using ann = await TestClient.join(url, "/rooms/lobby/ws?user=ann");
    const posted = await fetch(`${url}/rooms/lobby/messages`, {
      method: "POST",
      body: '{"user":"robot","text":"hello"}',
    });
    assertEquals([posted.status, (await posted.json()).text], [201, "hello"]);
    await ann.until(({ said }) => said.length === 1);
    assertEquals((await shell.stop("SIGINT")).success, true, shell.output);
    assertEquals((await ann.closed).code, 4000);
  });
});

// What README.md and docs/protocol.md tell to type works as they say.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Document } from "../helpers/document.ts";
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";
import { hasCommand, Shell } from "../helpers/shell.ts";
import { TestClient } from "../helpers/test_client.ts";

const READ = needs("read");
const ALL = needs("net", "run", "read", "write", "env");

const readme = READ.ignore ? new Document("README.md", "") : Document.read("README.md");
const protocol = READ.ignore
  ? new Document("docs/protocol.md", "")
  : Document.read("docs/protocol.md");

/** Puts a server's address where the README has that of a server just started. */
function at(url: string, text: string): string {
  const host = new URL(url).host;
  return text.replaceAll(/(127\.0\.0\.1|localhost):8000/g, host);
}

/** The commands that a test runs: all that there are of their kind, so that none is left out. */
function commands(pattern: RegExp, count = 1, document = readme): string[] {
  const found = document.commands.filter((line) => pattern.test(line));
  assertEquals(found.length, count, `${document.path}'s commands like ${pattern}`);
  return found;
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

Deno.test("protocol.md's websocat chats", WEBSOCAT, async () => {
  await withHub(async ({ url }) => {
    const [line] = commands(/^websocat/, 1, protocol);
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

Deno.test("protocol.md's JavaScript chats", ALL, async () => {
  await withHub(async ({ url }) => {
    await using shell = new Shell("deno run --no-config --allow-net=127.0.0.1 -");
    await shell.type(at(url, protocol.block("js", "new WebSocket")));
    await shell.endInput();
    await shell.until(/"user":"cleo","text":"hello"/);
  });
});

Deno.test("README's client shows the history, its own message and what is live", ALL, async () => {
  await withHub(async ({ url }) => {
    const say = async (text: string) => {
      const body = JSON.stringify({ user: "bob", text });
      const response = await fetch(`${url}/rooms/lobby/messages`, { method: "POST", body });
      assertEquals((await response.json()).text, text);
    };
    await say("earlier");
    await using shell = new Shell("deno run --no-prompt --allow-net=127.0.0.1 -");
    await shell.type(at(url, readme.block("ts", "@hubbub/hub/client")));
    await shell.endInput();
    await shell.until(/^live$/m);
    await shell.until(/^ann hello$/m);
    await say("hi");
    const [said] = await shell.until(/^bob earlier\n[^]*^bob hi$/m);
    const messages = said.split("\n").filter((line) => /^(ann|bob) /.test(line));
    assertEquals(messages, ["bob earlier", "ann hello", "bob hi"]);
  });
});

/** README's own server, as it tells to set it up, in a folder. */
async function ownServer(folder: string): Promise<string> {
  const clone = new URL("../..", import.meta.url).pathname;
  const config = JSON.parse(readme.block("json", "@hubbub/hub"));
  // What the README says for where npm is reached and JSR is not.
  const links = readme.words.filter((word) => /^\.\.\/hubbub\/links\/std\/\w+$/.test(word));
  assert(links.length > 0);
  config.links = [...config.links, ...links].map((path) => path.replace("../hubbub/", clone))
    .map((path) => path.replace(/^\.\.\/hubbub$/, clone));
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
  await Deno.writeTextFile(`${folder}/main.ts`, readme.block("ts", "Deno.serve("));
  const [command] = commands(/^deno run /);
  return command;
}

const LISTENING = /Listening on (http:\/\/127\.0\.0\.1:\d+)/;
const OWN_PORT = { DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" };

Deno.test("README's own server has the chat beside a route of its own", ALL, async () => {
  await inFolder(async (folder) => {
    const command = await ownServer(folder);
    await using shell = new Shell(command, { env: OWN_PORT, folder });
    const [, url] = await shell.until(LISTENING);
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
    // The log is where the page says, and a server that starts again has it.
    await using again = new Shell(command, { env: OWN_PORT, folder });
    const [, here] = await again.until(LISTENING);
    const page = await (await fetch(`${here}/rooms/lobby/messages`)).json();
    assertEquals(page.messages.map(({ text }: { text: string }) => text), ["hello"]);
    assert((await Deno.stat(`${folder}/chat.sqlite3`)).isFile);
  });
});

Deno.test(
  "README's own server, twice over a database, shows each what the other stored",
  ALL,
  async () => {
    await inFolder(async (folder) => {
      const command = await ownServer(folder);
      const program = await Deno.readTextFile(`${folder}/main.ts`);
      const anyPort = program.replace("Deno.serve(", '$&{ hostname: "127.0.0.1", port: 0 }, ');
      // In one process: between several, a file of SQLite does not tell of what was written.
      for (const name of ["one", "other"]) {
        await Deno.writeTextFile(`${folder}/${name}.ts`, anyPort);
      }
      await Deno.writeTextFile(`${folder}/main.ts`, 'import "./one.ts";\nimport "./other.ts";\n');
      await using shell = new Shell(command, { folder });
      const twice = new RegExp(`${LISTENING.source}[^]*${LISTENING.source}`);
      const [, here, there] = await shell.until(twice);
      await using ann = await TestClient.join(here, "/rooms/lobby/ws?user=ann");
      await using bob = await TestClient.join(there, "/rooms/lobby/ws?user=bob");
      for (const [client, text] of [[ann, "1"], [bob, "2"], [ann, "3"]] as const) {
        client.say(text);
        for (const each of [ann, bob]) {
          await each.until(({ said }) => said.includes(text));
        }
      }
      assertEquals([ann.said, bob.said], [["1", "2", "3"], ["1", "2", "3"]]);
      assertEquals(ann.messages, bob.messages);
    });
  },
);

// What `deploy` holds for a machine of one's own: the commands in it serve, with what they allow.

import { assert, assertEquals } from "@std/assert";
import { Document } from "../helpers/document.ts";
import { inFolder } from "../helpers/folder.ts";
import { HubProcess } from "../helpers/hub_process.ts";
import { needs } from "../helpers/permissions.ts";
import { post } from "../helpers/requests.ts";
import { hasCommand, Shell } from "../helpers/shell.ts";

const NEEDS = needs("net", "run", "read", "write", "env");
const SQLITE = { ignore: NEEDS.ignore || !await hasCommand("sqlite3") };

/** Reads a file of this repository, lines that go on put together. */
function read(path: string): string {
  const text = Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
  return text.replace(/\\\n\s*/g, "");
}

function part(text: string, pattern: RegExp): string {
  const [, found] = pattern.exec(text) ?? [];
  assert(found, `There is no ${pattern}`);
  return found;
}

/** Starts a server, tells it something, and stops it; what it was told is there the next time. */
async function exercise(kv: string, args: readonly string[]): Promise<void> {
  for (const status of [201, 200]) {
    await using hub = await HubProcess.start({ HUBBUB_KV: kv }, args);
    const response = await post(hub.url, '{"user":"ann","text":"hello","ref":"1"}');
    assertEquals([response.status, (await response.json()).text], [status, "hello"]);
    assertEquals((await hub.stop("SIGTERM")).code, 0);
  }
}

Deno.test("deploying.md's backup of a server that runs holds what was said", SQLITE, async () => {
  const [command] = Document.read("docs/deploying.md").commands
    .filter((line) => line.startsWith("sqlite3 "));
  await inFolder(async (folder) => {
    await using hub = await HubProcess.start({ HUBBUB_KV: `${folder}/hubbub.sqlite3` });
    const response = await post(hub.url, '{"user":"ann","text":"hello"}');
    assertEquals((await response.json()).text, "hello");
    await Shell.run(command, { folder });
    await using restored = await HubProcess.start({ HUBBUB_KV: `${folder}/backup.sqlite3` });
    const page = await (await fetch(`${restored.url}/rooms/lobby/messages`)).json();
    assertEquals(page.messages.map(({ text }: { text: string }) => text), ["hello"]);
  });
});

Deno.test("hubbub.service serves with what it allows", NEEDS, async () => {
  const unit = read("deploy/hubbub.service");
  await inFolder(async (folder) => {
    const at = (text: string) => text.replaceAll("%S/hubbub", folder);
    const kv = part(unit, /^Environment=.*HUBBUB_KV=(\S+)/m);
    await exercise(at(kv), at(part(unit, /^ExecStart=\S+\/deno (.*)$/m)).split(" "));
  });
});

Deno.test("Dockerfile serves with what it allows, by the Deno of the tests", NEEDS, async () => {
  const file = read("deploy/Dockerfile");
  const version = part(file, /^FROM denoland\/deno:(\S+)$/m);
  assertEquals(version, part(read(".ci/run"), /deno@([\d.]+)/));
  await inFolder(async (folder) => {
    const at = (text: string) => text.replaceAll("/data", folder);
    const kv = part(file, /^ENV .*HUBBUB_KV=(\S+)/m);
    await exercise(at(kv), JSON.parse(at(part(file, /^CMD (\[.*\])$/m))));
  });
});

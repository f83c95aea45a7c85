// The documents: what they name is there, and their tables are those of the code.

import { assert, assertEquals } from "@std/assert";
import { readConfiguration, VARIABLES } from "@hubbub/hub/service";
import { Hub } from "@hubbub/hub";
import { createClient } from "@hubbub/hub/client";
import * as protocol from "@hubbub/hub/protocol";
import configuration from "../../deno.json" with { type: "json" };
import { DEFAULT_CONNECTION_LIMITS } from "../../src/access/connection_limit_settings.ts";
import { Document, DOCUMENTS, isThere } from "../helpers/document.ts";
import { needs } from "../helpers/permissions.ts";
import { serveAlone } from "../helpers/test_server.ts";

const READ = needs("read");
const SERVE = needs("read", "net");

/** What the documents tell to type, and no test can run: each with its reason. */
const NOT_RUN: readonly [RegExp, string][] = [
  [
    /^(git|cd|cp|mkdir|sudo|systemctl|useradd|journalctl|tail|kill)\b/,
    "changes the machine",
  ],
  [/^docker\b/, "needs a Docker daemon"],
  [/^HUBBUB_POSTGRES=.* deno task start$/, "machines_test.ts, at servers of its own"],
  [/^npx -y deno@[\d.]+ task client$/, "install_test.ts, by deno"],
  [/^npm (create vite@latest .*|install|run (dev|build))$/, "tutorial_test.ts bundles these files"],
  [
    /^HUBBUB_ORIGINS=\S+ (npx -y deno@[\d.]+|deno) task start$/,
    "plain_page_test.ts, by the option",
  ],
  [/^HUBBUB_KV=.* deno task move$/, "postgres_test.ts"],
  [/^deno deploy\b/, "needs an account"],
  [/^(\.\/)?build\/hubbub\b|^deno task compile$/, "compile_test.ts"],
  [
    /^deno task (test|ok|check|abuse|agreement|storm|bench|compare|curves|page|dev|reference)\b/,
    "is work, or takes long",
  ],
  [/^deno (test|check)\b/, "is work, or takes long"],
  [/^(deno add|npx jsr add|bunx jsr add)\b/, "the package is not published yet"],
  [/^python3 -m http\.server 3000$/, "a port of its own: plain_page_test.ts serves the page"],
];

/** Commands that readme_test.ts, deploy_test.ts, backup_test.ts and install_test.ts run. */
const RUN = [
  /^deno task client$/,
  /^(npm install|bun add) (\.\.\/hubbub\/build\/hubbub-client-0\.1\.0\.tgz|ws)$/,
  /^(node|bun) chat\.mjs$/,
  /^sqlite3 hubbub\.sqlite3 /,
  /^deno task backup backup\.sqlite3$/,
  /^curl (-N )?"?http:\/\/127\.0\.0\.1:8000\//,
  /^npx -y wscat@[\d.]+ -c "ws:\/\/127\.0\.0\.1:8000\//,
  /^websocat "ws:\/\/127\.0\.0\.1:8000\//,
  /^deno task start(:parallel)?$/,
  /^deno run --allow-net --allow-read=chat\.sqlite3 --allow-write=chat\.sqlite3 main\.ts$/,
];

const documents = READ.ignore ? [] : DOCUMENTS.map((path) => Document.read(path));

function read(path: typeof DOCUMENTS[number]): Document {
  return documents.find((document) => document.path === path)!;
}

/** The one word in backticks of a cell. */
function wordOf(cell: string): string {
  return /^`([^`]+)`$/.exec(cell)?.[1] ?? cell;
}

Deno.test("the documents' files and links are there", READ, () => {
  const named = documents.flatMap(({ path, files, links }) => {
    return [...files, ...links].map((named) => ({ path, named }));
  });
  assert(named.length > 40, "hardly any file is named");
  assertEquals(named.filter(({ named }) => !isThere(named)), []);
});

Deno.test(
  "how-it-works.md's names stand in the files that it names",
  READ,
  () => {
    const { text } = read("docs/how-it-works.md");
    const named = [...text.matchAll(/`(\w+)` in\s+`([\w/.]+)`/g)];
    assert(named.length > 6, "hardly any name is there");
    const missing = named.filter(([, name, path]) => {
      return !Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url))
        .includes(name);
    });
    assertEquals(missing.map(([place]) => place), []);
    const folders = [
      ...Deno.readDirSync(new URL("../../src/", import.meta.url)),
    ]
      .filter(({ isDirectory }) => isDirectory).map(({ name }) => `src/${name}`);
    const rows = read("docs/how-it-works.md").table("folder").map(([folder]) => wordOf(folder));
    assertEquals(rows.toSorted(), folders.toSorted());
  },
);

Deno.test(
  "the documents' commands are run by a test, or are known not to be",
  READ,
  () => {
    const known = [...RUN, ...NOT_RUN.map(([pattern]) => pattern)];
    const unknown = documents.flatMap(({ commands }) => commands)
      .filter((line) => !known.some((pattern) => pattern.test(line)));
    assertEquals(unknown, []);
  },
);

Deno.test(
  "the documents' tasks are those of deno.json, with the Deno of its tests",
  READ,
  () => {
    const text = documents.map((document) => document.text).join("\n");
    const named = [...text.matchAll(/deno(?:@([\d.]+))? task ([\w:]+)/g)];
    assert(named.length > 5);
    const ci = Deno.readTextFileSync(new URL("../../.ci/run", import.meta.url));
    const version = /deno@([\d.]+)/.exec(ci)?.[1];
    for (const [, wanted, task] of named) {
      assert(task in configuration.tasks, `there is no task "${task}"`);
      if (wanted !== undefined) assertEquals(wanted, version);
    }
  },
);

Deno.test(
  "the workflows run what the documents say, with the Deno of the tests",
  READ,
  () => {
    const read = (path: string) => Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
    const version = /deno@([\d.]+)/.exec(read(".ci/run"))?.[1];
    const publish = read(".github/workflows/publish.yml");
    assert(/^ +id-token: write$/m.test(publish), "provenance");
    assert(publish.includes(`npx -y deno@${version} publish\n`));
    for (const text of [publish, read(".github/workflows/test.yml")]) {
      assert(text.includes(" .ci/run\n"));
      assert(
        /^permissions:\n {2}contents: read$/m.test(text),
        "nothing more by default",
      );
    }
  },
);

Deno.test("the documents' variables are those that are read", READ, () => {
  const rows = read("docs/configuration.md").table("variable");
  assertEquals(
    rows.map(([name]) => wordOf(name)).toSorted(),
    [...VARIABLES, "DENO_JOBS"].sort(),
  );
  const known: readonly string[] = VARIABLES;
  for (const { path, text } of documents) {
    const mentioned = text.match(/HUBBUB_\w+/g) ?? [];
    assertEquals(mentioned.filter((name) => !known.includes(name)), [], path);
  }
});

Deno.test("configuration.md's defaults are those that hold", READ, () => {
  const { port, host, kv, ...other } = readConfiguration(() => undefined);
  const { maxConnectionsPerAddress, maxRoomsPerAddress } = DEFAULT_CONNECTION_LIMITS;
  const count = (number: number) => number.toLocaleString("en");
  const defaults: Record<string, string> = {
    PORT: String(port),
    HOST: host,
    HUBBUB_KV: `\`${kv}\``,
    HUBBUB_PROXIES: String(other.proxies),
    HUBBUB_MAX_TEXT_BYTES: String(other.maxTextBytes),
    HUBBUB_MESSAGES_PER_SECOND: String(other.messagesPerSecond),
    HUBBUB_MAX_CONNECTIONS: count(other.maxConnections),
    HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: count(maxConnectionsPerAddress),
    HUBBUB_MAX_CONNECTIONS_PER_ROOM: count(other.maxConnectionsPerRoom),
    HUBBUB_MAX_CONNECTIONS_PER_USER: count(other.maxConnectionsPerUser),
    HUBBUB_MAX_ROOMS_PER_ADDRESS: count(maxRoomsPerAddress),
    HUBBUB_MAX_ROOMS_PER_CONNECTION: count(other.maxRoomsPerConnection),
  };
  assertEquals([other.tokens, other.retentionMs, other.origins], [
    undefined,
    undefined,
    [],
  ]);
  const table = new Map(
    read("docs/configuration.md").table("variable").map((
      [name, value],
    ) => [wordOf(name), value]),
  );
  for (const [name, value] of Object.entries(defaults)) {
    assertEquals(table.get(name), value, name);
  }
  const { requestsPerSecondPerAddress: rate } = DEFAULT_CONNECTION_LIMITS;
  const limits = read("docs/configuration.md").chapter("Limits");
  assert(
    limits.includes(
      `| ${rate} a second, ${count(maxConnectionsPerAddress)} at once `,
    ),
    limits,
  );
});

Deno.test(
  "protocol.md's envelopes and numbers are those of the code",
  READ,
  () => {
    // Complete, or this is an error of types.
    const to: Record<protocol.ClientEnvelope["type"], true> = {
      chat_message: true,
      typing_status: true,
      ping: true,
      authenticate: true,
    };
    const from: Record<protocol.ServerEnvelope["type"], true> = {
      chat_message: true,
      message_changed: true,
      user_erased: true,
      typing_status: true,
      joined: true,
      presence: true,
      error: true,
      draining: true,
      pong: true,
    };
    const page = read("docs/protocol.md");
    const rows = page.table("direction");
    const named = (direction: string) =>
      rows.filter(([way]) => way === direction || way === "both").map((
        [, type],
      ) => wordOf(type));
    assertEquals(named("to").toSorted(), Object.keys(to).toSorted());
    assertEquals(named("from").toSorted(), Object.keys(from).toSorted());
    const { HISTORY_DEFAULT, HISTORY_MAX, PAGE_DEFAULT, PAGE_MAX } = protocol;
    assert(
      page.text.includes(`default ${HISTORY_DEFAULT}, at most ${HISTORY_MAX}`),
    );
    assert(page.text.includes(`default ${PAGE_DEFAULT}, at most ${PAGE_MAX}`));
    assert(
      page.text.includes(
        `${protocol.DEDUPLICATION_WINDOW.ms / 60_000} minutes`,
      ),
    );
    assert(page.text.includes(`1 to ${protocol.REF_MAX_LENGTH} characters`));
    const readme = read("README.md").text.replaceAll(/\s+/g, " ");
    assert(
      readme.includes(`the last ${HISTORY_DEFAULT} messages, oldest first`),
    );
    assert(
      readme.includes(
        `${protocol.DEDUPLICATION_WINDOW.ms / 60_000} minutes`,
      ),
    );
    assert(
      readme.includes(
        `within ${protocol.TYPING_TIMEOUT_MS / 1000} s of the last sign`,
      ),
    );
  },
);

Deno.test("coming-from.md's names are those of the client and the hub", READ, () => {
  const { text } = read("docs/coming-from.md");
  const client = createClient("http://localhost", { user: "ann" });
  const room = client.room("lobby");
  const owners: Record<string, object> = { client, room, hub: Hub.prototype };
  // The second column: the first is about others, who have a "room" too.
  const cells = [...text.matchAll(/^\|[^|]*\|([^|]*)\|$/gm)].map(([, cell]) => cell).join("\n");
  const named = [...cells.matchAll(/`(client|room|hub)\.(\w+)/g)];
  assert(named.length > 20, "hardly any name is there");
  const missing = named.filter(([, owner, name]) => !(name in owners[owner]));
  assertEquals(missing.map(([place]) => place), []);
  for (const name of cells.match(/`(users|userCount|unread|status)`/g)!) {
    const snapshots = { ...client.snapshot, ...room.snapshot };
    assert(name.slice(1, -1) in snapshots, name);
  }
  client.close();
});

Deno.test("protocol.md's error codes are those of the code", READ, () => {
  const rows = read("docs/protocol.md").table("code").map(
    ([code, status, temporary]) => {
      return `${wordOf(code)} ${status} ${temporary}`;
    },
  );
  const known = Object.entries(protocol.ERRORS).map(
    ([code, { status, temporary }]) => {
      return `${code} ${status} ${temporary ? "yes" : "no"}`;
    },
  );
  assertEquals(rows.toSorted(), known.toSorted());
});

Deno.test("protocol.md's close codes are those of the code", READ, () => {
  const text = read("docs/protocol.md").chapter("Close codes");
  const rows = new Document("", text).table("code").map((
    [code, again],
  ) => [Number(code), again]);
  const known = Object.values(protocol.CLOSE_CODES).map(
    ({ code, reconnect }) => {
      return [code, reconnect ? "yes" : "no"];
    },
  );
  assertEquals(new Set(rows.map(String)), new Set(known.map(String)));
});

Deno.test("protocol.md's routes are there", SERVE, async () => {
  await using server = await serveAlone();
  const cells = read("docs/protocol.md").table("request").map(([request]) => request);
  const routes = cells.flatMap((
    cell,
  ) => [...cell.matchAll(/`(GET|POST) ([^`?]+)/g)]);
  assert(routes.length > 6);
  for (const [, method, path] of routes) {
    // A method that no route takes is told which it takes: the path is known, and its methods.
    const url = server.url + path.replace("{room}", "lobby");
    const response = await fetch(url, { method: "PUT" });
    await response.body?.cancel();
    assertEquals(response.status, 405, path);
    assert(
      response.headers.get("allow")?.split(", ").includes(method),
      `${method} ${path}`,
    );
  }
});

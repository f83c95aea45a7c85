import { assert, assertEquals } from "@std/assert";
import { needs } from "./permissions.ts";

/**
 * The files of `src`, lowest first: a file may import those before it. A row is a layer; the order
 * within a row counts as well. Who adds a file says here where it stands.
 */
const LAYERS: readonly (readonly string[])[] = [
  // Words, and tools that know of no chat.
  [
    "protocol",
    "frame",
    "packet",
    "fanout",
    "logger",
    "histogram",
    "token_bucket",
    "roster",
    "catch_up",
    "outflow",
    "turns",
    "gathering",
  ],
  ["address", "origin", "key_set"],
  // Parts: each does one thing for a room, a connection or a request.
  [
    "entry",
    "keys",
    "log",
    "tail",
    "group_commit",
    "bells",
    "metrics",
    "typing",
    "presence",
    "intake",
  ],
  ["supervisor", "exposition", "rate_limit", "refusal", "admission", "auth"],
  // One room, all rooms.
  [
    "moderation",
    "room_context",
    "outbox",
    "seat",
    "replay",
    "striker",
    "news",
    "audience",
    "newcomers",
    "room",
  ],
  ["commits", "peers", "hub"],
  // Who comes in, and how.
  ["upgrade", "renewal", "connection", "events"],
  [
    "pages",
    "response_headers",
    "requests",
    "gate",
    "operator_routes",
    "message_routes",
    "server",
  ],
  // The server as a program.
  ["configuration", "telemetry", "file_lock", "mod", "service", "process"],
  ["isolate_messages", "isolate", "isolate_service", "isolates"],
];

/** What points the other way: types alone, and no more of them than there are. */
const BACKWARD_TYPES: readonly string[] = [
  "room_context -> outbox",
  "room_context -> room",
  "seat -> room",
];

/** Who may use what, besides the layers. */
const OWNERS: readonly { what: string; pattern: RegExp; files: readonly string[] }[] = [
  { what: "Deno.Kv", pattern: /\bDeno\.(Kv|openKv\b)/, files: ["keys", "log", "service"] },
  {
    what: "WebSocket",
    pattern: /(?<![\w-])WebSocket\b|\bDeno\.upgradeWebSocket\b/,
    files: ["client/chat_events", "client/session", "client/wire", "connection", "upgrade"],
  },
  {
    what: "Hono",
    pattern: /"@hono\/hono(?!\/jwt")/,
    files: ["message_routes", "operator_routes", "requests", "response_headers", "server"],
  },
  { what: "Hono's JWT", pattern: /"@hono\/hono\/jwt"/, files: ["auth", "key_set"] },
  { what: "BroadcastChannel", pattern: /\bnew BroadcastChannel\b/, files: ["fanout"] },
  { what: "the database's lock", pattern: /\.tryLock\b/, files: ["file_lock"] },
];

const SRC = new URL("../src/", import.meta.url);
const files = needs("read");

interface Import {
  readonly to: string;
  readonly isType: boolean;
}

/** Reads a source without its comments, and tells what it imports from files beside it. */
function readSource(name: string): { text: string; imports: Import[] } {
  const source = Deno.readTextFileSync(new URL(`${name}.ts`, SRC));
  const text = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const statements = text.matchAll(/^(?:import|export)\s+(type\s)?([^;"]*?)\s*from\s+"([^"]+)"/gm);
  const imports = [...statements].map(([, type, names, to]) => {
    const list = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1];
    const areTypes = list?.split(",").map((part) => part.trim()).filter(Boolean)
      .every((part) => part.startsWith("type "));
    return { to, isType: type !== undefined || areTypes === true };
  });
  return { text, imports };
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, SRC))]
    .filter(({ name }) => name.endsWith(".ts"))
    .map(({ name }) => folder + name.slice(0, -3))
    .sort();
}

function namesOf(imports: readonly Import[]): Import[] {
  return imports.filter(({ to }) => /^\.\/\w+\.ts$/.test(to))
    .map(({ to, isType }) => ({ to: to.slice(2, -3), isType }));
}

const ORDER = LAYERS.flat();

Deno.test("every file of src stands in one layer", files, () => {
  const expected = namesIn("").filter((name) => name !== "client");
  assertEquals(ORDER.toSorted(), expected);
});

Deno.test("imports point one way, but for the types that are listed", files, () => {
  const backward = new Set<string>();
  for (const [place, from] of ORDER.entries()) {
    for (const { to, isType } of namesOf(readSource(from).imports)) {
      assert(to !== "client", `${from}.ts imports the client`);
      if (ORDER.indexOf(to) < place) continue;
      const edge = `${from} -> ${to}`;
      assert(isType, `${edge} points the wrong way, and is more than a type`);
      backward.add(edge);
    }
  }
  assertEquals([...backward].toSorted(), BACKWARD_TYPES.toSorted());
});

/** Folders, each with the files that belong to it, and with what these may import. */
const FOLDERS: readonly { folder: string; door?: string; allowed: RegExp }[] = [
  { folder: "protocol", door: "protocol", allowed: /^protocol\/\w+\.ts$/ },
  { folder: "client", door: "client", allowed: /^(protocol|client\/\w+)\.ts$/ },
  { folder: "page", allowed: /^(protocol|client|client\/\w+|page\/\w+)\.ts$/ },
];

for (const { folder, door, allowed } of FOLDERS) {
  Deno.test(`the ${folder} imports what it may alone`, files, () => {
    const names = namesIn(`${folder}/`);
    assert(names.length > 0);
    for (const name of door ? [door, ...names] : names) {
      for (const { to } of readSource(name).imports) {
        const path = new URL(to, new URL(`${name}.ts`, SRC)).href.slice(SRC.href.length);
        assert(to.startsWith(".") && allowed.test(path), `${name}.ts imports ${to}`);
      }
    }
  });
}

Deno.test("what lies in a folder is reached through its door", files, () => {
  for (const name of ORDER.filter((name) => name !== "protocol")) {
    for (const { to } of readSource(name).imports) {
      assert(!/^\.\/.+\/.+\.ts$/.test(to), `${name}.ts imports ${to}`);
    }
  }
});

for (const { what, pattern, files: owners } of OWNERS) {
  Deno.test(`${what} is used where it belongs alone`, files, () => {
    const names = ["", "client/", "protocol/"].flatMap(namesIn);
    // What stands in a sentence for people is no use; a module's name has no space.
    const code = (name: string) =>
      readSource(name).text.replace(/"[^"\n]* [^"\n]*"|'[^'\n]*'/g, "");
    assertEquals(names.filter((name) => pattern.test(code(name))).toSorted(), owners.toSorted());
  });
}

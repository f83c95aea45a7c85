import { assert, assertEquals } from "@std/assert";
import { needs } from "../helpers/permissions.ts";

/** The folders of `src`, and the folders that the files of each may import besides their own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  telemetry: ["protocol"],
  store: ["protocol"],
  cluster: ["store", "telemetry", "protocol"],
  access: ["telemetry", "protocol"],
  hub: ["cluster", "store", "telemetry", "protocol"],
  connection: ["hub", "access", "telemetry", "protocol"],
  http: ["connection", "hub", "access", "telemetry", "protocol"],
  service: ["http", "connection", "hub", "access", "cluster", "store", "telemetry", "protocol"],
  client: ["protocol"],
  react: ["client", "protocol"],
  page: ["client", "protocol"],
};

/** Single files that a folder may import beyond the table. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  // What a cursor looks like.
  http: ["store/cursor.ts", "store/entry.ts", "store/folded_record.ts", "page/assets.json"],
  // How a message looks whose author was erased.
  page: ["client/message_fold.ts"],
};

/** Files that every folder may import, and that no door of the package shows. */
const FOR_ALL: readonly string[] = ["protocol/checks.ts"];

/** The one file that enters a folder for those outside it, where there is one. */
const DOORS: Readonly<Record<string, string>> = {
  protocol: "protocol/mod.ts",
  client: "client/mod.ts",
};

/** Who may use what, besides the table. */
const OWNERS: readonly { what: string; pattern: RegExp; files: readonly string[] }[] = [
  {
    what: "Deno.Kv",
    pattern: /\bDeno\.(Kv|openKv\b)/,
    files: [
      "service/store.ts",
      "store/kv/keys.ts",
      "store/kv/kv_changes.ts",
      "store/kv/kv_claims.ts",
      "store/kv/kv_clearer.ts",
      "store/kv/kv_eraser.ts",
      "store/kv/kv_feed.ts",
      "store/kv/kv_handle.ts",
      "store/kv/kv_list.ts",
      "store/kv/kv_probe.ts",
      "store/kv/kv_reader.ts",
      "store/kv/kv_room_log.ts",
      "store/kv/kv_room_log_options.ts",
      "store/kv/kv_room_meta.ts",
      "store/kv/kv_sweeper.ts",
      "store/kv/kv_tasks.ts",
      "store/kv/kv_user_eraser.ts",
      "store/kv/kv_user_rooms.ts",
      "store/kv/limits.ts",
    ],
  },
  {
    what: "the client of PostgreSQL",
    pattern: /npm:postgres/,
    files: ["store/postgres/postgres_pool.ts"],
  },
  {
    what: "the client of NATS",
    pattern: /npm:@nats-io/,
    files: ["cluster/nats/nats_connection.ts", "cluster/nats/nats_transport.ts"],
  },
  {
    what: "React",
    pattern: /npm:react@/,
    files: [
      "react/chat_context.ts",
      "react/use_connection.ts",
      "react/use_room.ts",
      "react/use_rooms.ts",
      "react/use_typing.ts",
    ],
  },
  {
    what: "WebSocket",
    pattern: /(?<![\w-])WebSocket\b|\bDeno\.upgradeWebSocket\b/,
    files: [
      "client/chat_events.ts",
      "client/reconnecting_socket.ts",
      "client/transport.ts",
      "connection/socket_writer.ts",
      "connection/upgrade.ts",
      "connection/websocket_link.ts",
    ],
  },
  {
    what: "Hono",
    pattern: /"hono/,
    files: [
      "http/admin_routes.ts",
      "http/base_path.ts",
      "http/change_routes.ts",
      "http/client_route.ts",
      "http/connection_routes.ts",
      "http/deletion_routes.ts",
      "http/message_routes.ts",
      "http/operator_routes.ts",
      "http/request_params.ts",
      "http/room_routes.ts",
      "http/sanction_routes.ts",
      "http/server.ts",
      "http/user_routes.ts",
    ],
  },
  {
    what: "BroadcastChannel",
    pattern: /\bnew BroadcastChannel\b/,
    files: ["cluster/broadcast_channel_fanout.ts"],
  },
  { what: "the database's lock", pattern: /\.tryLock\b/, files: ["service/database_lock.ts"] },
];

const SRC = new URL("../../src/", import.meta.url);
const files = needs("read");

interface Source {
  readonly path: string;
  readonly text: string;
  /** What it imports of `src`, as paths in it. */
  readonly imports: readonly string[];
}

/** Reads a source without its comments. */
function readSource(path: string): Source {
  const source = Deno.readTextFileSync(new URL(path, SRC));
  const text = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const statements = text.matchAll(/(?:\bfrom|\bimport\(?)\s*"(\.[^"]+)"/g);
  const imports = [...statements].map(([, to]) =>
    new URL(to, new URL(path, SRC)).href.slice(SRC.href.length)
  );
  return { path, text, imports };
}

function* pathsIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, SRC))) {
    if (isDirectory) yield* pathsIn(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield folder + name;
  }
}

function sourcesOf(folder: string): Source[] {
  return [...pathsIn(folder)].sort().map(readSource);
}

/** The doors that stand beside the folders. */
const FILES = ["LICENSE", "deno.json", "mod.ts", "nats.ts", "postgres.ts"];

Deno.test(
  "src holds its folders and the doors that belong to none, and nothing else",
  files,
  () => {
    const entries = [...Deno.readDirSync(SRC)].map(({ name }) => name).sort();
    assertEquals(entries, [...FILES, ...Object.keys(MAY_IMPORT)].sort());
  },
);

for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
  Deno.test(`src/${folder} imports what the table allows alone`, files, () => {
    const sources = sourcesOf(`${folder}/`);
    assert(sources.length > 0, `src/${folder} is empty`);
    for (const { path, imports } of sources) {
      for (const to of imports) {
        const target = to.split("/")[0];
        if (target === folder || EXCEPTIONS[folder]?.includes(to)) continue;
        if (FOR_ALL.includes(to)) continue;
        assert(allowed.includes(target), `${path} imports ${to}`);
        assert((DOORS[target] ?? to) === to, `${path} imports ${to}, not ${DOORS[target]}`);
      }
    }
  });
}

Deno.test("no imports of src run in a circle", files, () => {
  const sources = new Map(sourcesOf("").map((source) => [source.path, source]));
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]) => {
    assert(!above.includes(path), `In a circle: ${[...above, path].join(" → ")}`);
    if (done.has(path)) return;
    for (const to of sources.get(path)?.imports ?? []) visit(to, [...above, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
});

Deno.test("no file of src is over 300 lines", files, () => {
  for (const path of pathsIn("")) {
    const lines = Deno.readTextFileSync(new URL(path, SRC)).split("\n").length - 1;
    assert(lines <= 300, `${path} has ${lines} lines`);
  }
});

for (const { what, pattern, files: owners } of OWNERS) {
  Deno.test(`${what} is used where it belongs alone`, files, () => {
    // What stands in a sentence for people is no use; a module's name has no space.
    const users = sourcesOf("").filter(({ path, text }) => {
      const code = text.replace(/"[^"\n]* [^"\n]*"|'[^'\n]*'/g, "");
      return !path.startsWith("page/") && pattern.test(code);
    });
    assertEquals(users.map(({ path }) => path), owners);
  });
}

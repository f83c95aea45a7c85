// What is downloaded: a start gets what it needs, tests get their tools besides.

import { assert, assertEquals } from "@std/assert";
import configuration from "../../deno.json" with { type: "json" };
import ofTests from "../../deno.test.json" with { type: "json" };
import { inFolder } from "../helpers/folder.ts";
import { needs } from "../helpers/permissions.ts";
import { Shell } from "../helpers/shell.ts";

const ROOT = new URL("../../", import.meta.url);
const READ = needs("read");
const ALL = needs("net", "run", "read", "write", "env");

const known: ReadonlySet<string> = new Set(Object.keys(configuration.imports));
/** The names of what tests alone use. */
const TOOLS = Object.keys(ofTests.imports).filter((name) => !known.has(name));

interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

function readLock(path: string): Lock {
  return JSON.parse(Deno.readTextFileSync(new URL(path, ROOT)));
}

/** The packages of npm in a cache, as a lock file names them. */
async function* cached(folder: string): AsyncGenerator<string> {
  for await (const registry of Deno.readDir(`${folder}/npm`)) {
    yield* packages(`${folder}/npm/${registry.name}`, "");
  }
}

async function* packages(folder: string, scope: string): AsyncGenerator<string> {
  for await (const { name } of Deno.readDir(`${folder}/${scope}`)) {
    if (name.startsWith("@")) {
      yield* packages(folder, `${name}/`);
      continue;
    }
    for await (const { name: version, isDirectory } of Deno.readDir(`${folder}/${scope}${name}`)) {
      if (isDirectory) yield `${scope}${name}@${version}`;
    }
  }
}

Deno.test("deno.test.json is deno.json with the tools of the tests", () => {
  assert(TOOLS.length > 0);
  const { imports, workspace, unstable, links, compilerOptions } = ofTests;
  for (const [name, version] of Object.entries(configuration.imports)) {
    assertEquals(Object.entries(imports).find(([of]) => of === name)?.[1], version, name);
  }
  assertEquals({ workspace, unstable, links, compilerOptions }, {
    workspace: configuration.workspace,
    unstable: configuration.unstable,
    links: configuration.links,
    compilerOptions: configuration.compilerOptions,
  });
  const versions = Object.values(imports).filter((version) => version.startsWith("npm:"));
  for (const version of versions) {
    assert(/@\d+\.\d+\.\d+$/.test(version), `${version} is not exact`);
  }
});

Deno.test(
  "deno.lock holds no tool of the tests, and deno.test.lock the same versions",
  READ,
  () => {
    const [start, tests] = [readLock("deno.lock"), readLock("deno.test.lock")];
    const npm = Object.values(configuration.imports).filter((version) =>
      version.startsWith("npm:")
    );
    // What stands in for JSR's @std besides.
    const specifiers = Object.keys(start.specifiers).filter((name) => !name.includes("deno-std@"));
    assertEquals(specifiers.sort(), npm.sort(), 'run "deno task lock"');
    for (const [name, { integrity }] of Object.entries(start.npm)) {
      assert(!TOOLS.some((tool) => name.startsWith(`${tool}@`)), `${name} is in deno.lock`);
      assertEquals(integrity, tests.npm[name]?.integrity, `${name}: run "deno task lock"`);
    }
    for (const tool of TOOLS) {
      assert(Object.keys(tests.npm).some((name) => name.startsWith(`${tool}@`)), tool);
    }
  },
);

Deno.test("machines.lock is deno.lock with the clients of PostgreSQL and NATS", READ, () => {
  const [start, more] = [readLock("deno.lock"), readLock("machines.lock")];
  const added = Object.keys(more.npm).filter((name) => !(name in start.npm));
  const nats = ["nats-core@3.4.0", "nkeys@2.0.3", "nuid@3.0.0"].map((name) => `@nats-io/${name}`);
  assertEquals(
    added.sort(),
    [...nats, "postgres@3.4.9", "tweetnacl@1.0.3"],
    'run "deno task lock"',
  );
  for (const [name, { integrity }] of Object.entries(start.npm)) {
    assertEquals(more.npm[name]?.integrity, integrity, name);
  }
});

Deno.test("a bare deno test leaves out the tests that need tools, and no others", READ, () => {
  const pattern = new RegExp(
    `(?:from|import\\()\\s*"(?:npm:(?:postgres|@nats-io/nats-core)@|@hubbub/hub/(?:nats|postgres|react)"|(?:${
      TOOLS.join("|")
    })[/"])`,
  );
  const found = new Map<string, boolean>();
  const needsTool = (url: URL): boolean => {
    const before = found.get(url.href);
    if (before !== undefined) return before;
    found.set(url.href, false);
    const text = Deno.readTextFileSync(url);
    const imported = [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+\.ts)"/g)];
    const does = pattern.test(text) || imported.some(([, path]) => needsTool(new URL(path, url)));
    found.set(url.href, does);
    return does;
  };
  const expected = ["unit", "system", "page"].flatMap((folder) => {
    const names = [...Deno.readDirSync(new URL(`tests/${folder}`, ROOT))].map(({ name }) => name);
    return names.filter((name) => name.endsWith("_test.ts")).map((name) =>
      `tests/${folder}/${name}`
    );
  }).filter((path) => needsTool(new URL(path, ROOT)));
  assertEquals(configuration.test.exclude, expected.sort());
});

Deno.test(
  "deno task start downloads what deno.lock holds, from an empty cache",
  ALL,
  async () => {
    await inFolder(async (folder) => {
      const env = { PORT: "0", HUBBUB_KV: `${folder}/kv.sqlite3`, DENO_DIR: `${folder}/cache` };
      await using shell = new Shell("deno task start", { env });
      await shell.until(/"event":"started"/);
      assertEquals((await shell.stop("SIGTERM")).success, true, shell.output);
      const names = await Array.fromAsync(cached(env.DENO_DIR));
      assertEquals(names.sort(), Object.keys(readLock("deno.lock").npm).sort());
    });
  },
);

Deno.test(
  "the image and the unit take what machines.lock holds, and start without more",
  ALL,
  async () => {
    const names = Object.keys(readLock("machines.lock").npm).sort();
    for (const path of ["deploy/Dockerfile", "deploy/hubbub.service"]) {
      const [command] = /\bdeno cache .*?main\.ts/.exec(
        Deno.readTextFileSync(new URL(path, ROOT)),
      )!;
      await inFolder(async (folder) => {
        await Shell.run(command.replace("deno", `env DENO_DIR="${folder}" "${Deno.execPath()}"`));
        assertEquals((await Array.fromAsync(cached(folder))).sort(), names, path);
        const run = `"${Deno.execPath()}" run --cached-only --frozen --no-prompt main.ts --help`;
        await Shell.run(`env DENO_DIR="${folder}" ${run}`);
      });
    }
  },
);

/**
 * Makes the package `@hubbub/client` of the doors of `@hubbub/hub` that a browser needs, so that a
 * frontend installs nothing of the server: `deno task client`.
 *
 * npm's side of JSR installs all that a package imports anywhere, not only what an entry point
 * needs: with `@hubbub/hub` come Hono, jose and the clients of PostgreSQL and NATS. The sources stay
 * where they are: this copies them into a folder that is published to JSR, and packs the tarball
 * that npm, Bun and others install.
 *
 * @module
 */

import hub from "../src/deno.json" with { type: "json" };
import { modulesFrom } from "./module_graph.ts";

const ROOT = new URL("../", import.meta.url);
const SRC = new URL("src/", ROOT);
/** The doors of `@hubbub/hub` that it has, and their names in it. */
const DOORS: Readonly<Record<string, string>> = {
  "./client": ".",
  "./protocol": "./protocol",
  "./react": "./react",
};
/** What an application has itself, and must have once: the versions that will do. */
const PEERS: Readonly<Record<string, string>> = { react: ">=18" };

const NAME = "@hubbub/client";

/** What {@linkcode makeClientPackage} made. */
export interface ClientPackage {
  /** The folder for `deno publish`. */
  readonly folder: string;
  /** The tarball for `npm install`. */
  readonly tarball: string;
}

/**
 * Makes the package: `deno task client`, or with the path of a folder in place of `build`.
 *
 * @param target The folder in which the two are made, with a slash at its end.
 * @returns Where they are.
 */
export async function makeClientPackage(target: URL): Promise<ClientPackage> {
  const folder = new URL("client/", target);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.remove(folder, { recursive: true });
  const exports: Record<string, string> = {};
  for (const [door, file] of Object.entries(hub.exports)) {
    if (DOORS[door] !== undefined) exports[DOORS[door]] = file;
  }
  const entries = Object.values(exports).map((file) => new URL(file, SRC));
  for (const module of await modulesFrom(...entries)) {
    const path = new URL(module.slice(SRC.href.length), folder);
    await Deno.mkdir(new URL(".", path), { recursive: true });
    await Deno.writeTextFile(path, renamed(await Deno.readTextFile(new URL(module))));
  }
  const { version, license } = hub;
  const configuration = { name: NAME, version, license, exports };
  await Deno.writeTextFile(new URL("deno.json", folder), JSON.stringify(configuration, null, 2));
  await Deno.copyFile(new URL("LICENSE", SRC), new URL("LICENSE", folder));
  await Deno.copyFile(new URL("client_readme.md", import.meta.url), new URL("README.md", folder));
  return { folder: folder.pathname, tarball: await pack(folder, target, version) };
}

/** The examples of a source with the names of this package. */
function renamed(text: string): string {
  return Object.entries(DOORS).reduce((text, [door, own]) => {
    return text.replaceAll(`"@hubbub/hub${door.slice(1)}"`, `"${NAME}${own.slice(1)}"`);
  }, text);
}

/** Packs what npm's side of JSR would give: JavaScript and declarations. */
async function pack(folder: URL, target: URL, version: string): Promise<string> {
  const tarball = new URL(`hubbub-client-${version}.tgz`, target).pathname;
  const unpacked = await Deno.makeTempDir({ dir: target.pathname });
  try {
    const raw = `${unpacked}/raw.tgz`;
    const options = ["--allow-dirty", "--no-source-maps", "--output", raw];
    await run(Deno.execPath(), ["pack", ...options], folder.pathname);
    await run("tar", ["-xzf", raw], unpacked);
    const path = `${unpacked}/package/package.json`;
    const manifest = withPeers(JSON.parse(await Deno.readTextFile(path)));
    await Deno.writeTextFile(path, JSON.stringify(manifest, null, 2) + "\n");
    await run("tar", ["-czf", tarball, "package"], unpacked);
  } finally {
    await Deno.remove(unpacked, { recursive: true });
  }
  return tarball;
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Takes what an application has itself for its own: two copies of React are an error. */
function withPeers({ dependencies = {}, ...manifest }: Manifest): unknown {
  const peers = Object.entries(PEERS).filter(([name]) => name in dependencies);
  const others = Object.keys(dependencies).filter((name) => !(name in PEERS));
  if (others.length > 0) throw new Error(`The client needs ${others.join(", ")}`);
  return {
    ...manifest,
    sideEffects: false,
    peerDependencies: Object.fromEntries(peers),
    peerDependenciesMeta: Object.fromEntries(peers.map(([name]) => [name, { optional: true }])),
  };
}

async function run(command: string, args: string[], cwd: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  if (success) return;
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  throw new Error(`${command} ${args[0]} failed: ${said}`);
}

if (import.meta.main) {
  const [path] = Deno.args;
  const target = path === undefined ? new URL("build/", ROOT) : new URL(`file://${path}/`);
  await Deno.mkdir(target, { recursive: true });
  const { folder, tarball } = await makeClientPackage(target);
  console.log(`For JSR: ${folder}\nFor npm: ${tarball}`);
}

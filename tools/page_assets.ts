/**
 * Makes what a browser gets of `src/page`: `deno task page`.
 *
 * The result is checked in as one JSON module, so that who runs the server needs no build step,
 * no permission to read files and no network, also where the package comes from JSR, and on every
 * Deno that knows JSON modules. What was tried instead: text imports and `stripTypeScriptTypes`
 * do not exist in Deno 2.5, which Deno Deploy documents, and left the browser some thirty modules
 * to fetch.
 *
 * @module
 */

const SOURCE = new URL("../src/page/", import.meta.url);
const TARGET = new URL("assets.json", SOURCE);
/** In the order in which they are put together. */
const STYLES = ["base.css", "door.css", "room.css", "messages.css", "people.css"];

/** What the server serves, and of which sources it was made. */
export interface PageAssets {
  /** SHA-256 of the sources, in hexadecimal. */
  readonly sources: string;
  /** The page itself. */
  readonly html: string;
  /** All modules as one, without types. */
  readonly js: string;
  /** All style sheets as one. */
  readonly css: string;
  /** The icon. */
  readonly svg: string;
}

/**
 * Tells the state of the sources; the version of the bundler does not count.
 *
 * @returns SHA-256 in hexadecimal.
 */
export async function digestSources(): Promise<string> {
  const modules = [...await modulesFrom(new URL("app.ts", SOURCE))].sort();
  const others = ["index.html", "icon.svg", ...STYLES].map((name) => new URL(name, SOURCE).href);
  const texts = [...modules, ...others].map((url) => Deno.readTextFile(new URL(url)));
  const bytes = new TextEncoder().encode((await Promise.all(texts)).join("\0"));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Finds a module and all that it imports. */
async function modulesFrom(url: URL, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(url.href)) return found;
  found.add(url.href);
  const text = await Deno.readTextFile(url);
  for (const [, specifier] of text.matchAll(/^(?:import|export|\}) .*?"(\..+?)";$/gm)) {
    await modulesFrom(new URL(specifier, url), found);
  }
  return found;
}

async function bundle(): Promise<string> {
  const app = new URL("app.ts", SOURCE).href;
  const args = ["bundle", "--quiet", "--platform=browser", "--minify", app];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" })
    .output();
  if (!success) throw new Error("deno bundle failed");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  const read = (name: string) => Deno.readTextFile(new URL(name, SOURCE));
  const assets: PageAssets = {
    sources: await digestSources(),
    html: await read("index.html"),
    js: await bundle(),
    css: (await Promise.all(STYLES.map(read))).join("\n"),
    svg: await read("icon.svg"),
  };
  await Deno.writeTextFile(TARGET, JSON.stringify(assets, null, 2) + "\n");
}

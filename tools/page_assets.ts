/**
 * Makes what a browser gets of `src/page`, and of `src/client` as one module: `deno task page`.
 *
 * The result is checked in as one JSON module, so that a server needs no build step, no permission
 * to read files and no network, also where the package comes from JSR, and on every Deno that knows
 * JSON modules. What was tried instead: text imports and `stripTypeScriptTypes` do not exist in
 * Deno 2.5, which Deno Deploy documents, and left the browser some thirty modules to fetch.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { modulesFrom } from "./module_graph.ts";

const SOURCE = new URL("../src/page/", import.meta.url);
const TARGET = new URL("assets.json", SOURCE);
/** The modules that are bundled. */
const APP = new URL("app.ts", SOURCE);
const CLIENT = new URL("../client/mod.ts", SOURCE);
/** In the order in which they are put together. */
const STYLES = [
  "base.css",
  "door.css",
  "room.css",
  "messages.css",
  "changes.css",
  "people.css",
  "moderation.css",
  "rooms.css",
  "everywhere.css",
];
/** Sources beside the modules and the style sheets. */
const FILES = [
  "index.html",
  "icon.svg",
  "icon-unread.svg",
  "touch-icon.png",
  "manifest.webmanifest",
];

/** One file as the server sends it. */
export interface PageAsset {
  /** The media type, with the character set. */
  readonly type: string;
  /** The content, where it is text. */
  readonly text?: string;
  /** The content in base64, where it is not text. */
  readonly base64?: string;
  /** The text compressed with gzip, in base64. */
  readonly gzip?: string;
  /** The text compressed with Brotli, in base64. */
  readonly brotli?: string;
}

/** All files of the page, and the state of the sources that they were made of. */
export interface PageAssets {
  /** SHA-256 of the sources, in hexadecimal. */
  readonly sources: string;
  /**
   * The files by their path from the server's base. `index.html` is the page at the base itself,
   * `r/room.html` the page of every room: it differs in its relative addresses only.
   */
  readonly files: Readonly<Record<string, PageAsset>>;
}

/**
 * Computes the digest of the sources; the version of the bundler does not count.
 *
 * @returns SHA-256 in hexadecimal.
 */
export async function digestSources(): Promise<string> {
  const modules = [...await modulesFrom(APP, CLIENT)].sort();
  const others = [...FILES, ...STYLES].map((name) => new URL(name, SOURCE).href);
  const contents = await Promise.all(
    [...modules, ...others].map((url) => Deno.readFile(new URL(url))),
  );
  const bytes = Buffer.concat(contents.flatMap((content) => [content, new Uint8Array(1)]));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function bundle({ href }: URL): Promise<string> {
  const args = ["bundle", "--quiet", "--platform=browser", "--minify", href];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" })
    .output();
  if (!success) throw new Error("deno bundle failed");
  return new TextDecoder().decode(stdout);
}

/** A text, and its bytes where compressing saves any. */
function textAsset(type: string, text: string): PageAsset {
  const bytes = new TextEncoder().encode(text);
  const params = {
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  const gzip = gzipSync(bytes, { level: 9 }).toString("base64");
  const brotli = brotliCompressSync(bytes, { params }).toString("base64");
  return { type, text, gzip, brotli };
}

/** The page one folder deeper. */
function inRoom(html: string): string {
  return html.replaceAll('="./', '="../');
}

if (import.meta.main) {
  const read = (name: string) => Deno.readTextFile(new URL(name, SOURCE));
  const html = await read("index.html");
  const css = (await Promise.all(STYLES.map(read))).join("\n");
  const icon = Buffer.from(await Deno.readFile(new URL("touch-icon.png", SOURCE)));
  const assets: PageAssets = {
    sources: await digestSources(),
    files: {
      "index.html": textAsset("text/html; charset=utf-8", html),
      "r/room.html": textAsset("text/html; charset=utf-8", inRoom(html)),
      "assets/page.js": textAsset("text/javascript; charset=utf-8", await bundle(APP)),
      "client.js": textAsset("text/javascript; charset=utf-8", await bundle(CLIENT)),
      "assets/page.css": textAsset("text/css; charset=utf-8", css),
      "assets/icon.svg": textAsset("image/svg+xml", await read("icon.svg")),
      "assets/icon-unread.svg": textAsset("image/svg+xml", await read("icon-unread.svg")),
      "assets/touch-icon.png": { type: "image/png", base64: icon.toString("base64") },
      "assets/manifest.webmanifest": textAsset(
        "application/manifest+json",
        await read("manifest.webmanifest"),
      ),
    },
  };
  await Deno.writeTextFile(TARGET, JSON.stringify(assets, null, 2) + "\n");
}

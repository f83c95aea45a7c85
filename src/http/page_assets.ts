/**
 * The chat page at `/` and `/r/{room}`, and the files that it loads.
 *
 * @module
 */

import { eTag, ifNoneMatch } from "@std/http/etag";
// Made by `deno task page` from the sources beside it; why, it says in tools/page_assets.ts.
import assets from "../page/assets.json" with { type: "json" };
import { readHeader } from "../access/request_header.ts";
import { chooseCoding } from "./content_coding.ts";

/** The paths, from the server's base, at which there is something for a browser, as Hono writes them. */
export const PAGE_PATHS = [
  "/",
  "/r/:room",
  "/r/:room/",
  "/assets/page.js",
  "/assets/page.css",
  "/assets/icon.svg",
  "/assets/icon-unread.svg",
  "/assets/touch-icon.png",
  "/assets/manifest.webmanifest",
] as const;

/** Nothing from elsewhere and nothing inline: whatever a user writes, it is no script here. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; " +
  "connect-src 'self'; img-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'";

const HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  // Asked for each time, and answered with 304 while it is the same.
  "cache-control": "no-cache",
  "vary": "accept-encoding",
};

/** One file, in the encodings that it can be sent in. */
interface PageFile {
  readonly type: string;
  /** Bytes by content coding; `identity` is the file itself. */
  readonly bodies: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/**
 * Creates the handler of the requests at {@linkcode PAGE_PATHS}.
 *
 * @returns A function that answers a request; its second argument is the path from the server's
 * base, where that is not the request's own path.
 *
 * @example
 * ```ts
 * import { createPages } from "./page_assets.ts";
 *
 * const page = createPages();
 * const response = await page(new Request("http://localhost/"));
 * console.log(response.headers.get("content-type")); // text/html; charset=utf-8
 * ```
 */
export function createPages(): (request: Request, path?: string) => Promise<Response> {
  const files = new Map(Object.entries<StoredFile>(assets.files).map(decodeFile));
  const tags = new Map<Uint8Array, Promise<string>>();
  return async (request, path = new URL(request.url).pathname) => {
    const [, slashed] = path.match(/^\/r\/([^/]+)\/$/) ?? [];
    // The relative addresses in the page count from the address without the slash.
    if (slashed !== undefined) {
      return new Response(null, {
        status: 308,
        headers: { ...HEADERS, location: `../${slashed}` },
      });
    }
    const { type, bodies } = files.get(fileAt(path)) ?? files.get("index.html")!;
    const offered = ["br", "gzip"].filter((coding) => bodies.has(coding));
    const coding = chooseCoding(readHeader(request.headers, "accept-encoding"), offered);
    const body = bodies.get(coding)!;
    let tag = tags.get(body);
    if (!tag) tags.set(body, tag = eTag(body).then((tag) => tag!));
    const etag = await tag;
    const headers = { ...HEADERS, etag };
    const isNew = ifNoneMatch(readHeader(request.headers, "if-none-match"), etag);
    if (!isNew) return new Response(null, { status: 304, headers });
    const encoding: Record<string, string> = coding === "identity"
      ? {}
      : { "content-encoding": coding };
    return new Response(body, { headers: { ...headers, ...encoding, "content-type": type } });
  };
}

/** A file as `assets.json` holds it. */
interface StoredFile {
  readonly type: string;
  readonly text?: string;
  readonly base64?: string;
  readonly gzip?: string;
  readonly brotli?: string;
}

function decodeFile([name, file]: [string, StoredFile]): [string, PageFile] {
  const { type, text, base64, gzip, brotli } = file;
  const bodies = new Map<string, Uint8Array<ArrayBuffer>>();
  if (brotli !== undefined) bodies.set("br", bytesOf(brotli));
  if (gzip !== undefined) bodies.set("gzip", bytesOf(gzip));
  bodies.set(
    "identity",
    text === undefined ? bytesOf(base64 ?? "") : new TextEncoder().encode(text),
  );
  return [name, { type, bodies }];
}

/** Not `Uint8Array.fromBase64()`, which Deno 2.5 does not have. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function fileAt(path: string): string {
  return path.startsWith("/r/") ? "r/room.html" : path.slice(1);
}

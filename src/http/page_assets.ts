/**
 * What a browser sees: the chat page at `/` and `/r/{room}`, and what it loads.
 *
 * @module
 */

import { eTag, ifNoneMatch } from "@std/http/etag";
// Made by `deno task page` from the sources beside it; why, it says in tools/page_assets.ts.
import assets from "../page/assets.json" with { type: "json" };

/** The paths at which there is something for a browser, as Hono writes them. */
export const PAGE_PATHS = [
  "/",
  "/r/:room",
  "/assets/page.js",
  "/assets/page.css",
  "/assets/icon.svg",
] as const;

/** Nothing from elsewhere and nothing inline: whatever a user writes, it is no script here. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; " +
  "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  // Asked for each time, and answered with 304 while it is the same.
  "cache-control": "no-cache",
};

/**
 * Makes what answers the requests at {@linkcode PAGE_PATHS}.
 *
 * @returns A function that answers a request for one of them.
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
  const tags = new Map<string, Promise<string>>();
  return async (request, path = new URL(request.url).pathname) => {
    const [body, type] = assetAt(path);
    let tag = tags.get(type);
    if (!tag) tags.set(type, tag = eTag(body));
    const etag = await tag;
    const headers = { ...HEADERS, etag };
    const isNew = ifNoneMatch(request.headers.get("if-none-match"), etag);
    if (!isNew) return new Response(null, { status: 304, headers });
    return new Response(body, { headers: { ...headers, "content-type": type } });
  };
}

function assetAt(path: string): [body: string, type: string] {
  switch (path) {
    case "/assets/page.js":
      return [assets.js, "text/javascript; charset=utf-8"];
    case "/assets/page.css":
      return [assets.css, "text/css; charset=utf-8"];
    case "/assets/icon.svg":
      return [assets.svg, "image/svg+xml"];
    default:
      return [assets.html, "text/html; charset=utf-8"];
  }
}

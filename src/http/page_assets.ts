/**
 * The chat page at `/` and `/r/{room}`, and the files that it loads.
 *
 * @module
 */

// Made by `deno task page` from the sources beside it; why, it says in tools/page_assets.ts.
import assets from "../page/assets.json" with { type: "json" };
import { StaticFile, type StoredFile } from "./static_file.ts";

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
};

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
  const files = new Map(
    Object.entries<StoredFile>(assets.files).map(([name, file]) => [name, new StaticFile(file)]),
  );
  return async (request, path = new URL(request.url).pathname) => {
    const [, slashed] = path.match(/^\/r\/([^/]+)\/$/) ?? [];
    // The relative addresses in the page count from the address without the slash.
    if (slashed !== undefined) {
      return new Response(null, {
        status: 308,
        headers: { ...HEADERS, location: `../${slashed}` },
      });
    }
    const file = files.get(fileAt(path)) ?? files.get("index.html")!;
    return await file.respond(request, HEADERS);
  };
}

function fileAt(path: string): string {
  return path.startsWith("/r/") ? "r/room.html" : path.slice(1);
}

import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { needs } from "../helpers/permissions.ts";
import { createPages, PAGE_PATHS } from "../../src/http/page_assets.ts";
import assets from "../../src/page/assets.json" with { type: "json" };
import { chooseCoding } from "../../src/http/content_coding.ts";
import { digestSources } from "../../tools/page_assets.ts";
import { serveAlone } from "../helpers/test_server.ts";

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const { "index.html": { text: html }, "assets/page.css": { text: css } } = assets.files;
const { "assets/page.js": { text: js } } = assets.files;

Deno.test("assets.json is what src/page gives: run deno task page", needs("read"), async () => {
  assertEquals(assets.sources, await digestSources());
});

Deno.test("createPages() serves everything under the strict policy, with an ETag", async () => {
  const page = createPages();
  const types: Record<string, RegExp> = {
    "/": /^text\/html; charset=utf-8$/,
    "/r/lobby": /^text\/html; charset=utf-8$/,
    "/assets/page.js": /^text\/javascript; charset=utf-8$/,
    "/assets/page.css": /^text\/css; charset=utf-8$/,
    "/assets/icon.svg": /^image\/svg\+xml$/,
    "/assets/icon-unread.svg": /^image\/svg\+xml$/,
    "/assets/touch-icon.png": /^image\/png$/,
    "/assets/manifest.webmanifest": /^application\/manifest\+json$/,
  };
  const paths = PAGE_PATHS.filter((path) => path !== "/r/:room/");
  assertEquals(Object.keys(types), paths.map((path) => path.replace(":room", "lobby")));
  for (const [path, type] of Object.entries(types)) {
    const request = () => new Request(`http://localhost${path}`);
    const response = await page(request());
    assertEquals(response.status, 200);
    assertMatch(response.headers.get("content-type") ?? "", type);
    assertEquals(response.headers.get("content-security-policy"), POLICY);
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
    assertEquals(response.headers.get("referrer-policy"), "no-referrer");
    assertNotEquals(await response.text(), "");
    const etag = response.headers.get("etag") ?? "";
    assertMatch(etag, /^"[^"]+"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await page(new Request(request(), { headers: { "if-none-match": known } }));
      assertEquals([again.status, await again.text()], [304, ""]);
      assertEquals(again.headers.get("content-security-policy"), POLICY);
    }
    const headers = { "if-none-match": '"other"' };
    assertEquals((await page(new Request(request(), { headers }))).status, 200);
  }
});

Deno.test("nothing in the page is inline, and nothing comes from elsewhere", () => {
  assertEquals(html.match(/<style|\sstyle=|\son\w+=|<script(?! type="module" src="\.\/)/g), null);
  // Relative, so that the page works under any path.
  assertEquals(html.match(/(?:src|href)="(?!\.\/)/g), null);
  assertEquals(css.match(/url\(|@import/g), null);
  assertEquals(
    js.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/g),
    null,
  );
});

Deno.test("the server serves the page, and tells from it where its endpoints are", {
  ...needs("net"),
}, async () => {
  await using server = await serveAlone();
  for (const path of ["/", "/r/lobby"]) {
    const response = await fetch(server.url + path);
    assertEquals(response.headers.get("content-security-policy"), POLICY);
    const text = await response.text();
    assertEquals(text, path === "/" ? html : html.replaceAll('="./', '="../'));
    for (const endpoint of ["/ws?user=", "/events", "/messages", "/health"]) {
      assert(text.includes(endpoint), endpoint);
    }
  }
  const script = await fetch(`${server.url}/assets/page.js`);
  const etag = script.headers.get("etag") ?? "";
  assertEquals(await script.text(), js);
  const headers = { "if-none-match": etag };
  const again = await fetch(`${server.url}/assets/page.js`, { headers });
  assertEquals([again.status, await again.text()], [304, ""]);
  const post = await fetch(`${server.url}/assets/page.js`, { method: "POST" });
  assertEquals([post.status, (await post.json()).error.code], [405, "method_not_allowed"]);
});

Deno.test("chooseCoding() reads Accept-Encoding as RFC 9110 says", () => {
  const choose = (accepted: string | null) => chooseCoding(accepted, ["br", "gzip"]);
  assertEquals(choose(null), "identity");
  assertEquals(choose(""), "identity");
  assertEquals(choose("gzip, deflate, br, zstd"), "br");
  assertEquals(choose("gzip;q=1.0, br;q=0.5"), "gzip");
  assertEquals(choose("GZIP"), "gzip");
  assertEquals(choose("br;q=0, *"), "gzip");
  assertEquals(choose("gzip;q=0"), "identity");
  assertEquals(choose("identity, gzip;q=0.5"), "identity");
  assertEquals(choose("deflate"), "identity");
  assertEquals(choose("gzip;q=x, br;q=2"), "identity");
});

Deno.test("each coding of a file holds the same, has its own ETag, and is named", async () => {
  const page = createPages();
  for (const path of ["/", "/r/lobby", "/assets/page.js", "/assets/page.css", "/assets/icon.svg"]) {
    const bodies: string[] = [];
    const tags = new Set<string | null>();
    const sizes: number[] = [];
    for (const [coding, format] of [["br", "brotli"], ["gzip", "gzip"], ["identity"]] as const) {
      const request = new Request(`http://localhost${path}`, {
        headers: { "accept-encoding": coding },
      });
      const response = await page(request);
      const { headers } = response;
      assertEquals(headers.get("content-encoding"), coding === "identity" ? null : coding);
      assertEquals(headers.get("vary"), "accept-encoding");
      tags.add(headers.get("etag"));
      const bytes = new Uint8Array(await response.arrayBuffer());
      sizes.push(bytes.length);
      bodies.push(decode(bytes, format));
    }
    assertEquals(new Set(bodies).size, 1, path);
    assertEquals(tags.size, 3, path);
    assert(sizes[0] <= sizes[1] && sizes[1] < sizes[2], `${path}: ${sizes}`);
  }
});

Deno.test("a browser that takes Brotli gets the whole page in less than 60 kB", async () => {
  const page = createPages();
  const paths = PAGE_PATHS.filter((path) => !path.startsWith("/r/"));
  const sizes = await Promise.all(paths.map(async (path) => {
    const headers = { "accept-encoding": "br" };
    const response = await page(new Request(`http://localhost${path}`, { headers }));
    return (await response.arrayBuffer()).byteLength;
  }));
  const size = sizes.reduce((sum, bytes) => sum + bytes, 0);
  assert(size < 60_000, `${size} bytes`);
});

Deno.test("a slash at the end of a room's address leads to the address without", async () => {
  const response = await createPages()(new Request("http://localhost/r/lobby/"));
  assertEquals([response.status, response.headers.get("location")], [308, "../lobby"]);
});

Deno.test("the manifest leads to the door, with icons that are there", async () => {
  const page = createPages();
  const manifest = await page(new Request("http://localhost/assets/manifest.webmanifest"));
  const { start_url, icons } = await manifest.json();
  assertEquals(new URL(start_url, "http://localhost/assets/manifest.webmanifest").pathname, "/");
  for (const { src, type } of icons) {
    const icon = await page(new Request(`http://localhost/assets/${src}`));
    assertEquals(icon.headers.get("content-type"), type);
    assert((await icon.arrayBuffer()).byteLength > 100);
  }
  assert(html.includes('rel="apple-touch-icon"') && html.includes('property="og:title"'));
});

function decode(bytes: Uint8Array, format: "brotli" | "gzip" | undefined): string {
  const plain = format === "brotli"
    ? brotliDecompressSync(bytes)
    : format === "gzip"
    ? gunzipSync(bytes)
    : bytes;
  return new TextDecoder().decode(plain);
}

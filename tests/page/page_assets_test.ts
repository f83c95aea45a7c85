import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { needs } from "../helpers/permissions.ts";
import { createPages, PAGE_PATHS } from "../../src/http/page_assets.ts";
import assets from "../../src/page/assets.json" with { type: "json" };
import { digestSources } from "../../tools/page_assets.ts";
import { serveAlone } from "../helpers/test_server.ts";

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
  };
  assertEquals(Object.keys(types), PAGE_PATHS.map((path) => path.replace(":room", "lobby")));
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
  assertEquals(
    assets.html.match(/<style|\sstyle=|\son\w+=|<script(?! type="module" src="\/)/g),
    null,
  );
  assertEquals(assets.html.match(/(?:src|href)="(?!\/)/g), null);
  assertEquals(assets.css.match(/url\(|@import/g), null);
  assertEquals(
    assets.js.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/g),
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
    const html = await response.text();
    assertEquals(html, assets.html);
    for (const endpoint of ["/ws?user=", "/events", "/messages", "/health"]) {
      assert(html.includes(endpoint), endpoint);
    }
  }
  const script = await fetch(`${server.url}/assets/page.js`);
  const etag = script.headers.get("etag") ?? "";
  assertEquals(await script.text(), assets.js);
  const headers = { "if-none-match": etag };
  const again = await fetch(`${server.url}/assets/page.js`, { headers });
  assertEquals([again.status, await again.text()], [304, ""]);
  const post = await fetch(`${server.url}/assets/page.js`, { method: "POST" });
  assertEquals([post.status, (await post.json()).error.code], [405, "method_not_allowed"]);
});

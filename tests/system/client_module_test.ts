// The client that the server serves as one module.

import { assert, assertEquals, assertLess } from "@std/assert";
import type * as client from "@hubbub/hub/client";
import { tokenAuthorizer } from "@hubbub/hub";
import assets from "../../src/page/assets.json" with { type: "json" };
import { modulesFrom } from "../../tools/module_graph.ts";
import { needs } from "../helpers/permissions.ts";
import { serveAlone } from "../helpers/test_server.ts";

const net = needs("net");
const { "client.js": { text } } = assets.files;

/** What is evaluated once, however often it is imported. */
async function load(source: string): Promise<typeof client> {
  return await import(`data:text/javascript,${encodeURIComponent(source)}`);
}

Deno.test("GET /client.js gives every origin a module that chats", net, async () => {
  await using server = await serveAlone({ page: false, operatorRoutes: false, basePath: "/chat" });
  const origin = "https://elsewhere.example";
  const response = await fetch(`${server.url}/chat/client.js`, { headers: { origin } });
  const source = await response.text();
  assertEquals([response.status, source], [200, text]);
  const { headers } = response;
  assertEquals(headers.get("content-type"), "text/javascript; charset=utf-8");
  assertEquals(headers.get("access-control-allow-origin"), "*");
  assertEquals(headers.get("cross-origin-resource-policy"), "cross-origin");
  assertEquals(headers.get("x-content-type-options"), "nosniff");

  const { createClient } = await load(source);
  const ann = createClient(`${server.url}/chat`, { user: "ann" });
  const { status, text: said } = await ann.room("lobby").send({ text: "hello" });
  assertEquals([status, said], ["sent", "hello"]);
  ann.close();
});

Deno.test("GET /client.js needs no token, and may be asked for by origins that may chat", {
  ...net,
}, async () => {
  const origin = "https://app.example";
  const authorize = tokenAuthorizer({ secret: "a secret of this test, of 32 bytes or more" });
  await using server = await serveAlone({ authorize, origins: [origin] });
  for (const [asking, allowed] of [[origin, origin], ["https://elsewhere.example", "*"]]) {
    const response = await fetch(`${server.url}/client.js`, { headers: { origin: asking } });
    await response.body?.cancel();
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("access-control-allow-origin"), allowed);
    assertEquals(response.headers.get("vary"), "accept-encoding, origin");
  }
});

Deno.test("GET /client.js is compressed, sent once while it is the same, and HEAD has no body", {
  ...net,
}, async () => {
  await using server = await serveAlone();
  const url = `${server.url}/client.js`;
  const tags = new Set<string>();
  for (const coding of ["br", "gzip", "identity"]) {
    const headers = { "accept-encoding": coding };
    const response = await fetch(url, { headers });
    assertEquals(await response.text(), text, coding);
    const tag = response.headers.get("etag")!;
    tags.add(tag);
    assertEquals(response.headers.get("cache-control"), "no-cache");
    const again = await fetch(url, { headers: { ...headers, "if-none-match": tag } });
    assertEquals([again.status, await again.text()], [304, ""]);
    assertEquals(again.headers.get("access-control-allow-origin"), "*");
  }
  assertEquals(tags.size, 3);
  const head = await fetch(url, { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  assert(tags.has(head.headers.get("etag")!));
  const post = await fetch(url, { method: "POST" });
  await post.body?.cancel();
  assertEquals([post.status, post.headers.get("allow")], [405, "GET"]);
});

Deno.test("the client imports its own files and the protocol's, and no package", {
  ...needs("read"),
}, async () => {
  const src = new URL("../../src/", import.meta.url);
  const modules = await modulesFrom(new URL("client/mod.ts", src));
  const paths = [...modules].map((url) => url.slice(src.href.length));
  assert(paths.length > 50);
  assertEquals(paths.filter((path) => !/^(client|protocol)\//.test(path)), []);
  for (const path of paths) {
    const source = await Deno.readTextFile(new URL(path, src));
    const code = source.replace(/\/\*[\s\S]*?\*\//g, "");
    assertEquals(code.match(/\b(?:from|import\(?)\s*"[^."][^"]*"/g), null, path);
  }
});

Deno.test("the module holds the client alone, in less than 27 kB", async () => {
  const { brotli } = assets.files["client.js"];
  assertLess(atob(brotli).length, 27_000);
  const exported = Object.keys(await load(text)).sort();
  assertEquals(exported, Object.keys(await import("@hubbub/hub/client")).sort());
  // Bundled whole: it asks for nothing further.
  assertEquals(text.match(/\bimport\s*[{(*"']|\bfrom\s*["']/g), null);
});

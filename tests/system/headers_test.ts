import { assert, assertEquals } from "@std/assert";
import http2 from "node:http2";
import { deadline } from "@std/async/deadline";
import { tokenOf } from "../../src/access/request_token.ts";
import { addressOf } from "../../src/access/client_address.ts";
import { createPages } from "../../src/http/page_assets.ts";
import { needs } from "../helpers/permissions.ts";
import { serveAlone } from "../helpers/test_server.ts";

/** As long as Deno takes a header. */
const LENGTH = 390_000;

/** A request whose one header counts how often it is looked into. */
function requestWith(name: string, value: string): Request {
  return new Request("http://localhost/", { headers: { [name]: value } });
}

Deno.test("a header that is longer than any that is meant is not looked into", async () => {
  const parts = `${"x,".repeat(LENGTH / 2)}`;
  const page = createPages();
  const coded = await page(requestWith("accept-encoding", `${parts}br`));
  assertEquals(coded.headers.get("content-encoding"), null);
  const etag = coded.headers.get("etag")!;
  await coded.body?.cancel();
  const fresh = await page(requestWith("if-none-match", `${'"x",'.repeat(LENGTH / 4)}${etag}`));
  assertEquals(fresh.status, 200);
  await fresh.body?.cancel();
  assertEquals(tokenOf(requestWith("sec-websocket-protocol", `${parts}hubbub.token.a`)), undefined);
  assertEquals(tokenOf(requestWith("authorization", `Bearer ${"x".repeat(LENGTH)}`)), undefined);
});

Deno.test("the end of a long X-Forwarded-For counts", () => {
  const request = requestWith("x-forwarded-for", `${"x,".repeat(LENGTH / 2)}192.0.2.7`);
  assertEquals(addressOf(request, undefined, 1), "192.0.2.7");
});

Deno.test(
  "refusals over HTTP/2 wait for no window: nothing is kept for them",
  needs("net"),
  async () => {
    await using running = await serveAlone({
      proxies: 1,
      requestsPerSecondPerAddress: 1,
    });
    const session = http2.connect(running.url, { settings: { initialWindowSize: 0 } });
    session.on("error", () => {});
    const statuses: number[] = [];
    const ended = Array.from({ length: 60 }, () => {
      const stream = session.request({ ":path": "/nowhere", "x-forwarded-for": "192.0.2.1" });
      stream.on("response", (headers) => statuses.push(Number(headers[":status"])));
      return new Promise<void>((resolve) => {
        stream.on("error", () => {});
        stream.on("end", resolve);
        stream.resume();
      });
    });
    // Those within the burst wait: they have a body.
    const refused = ended.slice(20);
    await deadline(Promise.all(refused), 20_000);
    assert(statuses.filter((status) => status === 429).length >= 40);
    session.destroy();
  },
);

import { assert, assertEquals } from "@std/assert";
import http2 from "node:http2";
import { deadline } from "@std/async/deadline";
import { tokenOf } from "../../src/access/request_token.ts";
import { addressOf } from "../../src/access/client_address.ts";
import { createPages } from "../../src/http/page_assets.ts";
import { needs } from "../helpers/permissions.ts";
import { serveAlone } from "../helpers/test_server.ts";

/** As long as Deno takes a header. */
const LENGTH = 60_000;

/** A request with one header. */
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

Deno.test(
  "a request that has no use for a body is refused with one",
  needs("net"),
  async () => {
    await using running = await serveAlone();
    const { hostname, port } = new URL(running.url);
    const statusOf = async (lines: string) => {
      using connection = await Deno.connect({ hostname, port: Number(port) });
      await connection.write(new TextEncoder().encode(`${lines}\r\nhost: localhost\r\n\r\n`));
      const answer = new Uint8Array(100);
      await connection.read(answer);
      return new TextDecoder().decode(answer).split(" ")[1];
    };
    const events = "GET /rooms/lobby/events HTTP/1.1";
    assertEquals(await statusOf(`${events}\r\ncontent-length: 1000000000`), "400");
    assertEquals(await statusOf(`${events}\r\ntransfer-encoding: chunked`), "400");
    assertEquals(await statusOf(`HEAD / HTTP/1.1\r\ncontent-length: 1`), "400");
    assertEquals(await statusOf(`${events}\r\ncontent-length: 0`), "200");
  },
);

import { assert, assertEquals, assertLess } from "@std/assert";
import { deadline } from "@std/async/deadline";
import http2 from "node:http2";
import { ORIGIN } from "../../src/store/cursor.ts";
import { readBody } from "../../src/http/request_body.ts";
import { HttpError } from "../../src/access/http_error.ts";
import { needs } from "../helpers/permissions.ts";
import { fill } from "../helpers/stored_lines.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serveAlone, type TestServer } from "../helpers/test_server.ts";

const net = needs("net");
/** A text of which JSON escapes every byte; the ids in these logs hold it too. */
const LONGEST = "\u0007".repeat(2_000);
const KIB = 1024;

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!holds()) {
    assert(performance.now() < end, `waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function ask(running: TestServer, path: string): Promise<number> {
  const response = await fetch(running.url + path);
  await response.body?.cancel();
  return response.status;
}

Deno.test(
  "GET messages gives as much as fits into a page, and each message once",
  net,
  async () => {
    await using running = await serveAlone();
    const texts = Array.from({ length: 60 }, (_, i) => `${i} ${LONGEST}`);
    await fill(running.log, "lobby", { texts, perEntry: 1 });
    const url = `${running.url}/rooms/lobby/messages?limit=100`;
    const page = async (query: string): Promise<{ cursor: string; text: string }[]> => {
      const text = await (await fetch(url + query)).text();
      assertLess(text.length, 310 * KIB);
      return JSON.parse(text).messages;
    };
    const newest = await page("");
    assert(newest.length >= 10, `${newest.length} of the newest`);
    const back = [...newest];
    for (;;) {
      const older = await page(`&before=${back[0].cursor}`);
      if (older.length === 0) break;
      back.unshift(...older);
    }
    assertEquals(back.map(({ text }) => parseInt(text)), texts.map((_, i) => i));
    const forth: typeof back = [];
    for (let after = ORIGIN;;) {
      const newer = await page(`&after=${after}`);
      if (newer.length === 0) break;
      forth.push(...newer);
      after = newer.at(-1)!.cursor;
    }
    assertEquals(forth, back);
  },
);

Deno.test("answers over HTTP/2 that are not read are counted and bounded, others are served", {
  ...net,
}, async () => {
  await using running = await serveAlone();
  const texts = Array.from({ length: 100 }, (_, i) => `${i} ${LONGEST}`);
  await fill(running.log, "big", { texts, perEntry: 1 });
  const { metrics } = running.hub;
  const session = http2.connect(running.url, { settings: { initialWindowSize: 0 } });
  session.on("error", () => {});
  let answered = 0;
  for (let i = 0; i < 90; i++) {
    const stream = session.request({ ":path": "/rooms/big/messages?limit=100" });
    stream.on("response", () => answered++);
    stream.on("error", () => {});
  }
  await until("all are answered", () => answered === 90);
  await using ann = await TestClient.join(running.url, "/rooms/lobby/ws?user=ann");
  await ann.store("hello");
  await until("they are counted", () => metrics.waitingBytes > 10_000 * KIB);
  assertLess(metrics.waitingBytes, 90 * 310 * KIB);
  session.destroy();
  await until("they are gone", () => metrics.waitingBytes === 0);
});

Deno.test("an address that does not read its answers is refused, the others are not", {
  ...net,
}, async () => {
  await using running = await serveAlone({ proxies: 1 });
  const texts = Array.from({ length: 100 }, (_, i) => `${i} ${LONGEST}`);
  await fill(running.log, "big", { texts, perEntry: 1 });
  const from = (address: string) => ({ "x-forwarded-for": address });
  const sessions = Array.from({ length: 3 }, () => {
    const session = http2.connect(running.url, { settings: { initialWindowSize: 0 } });
    session.on("error", () => {});
    return session;
  });
  const statuses: number[] = [];
  for (const session of sessions) {
    for (let i = 0; i < 100; i++) {
      const path = { ":path": "/rooms/big/messages?limit=100", ...from("192.0.2.1") };
      const stream = session.request(path);
      stream.on("response", (headers) => statuses.push(Number(headers[":status"])));
      stream.on("error", () => {});
    }
  }
  await until("all are answered", () => statuses.length === 300);
  assert(statuses.includes(429), "none is refused");
  const open = async (address: string) => {
    const response = await fetch(`${running.url}/rooms/lobby`, { headers: from(address) });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await open("192.0.2.2"), 200);
  assert((running.hub.metrics.connectionsRefused.get("memory") ?? 0) > 0);
  const [{ fields }] = running.events.filter(({ fields }) => fields?.limit === "memory");
  assertEquals([fields?.limit, fields?.address], ["memory", "192.0.2.1"]);
  for (const session of sessions) session.destroy();
  await until("it has read, or gone", () => running.hub.metrics.waitingBytes === 0);
  assertEquals(await open("192.0.2.1"), 200);
});

Deno.test("readBody() gives up a body that does not come, or does not end", async () => {
  const encoder = new TextEncoder();
  const refuse = async (chunks: string[], options: { timeoutMs: number }) => {
    let isCancelled = false;
    const body = new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
      },
      cancel: () => void (isCancelled = true),
    });
    const request = new Request("http://localhost/", { method: "POST", body });
    const error = await readBody(request, { maxBytes: 100, ...options }).catch((error) => error);
    assert(error instanceof HttpError);
    assertEquals([error.problem.code, isCancelled], ["bad_body", true]);
    return error.headers.connection;
  };
  assertEquals(await refuse(['{"text":'], { timeoutMs: 20 }), "close");
  // All of it is there, and something else is to come.
  assertEquals(await refuse(['{"text":"a', '"}'], { timeoutMs: 60_000 }), "close");
  assertEquals(await refuse(Array(50).fill("}"), { timeoutMs: 60_000 }), "close");
});

Deno.test("a POST whose trailers never end is answered, and keeps no memory", net, async () => {
  await using running = await serveAlone();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: running.port });
  const encoder = new TextEncoder();
  const body = '{"user":"ann","text":"hello"}';
  await connection.write(encoder.encode(
    `POST /rooms/lobby/messages HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n` +
      `${body.length.toString(16)}\r\n${body}\r\n0\r\n`,
  ));
  const answer = (async () => {
    const { value } = await connection.readable.getReader().read();
    return new TextDecoder().decode(value);
  })();
  let isAnswered = false;
  void answer.then(() => isAnswered = true);
  const trailer = encoder.encode("x-more: 1\r\n");
  while (!isAnswered) {
    await connection.write(trailer).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert((await deadline(answer, 20_000)).startsWith("HTTP/1.1 400"), await answer);
  assertEquals(await ask(running, "/rooms/lobby"), 200);
  assertEquals(running.hub.metrics.messagesStored, 0);
});

Deno.test(
  "a POST is judged when it is stored: its token may expire before its body",
  net,
  async () => {
    const expiresAt = Date.now() + 300;
    await using running = await serveAlone({ authorize: () => ({ user: "ann", expiresAt }) });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const url = `${running.url}/rooms/lobby/messages`;
    const posted = fetch(url, { method: "POST", body: readable });
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    await writer.write(encoder.encode('{"text":'));
    await new Promise((resolve) => setTimeout(resolve, 400));
    await writer.write(encoder.encode('"late"}'));
    await writer.close();
    const response = await posted;
    assertEquals([response.status, (await response.json()).error.code], [401, "unauthorized"]);
    assertEquals(running.hub.metrics.messagesStored, 0);
  },
);

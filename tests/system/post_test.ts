import { assert, assertEquals } from "@std/assert";
import { failOnce, injectFaults } from "../helpers/kv_faults.ts";
import { needs } from "../helpers/permissions.ts";
import { assertRefused, page, post, say } from "../helpers/requests.ts";
import { TestClient } from "../helpers/test_client.ts";
import { serve } from "../helpers/test_server.ts";

const net = needs("net");

Deno.test("POST stores a message, then answers with it as everybody gets it", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  await using bob = await TestClient.join(server.url, "/rooms/lobby/ws?user=bob");
  const response = await say(server.url, { user: " ann ", text: "hi", ref: "1" });
  assertEquals(response.status, 201);
  assertEquals(response.headers.get("content-type"), "application/json");
  const message = await response.json();
  assertEquals([message.user, message.text, message.ref], ["ann", "hi", "1"]);
  await bob.until(({ said }) => said.length === 1);
  assertEquals(bob.messages, [message]);
  assertEquals(await page(server.url, ""), [message]);
  const repeat = await say(server.url, { user: "ann", text: "hi", ref: "1" });
  assertEquals(repeat.status, 200);
  assertEquals(await repeat.json(), message);
  assertEquals((await page(server.url, "")).length, 1);
});

const BAD_BODIES: [string, BodyInit, number, string][] = [
  ["nothing", "", 400, "bad_body"],
  ["no JSON", "hello", 400, "bad_body"],
  ["a list", "[]", 400, "bad_body"],
  ["null", "null", 400, "bad_body"],
  ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), 400, "bad_body"],
  ["a field that is not known", '{"user":"ann","text":"a","id":"forged"}', 400, "unknown_field"],
  ["no user", '{"text":"a"}', 400, "bad_user"],
  ["a user that is a number", '{"user":1,"text":"a"}', 400, "bad_user"],
  ["an empty user", '{"user":"  ","text":"a"}', 400, "bad_user"],
  ["a long user", JSON.stringify({ user: "x".repeat(65), text: "a" }), 400, "bad_user"],
  ["a user of half a surrogate", '{"user":"\\ud800","text":"a"}', 400, "bad_user"],
  ["no text", '{"user":"ann"}', 400, "bad_text"],
  ["an empty text", '{"user":"ann","text":""}', 400, "bad_text"],
  ["a text of half a surrogate", '{"user":"ann","text":"\\udc00"}', 400, "bad_text"],
  ["a bad ref", '{"user":"ann","text":"a","ref":1}', 400, "bad_ref"],
  ["a long text", JSON.stringify({ user: "ann", text: "é".repeat(2049) }), 413, "text_too_long"],
  ["a long body", " ".repeat(32_769) + "{}", 413, "body_too_large"],
];

Deno.test("POST refuses a bad body, and stores nothing", net, async (t) => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  for (const [what, body, status, code] of BAD_BODIES) {
    await t.step(what, async () => {
      await assertRefused(await post(server.url, body), status, code);
    });
  }
  await t.step("a long body without a length", async () => {
    const chunks = ReadableStream.from(Array.from({ length: 40 }, () => new Uint8Array(1024)));
    await assertRefused(await post(server.url, chunks), 413, "body_too_large");
  });
  assertEquals(await page(server.url, ""), []);
  assertEquals(server.events, []);
});

Deno.test("POST takes the longest text however it is escaped", net, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  // One letter makes it a text that shows something.
  const escaped = "x" + "\\u0001".repeat(4095);
  const response = await post(server.url, `{"user":"ann","text":"${escaped}"}`);
  assertEquals(response.status, 201);
  assertEquals((await response.json()).text, "x" + "\u0001".repeat(4095));
});

Deno.test("POST tells when storage fails, and that it is worth another try", net, async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  await using server = serve(kv);
  failOnce(faults);
  const response = await say(server.url, { user: "ann", text: "hi" });
  assert(Number(response.headers.get("retry-after")) > 0);
  await assertRefused(response, 503, "not_stored");
  const again = await say(server.url, { user: "ann", text: "hi" });
  assertEquals(again.status, 201);
  await again.body?.cancel();
  faults.read = () => Promise.reject(new Error("disk I/O error"));
  // Another room, for the one that was written to stays in memory for a while.
  const elsewhere = `${server.url}/rooms/den/messages`;
  const body = JSON.stringify({ user: "a", text: "b" });
  const failed = await fetch(elsewhere, { method: "POST", body });
  const message = await assertRefused(failed, 503, "unavailable");
  assert(!message.includes("disk"), "what failed is the operator's to know");
  assertEquals(server.events.map(({ event }) => event), ["commit_failed", "request_failed"]);
});

import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { ChatError, connect } from "@hubbub/hub/client";
import { checkConsumer, codeLines, ConsumerProgram } from "../helpers/consumer_program.ts";
import { needs } from "../helpers/permissions.ts";
import { received, until } from "../helpers/received.ts";
import { assertRefused, page, post, say } from "../helpers/requests.ts";
import { serveAlone } from "../helpers/test_server.ts";

const all = { ...needs("net", "read", "run"), timeout: 20_000 };

Deno.test("a consumer's types are those of the package", all, async () => {
  assertEquals(await checkConsumer(), { code: 0, said: "" });
});

Deno.test("a consumer has a chat among its own routes in ten lines", all, async () => {
  assertLessOrEqual((await codeLines("among_routes.ts")).length, 10);
  await using program = new ConsumerProgram("among_routes.ts");
  const [url] = await program.addresses(1);
  assertEquals(await (await fetch(url)).text(), "My own start page");
  await using ann = connect(url, { room: "lobby", user: "ann" });
  const { id } = await ann.send("hello");
  assertEquals((await page(url, "")).map((message) => message.id), [id]);
  await assertRefused(await fetch(`${url}/elsewhere`), 404, "not_found");
  assertEquals(await program.end("SIGTERM"), 0);
});

Deno.test("a consumer has its own users, and its own way between hubs", all, async () => {
  await using program = new ConsumerProgram("own_parts.ts");
  const [here, there] = await program.addresses(2);
  await assertRefused(await fetch(`${here}/rooms/lobby`), 401, "unauthorized");
  const staff = await (await enter(`${here}/rooms/staff`, "s-ann")).json();
  assertEquals([staff.room, staff.users], ["staff", []]);
  await assertRefused(await enter(`${there}/rooms/staff`, "s-bob"), 403, "forbidden");

  await using ann = connect(here, { room: "lobby", token: "s-ann" });
  await until(ann, () => ann.state.status === "live");
  await using bob = connect(there, { room: "lobby", token: "s-bob" });
  // Nothing but the fan-out tells one hub who is at the other.
  await until(ann, () => ann.users.includes("bob"));
  const [heardByAnn, heardByBob] = [received(ann), received(bob)];
  const { id } = await ann.send("hello");
  await until(bob, () => heardByBob.length === 1);
  const reply = await bob.send("hello yourself");
  await until(ann, () => heardByAnn.length === 2);
  for (const messages of [heardByAnn, heardByBob]) {
    assertEquals(messages.map((message) => message.id), [id, reply.id]);
  }
  assertEquals(heardByAnn.map(({ user }) => user), ["ann", "bob"]);
});

Deno.test("a consumer's bot answers in a room, and leaves", all, async () => {
  await using server = await serveAlone();
  await using ann = connect(server.url, { room: "lobby", user: "ann" });
  const messages = received(ann);
  await using program = new ConsumerProgram("bot.ts", server.url);
  await until(ann, () => ann.users.includes("bot"));
  for (const text of ["hello", "!time"]) await ann.send(text);
  await until(ann, () => messages.some(({ user }) => user === "bot"));
  assertEquals(messages.map(({ user, text }) => `${user}: ${text}`), [
    "ann: hello",
    "ann: !time",
    "bot: It is late, ann",
  ]);
  await program.endInput();
  assertEquals(await program.end(), 0);
  assertEquals(program.lines, ["The bot has left: closed"]);
});

Deno.test(
  "a consumer's rules refuse and change what is said, before it is stored",
  all,
  async () => {
    await using program = new ConsumerProgram("moderated.ts");
    const [url] = await program.addresses(1);
    await using ann = connect(url, { room: "lobby", user: "ann" });
    await using reader = connect(url, { room: "news", user: "ann" });
    assertEquals((await ann.send("Darn it, darn")).text, "**** it, ****");
    const error = await assertRejects(() => reader.send("me too"), ChatError, "news desk");
    assertEquals([error.code, error.temporary], ["not_accepted", false]);
    const desk = await post(url, JSON.stringify({ user: "desk", text: "It rains" }), "news");
    assertEquals([desk.status, (await desk.json()).text], [201, "It rains"]);
    await assertRefused(await say(url, { user: "ann", text: "explode" }), 500, "internal");
    await program.until((lines) => lines.some((line) => line.includes('"moderation_failed"')));
    assertEquals((await ann.send("fine")).text, "fine");
    assertEquals((await page(url, "")).map(({ text }) => text), ["**** it, ****", "fine"]);
    assert(!program.lines.some((line) => line.includes("Darn")), "no text in the log");
  },
);

async function enter(url: string, session: string): Promise<Response> {
  return await fetch(url, { headers: { authorization: `Bearer ${session}` } });
}

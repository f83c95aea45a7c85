import { assert, assertEquals, assertLessOrEqual, assertMatch, assertRejects } from "@std/assert";
import { ChatError, connect } from "@hubbub/hub/client";
import { checkExamples, codeLines, ExampleProgram } from "../helpers/example_program.ts";
import { inFolder } from "../helpers/folder.ts";
import { needs } from "../helpers/permissions.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { received, until } from "../helpers/received.ts";
import { assertRefused, page, post, say } from "../helpers/requests.ts";
import { serveAlone } from "../helpers/test_server.ts";

/** Milliseconds that a test has, also where the types of all are checked on a busy machine. */
const PATIENCE_MS = 180_000;
const all = { ...needs("net", "read", "run"), timeout: PATIENCE_MS };

Deno.test("the examples' types are those of the package", all, async () => {
  assertEquals(await checkExamples(), { code: 0, said: "" });
});

Deno.test(
  "embed.ts has a chat among its own routes in eleven lines",
  all,
  async () => {
    assertLessOrEqual((await codeLines("embed.ts")).length, 11);
    await using program = new ExampleProgram("embed.ts");
    const [url] = await program.addresses(1);
    assertEquals(await (await fetch(url)).text(), "My own start page");
    await using ann = connect(url, { room: "lobby", user: "ann" });
    const { cursor } = await ann.send("hello");
    assertEquals((await page(url, "")).map((message) => message.cursor), [cursor]);
    await assertRefused(await fetch(`${url}/elsewhere`), 404, "not_found");
    assertEquals(await program.end("SIGTERM"), 0);
  },
);

Deno.test(
  "own_fanout.ts has its own users, and its own way between hubs",
  all,
  async () => {
    await using program = new ExampleProgram("own_fanout.ts");
    const [here, there] = await program.addresses(2);
    await assertRefused(
      await fetch(`${here}/rooms/lobby`),
      401,
      "unauthorized",
    );
    const staff = await (await enter(`${here}/rooms/staff`, "s-ann")).json();
    assertEquals([staff.room, staff.users], ["staff", []]);
    await assertRefused(
      await enter(`${there}/rooms/staff`, "s-bob"),
      403,
      "forbidden",
    );

    await using ann = connect(here, { room: "lobby", token: "s-ann" });
    await until(ann, () => ann.state.status === "live");
    await using bob = connect(there, { room: "lobby", token: "s-bob" });
    // Nothing but the fan-out tells one hub who is at the other.
    await until(ann, () => ann.users.includes("bob"));
    const [heardByAnn, heardByBob] = [received(ann), received(bob)];
    const { cursor } = await ann.send("hello");
    await until(bob, () => heardByBob.length === 1);
    const reply = await bob.send("hello yourself");
    await until(ann, () => heardByAnn.length === 2);
    for (const messages of [heardByAnn, heardByBob]) {
      assertEquals(messages.map((message) => message.cursor), [cursor, reply.cursor]);
    }
    assertEquals(heardByAnn.map(({ user }) => user), ["ann", "bob"]);
  },
);

Deno.test("bot.ts answers in a room, and leaves", all, async () => {
  await using server = await serveAlone();
  await using ann = connect(server.url, { room: "lobby", user: "ann" });
  const messages = received(ann);
  await using program = new ExampleProgram("bot.ts", server.url);
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
  "moderation.ts refuses and changes messages before they are stored",
  all,
  async () => {
    await using program = new ExampleProgram("moderation.ts");
    const [url] = await program.addresses(1);
    await using ann = connect(url, { room: "lobby", user: "ann" });
    await using reader = connect(url, { room: "news", user: "ann" });
    assertEquals((await ann.send("Darn it, darn")).text, "**** it, ****");
    const error = await assertRejects(
      () => reader.send("me too"),
      ChatError,
      "news desk",
    );
    assertEquals([error.code, error.temporary], ["not_accepted", false]);
    const desk = await post(
      url,
      JSON.stringify({ user: "desk", text: "It rains" }),
      "news",
    );
    assertEquals([desk.status, (await desk.json()).text], [201, "It rains"]);
    await assertRefused(
      await say(url, { user: "ann", text: "explode" }),
      500,
      "internal",
    );
    await program.until((lines) => lines.some((line) => line.includes('"moderation_failed"')));
    assertEquals((await ann.send("fine")).text, "fine");
    assertEquals((await page(url, "")).map(({ text }) => text), [
      "**** it, ****",
      "fine",
    ]);
    assert(
      !program.lines.some((line) => line.includes("Darn")),
      "no text in the log",
    );
  },
);

Deno.test("moderation_service.ts asks a service, and keeps the sender's order", all, async () => {
  let asked = 0;
  const service = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { room, user, text } = await request.json();
    assertEquals([room, user], ["lobby", "ann"]);
    // The first answers come last.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - 20 * asked++)));
    if (text === "down") return new Response("down", { status: 502 });
    return Response.json(text === "curse" ? { refused: "Mind your words" } : { text: `${text}!` });
  });
  await using program = new ExampleProgram(
    "moderation_service.ts",
    `http://127.0.0.1:${service.addr.port}/judge`,
  );
  const [url] = await program.addresses(1);
  await using ann = connect(url, { room: "lobby", user: "ann" });
  const texts = ["1", "2", "3", "4"];
  const sent = await Promise.all(texts.map((text) => ann.send(text)));
  assertEquals(sent.map(({ text }) => text), ["1!", "2!", "3!", "4!"]);
  assertEquals((await page(url, "")).map(({ text }) => text), ["1!", "2!", "3!", "4!"]);
  const refused = await assertRejects(() => ann.send("curse"), ChatError, "Mind your words");
  assertEquals(refused.code, "not_accepted");
  await assertRefused(await say(url, { user: "ann", text: "down" }), 500, "internal");
  await program.until((lines) => lines.some((line) => line.includes("answered 502")));
  await service.shutdown();
});

Deno.test("hono.ts has a chat under a path of a Hono app", all, async () => {
  await using program = new ExampleProgram("hono.ts");
  const [url] = await program.addresses(1);
  assertEquals(await (await fetch(url)).text(), "My own start page");
  for (const path of ["/chat", "/chat/", "/chat/r/lobby"]) {
    assertMatch(
      await (await fetch(url + path)).text(),
      /<!doctype html>/i,
      path,
    );
  }
  await using ann = connect(`${url}/chat`, { room: "lobby", user: "ann" });
  const { cursor } = await ann.send("hello");
  assertEquals((await page(`${url}/chat`, "")).map((message) => message.cursor), [
    cursor,
  ]);
});

Deno.test("under_a_path.ts has a chat under a path, which its own page uses", all, async () => {
  await using program = new ExampleProgram("under_a_path.ts");
  const [url] = await program.addresses(1);
  const html = await (await fetch(url)).text();
  const [, path] = /from "(.*client\.js)"/.exec(html)!;
  const source = await (await fetch(url + path)).text();
  const { createClient } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  // What the page does, where "/chat" is an address of this server.
  assertMatch(html, /createClient\(new URL\("\/chat", location\)/);
  const visitor = createClient(new URL("/chat", url), { user: "visitor" });
  assertEquals((await visitor.room("guestbook").send({ text: "hello" })).status, "sent");
  visitor.close();
  for (const [path, status] of [["/chat/", 404], ["/chat", 404], ["/rooms/lobby", 404]] as const) {
    const response = await fetch(url + path);
    await response.body?.cancel();
    assertEquals(response.status, status, path);
  }
});

Deno.test("own_keys.ts has its orders beside the chat, and neither sees the other", {
  ...all,
  ...needs("net", "read", "write", "run"),
}, async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/shop.sqlite3`;
    {
      await using program = new ExampleProgram("own_keys.ts", path);
      const [url] = await program.addresses(1);
      await using ann = connect(url, { room: "staff", user: "ann" });
      const messages = received(ann);
      const ordered = await fetch(`${url}/orders`, { method: "POST", body: "a cup" });
      const { id } = await ordered.json();
      await until(ann, () => messages.length === 1);
      const [{ user, text, data }] = messages;
      assertEquals([user, text, data], ["shop", "Order: a cup", { order: id }]);
      assertEquals(await (await fetch(`${url}/orders`)).json(), [{ item: "a cup" }]);
      assertEquals(await program.end("SIGTERM"), 0);
    }
    using kv = await Deno.openKv(path);
    const roots = new Set<unknown>();
    for await (const { key } of kv.list({ prefix: [] })) roots.add(key[0]);
    assertEquals(roots, new Set(["chat", "orders"]));
  });
});

Deno.test(
  "tokens.ts lets in whom it gave a token, where that says",
  all,
  async () => {
    const secret = "a secret that is made for this test alone";
    await using program = new ExampleProgram("tokens.ts", secret);
    const [url] = await program.addresses(1);
    assertEquals(await (await fetch(`${url}/token`)).text(), "Please log in");
    await assertRefused(await fetch(`${url}/rooms/lobby`), 401, "unauthorized");
    const tokenFor = async (user: string) => {
      return await (await fetch(`${url}/token`, {
        headers: { "x-user": user },
      })).text();
    };
    await using bob = connect(url, {
      room: "team-a",
      token: () => tokenFor("bob"),
    });
    assertEquals((await bob.send("hello")).user, "bob");
    await assertRefused(
      await enter(`${url}/rooms/staff`, await tokenFor("bob")),
      403,
      "forbidden",
    );
    const staff = await enter(`${url}/rooms/staff`, await tokenFor("ann"));
    assertEquals((await staff.json()).room, "staff");
  },
);

Deno.test("cookie_sessions.ts lets in who has logged in", all, async () => {
  await using program = new ExampleProgram("cookie_sessions.ts");
  const [url] = await program.addresses(1);
  const logIn = async (user: string, password: string) => {
    const body = new URLSearchParams({ user, password });
    const response = await fetch(`${url}/login`, {
      method: "POST",
      body,
      redirect: "manual",
    });
    await response.body?.cancel();
    return {
      status: response.status,
      cookie: response.headers.get("set-cookie")?.split(";")[0],
    };
  };
  await assertRefused(await fetch(`${url}/rooms/lobby`), 401, "unauthorized");
  assertEquals(await logIn("bob", "wrong"), { status: 403, cookie: undefined });
  const { cookie = "" } = await logIn("bob", "battery staple");
  const ask = (path: string, init?: RequestInit) => {
    return fetch(url + path, {
      ...init,
      headers: { cookie: `theme=dark; ${cookie}` },
    });
  };
  const said = await ask("/rooms/lobby/messages", {
    method: "POST",
    body: '{"text":"hello"}',
  });
  assertEquals([said.status, (await said.json()).user], [201, "bob"]);
  await assertRefused(await ask("/rooms/staff"), 403, "forbidden");
  // As a browser does, which sends its cookie along with the upgrade.
  using socket = await RawSocket.open(`${url}/rooms/lobby/ws`, { cookie });
  assertEquals(socket.status, 101);
  await socket.until('"text":"hello"');
});

async function enter(url: string, session: string): Promise<Response> {
  return await fetch(url, { headers: { authorization: `Bearer ${session}` } });
}

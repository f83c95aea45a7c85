import { assert, assertEquals, assertLess } from "@std/assert";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { judgeMessages } from "../helpers/page_socket.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";

Deno.test("two windows chat, see each other, and see each other type", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const link = `${server.url}/r/lobby`;
  const ann = await ChatWindow.enter(await chromium.window(), link, "ann");
  const bob = await ChatWindow.enter(await chromium.window(), link, "bob");
  await ann.see("#people-heading", "2 people here");
  assertEquals(await ann.page.locator("#people-list .name").allTextContents(), ["ann", "bob"]);

  await ann.say("hello");
  await bob.see("#days .text", "hello");
  await bob.say("hello yourself");
  await bob.page.getByLabel("Message", { exact: true }).pressSequentially("two");
  await bob.page.keyboard.press("Shift+Enter");
  await bob.page.keyboard.type("lines");
  await ann.see("#typing.on", "bob is typing");
  await bob.page.keyboard.press("Enter");
  await ann.seeNo("#typing-text");
  await ann.count(3);
  for (const window of [ann, bob]) {
    assertEquals(await window.texts(), ["hello", "hello yourself", "two\nlines"]);
    assertEquals(window.complaints, []);
  }
  assertEquals(await ann.page.locator(".own .text").allTextContents(), ["hello"]);
  assertEquals(await bob.page.locator(".continued .text").allTextContents(), ["two\nlines"]);
  assertEquals(await ann.page.locator(".day").allTextContents(), ["Today"]);

  // Typing that nobody ends: the server does, after 3 s.
  await ann.page.keyboard.type("hm");
  await bob.see("#typing.on", "ann is typing");
  await bob.seeNo("#typing-text");
  await bob.page.context().close();
  await ann.see("#people-heading", "1 person here");
});

Deno.test("the door says what is wrong, and remembers name and room", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  await page.goto(server.url);
  await page.getByRole("button", { name: "Enter" }).click();
  await page.getByText("The user's name is empty.").waitFor();
  await page.getByLabel("Your name").fill("ann");
  await page.getByLabel("Room", { exact: true }).fill("no/slash");
  await page.keyboard.press("Enter");
  await page.getByText("A room is 1 to 64 of A-Z").waitFor();
  await page.getByLabel("Room", { exact: true }).fill(" #tea corner ");
  await page.keyboard.press("Enter");
  await page.locator("#state", { hasText: "Connected" }).waitFor();
  assertEquals(new URL(page.url()).pathname, "/r/tea-corner");
  assertEquals(await page.title(), "#tea-corner · Hubbub");
  await page.reload();
  await page.locator("#state", { hasText: "Connected" }).waitFor();
  await page.getByRole("link", { name: "Change name or room" }).click();
  assertEquals(await page.getByLabel("Your name").inputValue(), "ann");
  assertEquals(await page.getByLabel("Room", { exact: true }).inputValue(), "tea-corner");
  await page.goto(`${server.url}/r/%3Cscript%3E`);
  await page.getByLabel("Room", { exact: true }).waitFor();
});

Deno.test("the server stops, a message is written, the server starts: it arrives once", {
  ...BROWSER,
}, async () => {
  using kv = await Deno.openKv(":memory:");
  const server = serve(kv);
  await using chromium = Chromium.shared();
  const link = `${server.url}/r/lobby`;
  const ann = await ChatWindow.enter(await chromium.window(), link, "ann");
  const bob = await ChatWindow.enter(await chromium.window(), link, "bob");
  await ann.say("before");
  await bob.count(1);

  await server.stop();
  await ann.state("Waiting");
  await ann.see("#banner", "The server cannot be reached.");
  await ann.say("meanwhile");
  await ann.see("#unsent .message", "Waiting");
  assertEquals(await ann.texts(), ["before"]);

  await using again = serve(kv, { port: server.port });
  await again.hub.publish("lobby", "cleo", { text: "welcome back" });
  await ann.state("Connected");
  await bob.state("Connected");
  await ann.seeNo("#banner");
  for (const window of [ann, bob]) {
    await window.count(3);
    assertEquals((await window.texts()).toSorted(), ["before", "meanwhile", "welcome back"]);
  }
  assertEquals(await ann.texts(), await bob.texts());
  assertEquals(await ann.page.locator("#unsent .message").count(), 0);
  assertEquals((await again.hub.log.last("lobby", { limit: 10 })).length, 3);
});

Deno.test("a message that is refused says so, may be sent again, and outlasts a reload", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  let refusals = 0;
  const refs: string[] = [];
  let isDeaf = false;
  await judgeMessages(page, ({ ref }) => {
    refs.push(String(ref));
    if (isDeaf) return "lose";
    return refusals++ > 0 ? "pass" : { code: "bad_text", message: "Say it nicely" };
  });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.say("now!");
  await ann.see("#unsent .failed", "Not sent: Say it nicely");
  await page.getByRole("button", { name: "Try again" }).click();
  await ann.count(1);
  assertEquals(await page.locator("#unsent .message").count(), 0);

  isDeaf = true;
  await ann.say("lost on the way");
  await ann.see("#unsent .message", "Sending…");
  await page.getByLabel("Message", { exact: true }).fill("and a draft");
  isDeaf = false;
  await page.reload();
  await ann.count(2);
  assertEquals(await ann.texts(), ["now!", "lost on the way"]);
  assertEquals(await page.locator("#unsent .message").count(), 0);
  assertEquals(await page.getByLabel("Message", { exact: true }).inputValue(), "and a draft");
  const [first, retried, lost, repeated] = refs;
  assertEquals([retried, repeated, refs.length], [first, lost, 4]);
  assert(first !== lost);
});

Deno.test("the limit of a text is shown before it is hit, and a longer one stays", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone({ limits: { text_max_bytes: 100 } });
  await using chromium = Chromium.shared();
  const ann = await ChatWindow.enter(await chromium.window(), `${server.url}/r/lobby`, "ann");
  const field = ann.page.getByLabel("Message", { exact: true });
  await field.fill("x".repeat(80));
  assertEquals(await ann.page.locator("#room-left").textContent(), "");
  await field.fill("é".repeat(45));
  await ann.see("#room-left", "5 characters left");
  await field.fill("é".repeat(51));
  await ann.see("#room-left", "Too long by 1 character");
  assert(await ann.page.getByRole("button", { name: "Send" }).isDisabled());
  await field.press("Enter");
  assertEquals(await field.inputValue(), "é".repeat(51));
  await field.fill("é".repeat(50));
  await field.press("Enter");
  await ann.count(1);
  assertEquals(server.events, []);
});

Deno.test("a room that lets nobody in says why, in words", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  // An open hub wants a name: a token is none.
  await page.goto(`${server.url}/r/lobby#token=abc`);
  await page.locator("#state", { hasText: "Disconnected" }).waitFor();
  assertLess(0, (await page.locator("#banner-text").innerText()).length);
  await page.getByRole("button", { name: "Reload" }).waitFor();
  assertEquals(page.url(), `${server.url}/r/lobby`);
});

Deno.test("where no WebSocket gets through, the page says so and does not claim more", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  // As a proxy that does not know of upgrades: it leaves out what concerns one connection.
  await using proxy = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request, info) => {
      const headers = new Headers(request.headers);
      for (const name of ["connection", "upgrade"]) headers.delete(name);
      return server.server.fetch(new Request(request, { headers }), info);
    },
  );
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const link = `http://127.0.0.1:${proxy.addr.port}/r/lobby`;
  const ann = await ChatWindow.open(page, link, "ann");
  await ann.see("#banner-text", "The server answers HTTP, but no WebSocket gets through");
  await ann.say("kept");
  await ann.see("#unsent .message", "Waiting");
  assertEquals(await page.locator("#people-heading").textContent(), "Not connected");
  assertEquals(await page.locator("#people-count").textContent(), "–");
});

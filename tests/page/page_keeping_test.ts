/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import { tokenAuthorizer } from "@hubbub/hub";
import type { Page } from "playwright-core";
import { messageText } from "../../src/store/entry.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { judgeMessages } from "../helpers/page_socket.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";
import { signWithSecret } from "../helpers/tokens.ts";

const SECRET = "a secret of this test, of 32 bytes or more";

/** The server gets nothing that is said on the page, and answers nothing. */
async function deafen(page: Page): Promise<void> {
  await judgeMessages(page, () => "lose");
}

Deno.test("unsent words belong to the user who wrote them", BROWSER, async () => {
  using kv = await Deno.openKv(":memory:");
  const authorize = tokenAuthorizer({ secret: SECRET });
  const server = serve(kv, { authorize });
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const link = `${server.url}/r/lobby`;
  const [alice, bob] = await Promise.all(
    ["alice", "bob"].map((sub) => signWithSecret({ sub }, SECRET)),
  );
  await page.goto(`${link}#token=${alice}`);
  const window = ChatWindow.of(page);
  await window.state("Connected");
  await server.stop();
  await window.state("Waiting");
  await window.say("from alice");
  await page.getByLabel("Message", { exact: true }).fill("a draft of alice");
  // The page loads anew, which it cannot.
  await page.goto(`${link}#token=${bob}`).catch(() => {});

  await using again = serve(kv, { port: server.port, authorize });
  // Until the browser is through with its own page about that.
  while (!await page.goto("about:blank").then(() => true, () => false));
  await page.goto(`${link}#token=${bob}`);
  await window.state("Connected");
  await window.say("from bob");
  await window.count(1);
  assertEquals(await page.locator("#unsent .message").count(), 0);
  assertEquals(await page.getByLabel("Message", { exact: true }).inputValue(), "");
  await page.goto(`${link}#token=${alice}`);
  await window.count(2);
  await page.waitForFunction(() => document.querySelector("#unsent .message") === null);
  assertEquals(
    await page.getByLabel("Message", { exact: true }).inputValue(),
    "a draft of alice",
  );
  const stored = await again.hub.log.last("lobby", { limit: 10 });
  assertEquals(stored.map((record) => [record.user, JSON.parse(messageText(record)).text]), [
    ["bob", "from bob"],
    ["alice", "from alice"],
  ]);
});

Deno.test("a tab that closes asks about unsent words, and they outlast it", BROWSER, async () => {
  using kv = await Deno.openKv(":memory:");
  const server = serve(kv);
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const link = `${server.url}/r/lobby`;
  const ann = await ChatWindow.enter(page, link, "ann");
  const questions: string[] = [];
  let isLeaving = false;
  page.on("dialog", async (dialog) => {
    questions.push(dialog.type());
    if (isLeaving) await dialog.accept();
    else await dialog.dismiss();
  });
  await server.stop();
  await ann.state("Waiting");
  await ann.say("kept");
  await ann.see("#unsent .message", "kept");
  await page.getByLabel("Message", { exact: true }).fill("half a sent");
  const asked = page.waitForEvent("dialog");
  await page.close({ runBeforeUnload: true });
  await asked;
  await ann.see("#unsent .message", "kept");
  isLeaving = true;
  const closed = page.waitForEvent("close");
  await page.close({ runBeforeUnload: true });
  await closed;
  assertEquals(questions, ["beforeunload", "beforeunload"]);

  await using again = serve(kv, { port: server.port });
  const next = await page.context().newPage();
  await next.goto(link);
  const window = ChatWindow.of(next);
  await window.count(1);
  assertEquals(await window.texts(), ["kept"]);
  assertEquals(await next.getByLabel("Message", { exact: true }).inputValue(), "half a sent");
  assertEquals((await again.hub.log.last("lobby", { limit: 10 })).length, 1);
  // Nothing is unsent: nobody is asked.
  await next.waitForFunction(() => document.querySelector("#unsent .message") === null);
  next.on("dialog", () => questions.push("needless"));
  const left = next.waitForEvent("close");
  await next.close({ runBeforeUnload: true });
  await left;
  assertEquals(questions.length, 2);
});

Deno.test("what may have been stored long ago is not sent again unasked", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const link = `${server.url}/r/lobby`;
  await deafen(page);
  const ann = await ChatWindow.enter(page, link, "ann");
  await ann.say("an hour ago");
  await ann.see("#unsent .message", "Sending…");
  await page.close();

  const next = await page.context().newPage();
  await next.addInitScript(() => {
    const { now } = Date;
    Date.now = () => now() + 60 * 60 * 1000;
  });
  await next.goto(link);
  const window = ChatWindow.of(next);
  await window.see("#unsent .message", "It may have been sent.");
  assertEquals((await server.hub.log.last("lobby", { limit: 10 })).length, 0);
  await next.getByRole("button", { name: "Send", exact: true }).first().waitFor();
  await next.locator("#unsent").getByRole("button", { name: "Send" }).click();
  await window.count(1);
  assertEquals(await window.texts(), ["an hour ago"]);
});

Deno.test("a message that another tab sends or discards leaves this one too", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const link = `${server.url}/r/lobby`;
  await deafen(page);
  const ann = await ChatWindow.enter(page, link, "ann");
  await ann.say("in two tabs");
  await ann.see("#unsent .message", "in two tabs");
  const other = await page.context().newPage();
  await other.goto(link);
  const window = ChatWindow.of(other);
  await window.count(1);
  await ann.count(1);
  for (const tab of [page, other]) {
    await tab.waitForFunction(() => document.querySelector("#unsent .message") === null);
  }
  assertEquals((await server.hub.log.last("lobby", { limit: 10 })).length, 1);
});

Deno.test("two servers under one origin do not share what is unsent", BROWSER, async () => {
  await using server = await serveAlone({ basePath: "/one" });
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  await deafen(page);
  const ann = await ChatWindow.enter(page, `${server.url}/one/r/lobby`, "ann");
  await ann.say("for one alone");
  await ann.see("#unsent .message", "for one alone");
  const other = await page.context().newPage();
  await using two = await serveAlone({ basePath: "/two" });
  await other.route(/\/two\//, async (route) => {
    const url = route.request().url().replace(server.url, two.url);
    await route.fulfill({ response: await route.fetch({ url }) });
  });
  const window = await ChatWindow.open(other, `${server.url}/two/r/lobby`, "ann");
  await window.see("#state");
  assertEquals(await other.locator("#unsent .message").count(), 0);
  // What is still being fetched when the window closes fails, and is nobody's affair.
  await other.unrouteAll({ behavior: "ignoreErrors" });
});

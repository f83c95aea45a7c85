import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone, type TestServer } from "../helpers/test_server.ts";

const TEXTS = Array.from({ length: 300 }, (_, i) => `message ${i}${"\nand more".repeat(i % 4)}`);

/** A hub whose lobby holds {@linkcode TEXTS}, said by three users over several days. */
async function startWithHistory(): Promise<TestServer> {
  let now = Date.now() - 75 * 60 * 60 * 1000;
  const server = await serveAlone({ now: () => now });
  for (const [i, text] of TEXTS.entries()) {
    now += 15 * 60 * 1000;
    await server.hub.publish("lobby", ["bob", "cleo", "dan"][(i >> 2) % 3], { text });
  }
  return server;
}

Deno.test("300 messages come by scrolling back, and what is in view stays where it is", {
  ...BROWSER,
}, async () => {
  await using server = await startWithHistory();
  await using chromium = Chromium.shared();
  const ann = await ChatWindow.enter(await chromium.window(), `${server.url}/r/lobby`, "ann");
  await ann.count(50);
  await ann.atEnd();
  for (let count = 100; count <= 300; count += 50) {
    // Near the top, so that the next page is due, with messages above and below the middle.
    const { before, cursor } = await ann.page.evaluate(() => {
      const scroller = document.getElementById("scroller")!;
      scroller.scrollTop = 120;
      const top = scroller.getBoundingClientRect().top + 200;
      const item = [...document.querySelectorAll<HTMLElement>("#days .message")]
        .find((item) => item.getBoundingClientRect().bottom > top)!;
      return { cursor: item.dataset.cursor!, before: item.getBoundingClientRect().top };
    });
    await ann.count(count);
    await ann.stands(cursor, before);
  }
  await ann.scroll(-1_000_000);
  await ann.see("#older", "This is where #lobby begins.");
  assertEquals(await ann.texts(), TEXTS);
  const days = await ann.page.locator(".day").allTextContents();
  assert(days.length >= 4 && new Set(days).size === days.length, days.join());
  assertEquals(days.slice(-2), ["Yesterday", "Today"]);
  assertEquals(ann.complaints, []);
});

Deno.test("a reload keeps the place, and the end stays the end", BROWSER, async () => {
  await using server = await startWithHistory();
  await using chromium = Chromium.shared();
  const ann = await ChatWindow.enter(await chromium.window(), `${server.url}/r/lobby`, "ann");
  for (const count of [100, 150]) {
    await ann.scroll(-1_000_000);
    await ann.count(count);
  }
  await ann.scroll(-700);
  const cursor = await ann.middle();
  const top = await ann.top(cursor);
  await ann.page.reload();
  await ann.state("Connected");
  await ann.see(`[data-cursor="${cursor}"]`);
  await ann.stands(cursor, top);
  await ann.page.getByRole("button", { name: "Newest messages" }).click();
  await ann.seeNo("#jump");
  await ann.page.reload();
  await ann.state("Connected");
  await ann.count(50);
  await ann.atEnd();
});

Deno.test("new messages move only who is at the end; others get a button", BROWSER, async () => {
  await using server = await startWithHistory();
  await using chromium = Chromium.shared();
  const ann = await ChatWindow.enter(await chromium.window(), `${server.url}/r/lobby`, "ann");
  await ann.count(50);
  const say = (text: string) => server.hub.publish("lobby", "bob", { text });
  await say("at the end");
  await ann.count(51);
  await ann.atEnd();

  await ann.scroll(-400);
  const cursor = await ann.middle();
  const top = await ann.top(cursor);
  await say("one");
  await ann.see("#jump.unseen", "1 new message");
  await say("two");
  await ann.see("#jump.unseen", "2 new messages");
  await ann.stands(cursor, top);
  await ann.page.getByRole("button", { name: "2 new messages" }).click();
  await ann.seeNo("#jump");
  await ann.atEnd();

  // One's own message is always seen; a burst of others' does not shake one off.
  await ann.scroll(-400);
  await ann.say("mine");
  await ann.seeNo("#jump");
  for (let i = 0; i < 40; i++) await say(`burst ${i}`);
  await ann.count(94);
  await ann.scroll(0);
  await ann.atEnd();
});

Deno.test("a busy room does not fill the page, and all of it is there by scrolling back", {
  ...BROWSER,
}, async () => {
  await using server = await startWithHistory();
  await using chromium = Chromium.shared();
  const ann = await ChatWindow.enter(await chromium.window(), `${server.url}/r/lobby`, "ann");
  await ann.count(50);
  const texts = Array.from({ length: 800 }, (_, i) => `busy ${i}`);
  for (let i = 0; i < texts.length; i += 50) {
    const some = texts.slice(i, i + 50);
    await Promise.all(some.map((text) => server.hub.publish("lobby", "bob", { text })));
  }
  await ann.see("#days .text", "busy 799");
  const before = await ann.texts();
  assertLess(before.length, 601);
  await ann.atEnd();
  const all = [...TEXTS, ...texts];
  assertEquals(before, all.slice(-before.length));
  while ((await ann.texts()).length < all.length) {
    const { length } = await ann.texts();
    await ann.scroll(-1_000_000);
    await ann.page.waitForFunction(
      (length) => document.querySelectorAll("#days .message").length > length,
      length,
    );
  }
  assertEquals(await ann.texts(), all);
  const groups = await ann.page.locator("#days .message:not(.continued)").count();
  assertEquals(groups, TEXTS.length + 1);
  assertEquals(ann.complaints, []);
});

Deno.test("older messages that cannot be had say so, and come on a second try", {
  ...BROWSER,
}, async () => {
  await using server = await startWithHistory();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  let failures = 0;
  await page.route(/\/messages\?/, (route) => failures++ > 0 ? route.continue() : route.abort());
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.scroll(-1_000_000);
  await ann.see("#older", "Older messages:");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.waitForFunction(() => document.querySelectorAll("#days .message").length > 50);
  assertGreater(failures, 1);
});

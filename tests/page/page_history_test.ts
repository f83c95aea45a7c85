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

/** Scrolls on as long as more comes, and gathers what was shown on the way. */
async function gather(ann: ChatWindow, pixels: number, isDone: () => Promise<boolean>) {
  const seen = new Map<string, string>();
  let most = 0;
  for (;;) {
    const shown = await ann.page.locator("#days .message").evaluateAll((items) =>
      items.map((item) => [
        (item as HTMLElement).dataset.cursor!,
        item.querySelector(".text")!.textContent!,
      ])
    );
    most = Math.max(most, shown.length);
    for (const [cursor, text] of shown) seen.set(cursor, text);
    if (await isDone()) break;
    const ends = [shown.at(0)?.[0], shown.at(-1)?.[0]];
    await ann.scroll(pixels);
    await ann.page.waitForFunction(
      ([first, last]) => {
        const items = document.querySelectorAll<HTMLElement>("#days .message");
        const isOther = items[0]?.dataset.cursor !== first ||
          items[items.length - 1]?.dataset.cursor !== last;
        return isOther || document.getElementById("older")!.textContent!.startsWith("This is") ||
          document.getElementById("jump")!.hidden;
      },
      ends,
    );
  }
  const texts = [...seen].sort(([one], [other]) => one < other ? -1 : 1).map(([, text]) => text);
  return { texts, most };
}

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
  assertLess(before.length, 301);
  await ann.atEnd();
  const all = [...TEXTS, ...texts];
  assertEquals(before, all.slice(-before.length));
  const up = await gather(ann, -1_000_000, () => {
    return ann.page.locator("#older", { hasText: "This is where #lobby begins." }).isVisible();
  });
  assertEquals(up.texts, all);
  assertLess(up.most, 301);
  // They are a quarter of an hour apart: each begins a group.
  const shown = await ann.page.locator("#days .message").count();
  assertEquals(await ann.page.locator("#days .message:not(.continued)").count(), shown);
  // And down again, until what is live is there.
  const down = await gather(ann, 1_000_000, () => ann.page.locator("#jump").isHidden());
  assertEquals(down.texts, all);
  assertLess(down.most, 301);
  await server.hub.publish("lobby", "bob", { text: "live" });
  await ann.see("#days .text", "live");
  await ann.atEnd();
  assertEquals(ann.complaints, []);
});

Deno.test("a link leads to a message thousands back, and from there to all that is around it", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const texts = Array.from({ length: 2_500 }, (_, i) => `far ${i}`);
  const cursors: string[] = [];
  for (let i = 0; i < texts.length; i += 500) {
    const some = texts.slice(i, i + 500).map((text) =>
      server.hub.publish("lobby", "bob", { text })
    );
    for (const result of await Promise.all(some)) {
      if (result.status === "stored") cursors.push(result.record.cursor);
    }
  }
  const page = await chromium.window();
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname.includes("/messages")) asked.push(search);
  });
  const link = (index: number) => `${server.url}/r/lobby#at=${cursors[index]}`;
  const ann = await ChatWindow.enter(page, link(500), "ann");
  const isInView = async (text: string) => {
    const item = page.locator("#days .message", { has: page.getByText(text, { exact: true }) });
    await item.waitFor();
    await page.waitForFunction((cursor) => {
      const item = document.querySelector(`[data-cursor="${cursor}"]`)!;
      const { top, bottom } = item.getBoundingClientRect();
      const view = document.getElementById("scroller")!.getBoundingClientRect();
      return top > view.top && bottom < view.bottom && document.activeElement === item;
    }, await item.getAttribute("data-cursor"));
  };
  await isInView("far 500");
  assertLess(asked.length, 10, asked.join(" "));
  const shown = await ann.texts();
  const first = texts.indexOf(shown[0]);
  assertEquals(shown, texts.slice(first, first + shown.length));
  // It goes on in both directions, and what is live does not get in between.
  await server.hub.publish("lobby", "bob", { text: "live" });
  await ann.see("#jump.unseen", "1 new message");
  for (const pixels of [-1_000_000, 1_000_000, 1_000_000]) {
    const before = await ann.texts();
    await ann.scroll(pixels);
    await page.waitForFunction(
      ([first, last]) => {
        const all = document.querySelectorAll("#days .text");
        return all[0].textContent !== first || all[all.length - 1].textContent !== last;
      },
      [before[0], before.at(-1)!],
    );
  }
  const grown = await ann.texts();
  const start = texts.indexOf(grown[0]);
  assertLess(start, first);
  assertEquals(grown, texts.slice(start, start + grown.length));
  // A reload stays there.
  const cursor = await ann.middle();
  await page.reload();
  await ann.state("Connected");
  await ann.see(`[data-cursor="${cursor}"]`);
  // Another link, in the open page; then to the newest ones, and by writing as well.
  await page.evaluate((hash) => location.hash = hash, `#at=${cursors[1_500]}`);
  await isInView("far 1500");
  await page.locator("#jump").click();
  await ann.seeNo("#jump");
  await ann.see("#days .text", "live");
  await ann.atEnd();
  await page.evaluate((hash) => location.hash = hash, `#at=${cursors[10]}`);
  await isInView("far 10");
  await ann.say("from far away");
  await ann.see("#days .own", "from far away");
  await ann.atEnd();
  await ann.seeNo("#jump");
  // A message that is not there is said to be so, and nothing moves.
  await page.evaluate(() => location.hash = "#at=0000000000000000zzzz");
  await ann.see("#announcer", "That message is not here any more");
  await ann.atEnd();
  assertEquals(ann.complaints.filter((text) => !text.includes("404")), []);
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

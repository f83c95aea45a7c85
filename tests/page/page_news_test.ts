// What is new, where it begins, and what a text looks like.

/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { barriers } from "../helpers/axe.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone } from "../helpers/test_server.ts";

/** Makes a page believe that it is hidden, or no longer. */
function hide(page: Page, isHidden: boolean): Promise<void> {
  return page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden ? "hidden" : "visible");
}

/** The text of the message behind the line, and where the line is in the view. */
function line(page: Page): Promise<[string | undefined, boolean]> {
  return page.evaluate(() => {
    const line = document.querySelector("#days .new");
    const view = document.getElementById("scroller")!.getBoundingClientRect();
    const place = line?.getBoundingClientRect();
    const isInView = place !== undefined && place.top >= view.top && place.bottom <= view.bottom;
    return [line?.nextElementSibling?.querySelector(".text")?.textContent ?? undefined, isInView];
  });
}

Deno.test("a line stands before what is new, buttons lead there, and counts shrink", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window({ viewport: { width: 1280, height: 500 } });
  const publish = async (from: number, to: number) => {
    for (let number = from; number < to; number++) {
      await server.hub.publish("lobby", "bob", { text: `text ${number}` });
    }
  };
  await publish(0, 5);
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.atEnd();
  assertEquals(await line(page), [undefined, false]);
  // A hidden tab follows what comes; whoever comes back is led to where it began.
  await hide(page, true);
  await publish(5, 45);
  await ann.see("#days .text", "text 44");
  await ann.atEnd();
  await hide(page, false);
  assertEquals(await line(page), ["text 5", false]);
  await page.locator("#to-new").click();
  await ann.see("#jump", /new messages|Newest messages/);
  assertEquals(await line(page), ["text 5", true]);
  await ann.seeNo("#to-new");
  await ann.say("I read it");
  await ann.atEnd();
  assertEquals(await line(page), [undefined, false]);

  // Who reads further up gets a line below, and a count that shrinks on the way down.
  await ann.scroll(-2000);
  await publish(45, 75);
  await ann.see("#jump", "30 new messages");
  assertEquals((await line(page))[0], "text 45");
  await page.locator("#jump").click();
  assertEquals(await line(page), ["text 45", true]);
  await ann.scroll(200);
  await ann.see("#jump", /^\s*1?\d new messages|2\d new messages/);
  const count = Number((await page.locator("#jump-text").textContent())!.split(" ")[0]);
  assert(count > 0 && count < 30, String(count));
  await page.locator("#jump").click();
  await ann.atEnd();
  await ann.seeNo("#jump");

  // A tab that was closed: the room opens where the new begins.
  await page.goto("about:blank");
  await publish(75, 160);
  await page.goto(`${server.url}/r/lobby`);
  await ann.state("Connected");
  await ann.see("#days .new");
  await ann.see("#jump", /new messages/);
  assertEquals(await line(page), ["text 75", true]);
  assertEquals(ann.complaints, []);
});

Deno.test(
  "code, mentions and emoji are shown as such; times are at hand; links lead to a message",
  {
    ...BROWSER,
  },
  async () => {
    await using server = await serveAlone();
    await using chromium = Chromium.shared();
    const page = await chromium.window({ viewport: { width: 360, height: 640 } });
    const say = (text: string) => server.hub.publish("lobby", "bob", { text });
    const long = `const a = ${"x + ".repeat(40)}x;`;
    await say(`look:\n\`\`\`ts\n  ${long}\n\`\`\`\nor \`b\``);
    await say("hello @ann and @annette");
    await say("👍🎉");
    // Every 4.5 minutes one: two of them are within 5 minutes, three are not.
    const began = Date.UTC(2026, 10, 23, 9);
    await page.routeWebSocket(/\/ws(\?|$)/, (socket) => {
      const upstream = socket.connectToServer();
      let count = 0;
      upstream.onMessage((frame) => {
        socket.send(String(frame).replace(/"at":\d+/g, () => `"at":${began + 270_000 * count++}`));
      });
    });
    const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
    await ann.count(3);
    const texts = page.locator("#days .text");
    assertEquals(await texts.locator("pre").allTextContents(), [`  ${long}`]);
    assertEquals(await page.locator("#days .text > code").allTextContents(), ["b"]);
    assertEquals(await texts.locator("mark").allTextContents(), ["@ann"]);
    assertEquals(await page.locator("#days .text.emoji").allTextContents(), ["👍🎉"]);
    assertEquals(
      await page.locator("#days .message").evaluateAll((items) =>
        items.map((item) => item.classList.contains("continued"))
      ),
      [false, true, false],
    );
    assertEquals(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    // A block of code scrolls by itself.
    assert(await texts.locator("pre").evaluate((pre) => pre.scrollWidth > pre.clientWidth));
    const time = page.locator("#days .continued .byline");
    assert((await time.boundingBox())!.width < 8);
    await page.locator("#days .continued").focus();
    assert((await time.boundingBox())!.width > 10);
    const found = await barriers(page, "texts");

    for (let number = 0; number < 70; number++) await say(`filler ${number}`);
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await page.locator("#days .continued").first().focus();
    await page.locator("#tool-link").press("Enter");
    const { hash } = new URL(page.url());
    assert(hash.startsWith("#at="), hash);
    const other = await chromium.window();
    const bob = await ChatWindow.enter(other, `${server.url}/r/lobby${hash}`, "cy");
    await bob.see(".found .text", "hello @ann and @annette");
    // The same in a page that is open.
    await ann.scroll(100_000);
    await page.evaluate((hash) => {
      location.hash = "";
      location.hash = hash;
    }, hash);
    await ann.see(".found .text", "hello @ann and @annette");
    assertEquals(found, []);
  },
);

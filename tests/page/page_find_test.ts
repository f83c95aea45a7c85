// Finding words in what a room has.

/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import { barriers } from "../helpers/axe.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone } from "../helpers/test_server.ts";

Deno.test("words are found in what is here, then further and further back, by keyboard", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const texts = Array.from({ length: 1_500 }, (_, i) => {
    if (i === 20) return "the First mention of Ümläut";
    return i === 700 || i === 1_490 ? `an ümläut at ${i}` : `line ${i}`;
  });
  for (let i = 0; i < texts.length; i += 500) {
    const some = texts.slice(i, i + 500);
    await Promise.all(some.map((text) => server.hub.publish("lobby", "bob", { text })));
  }
  const page = await chromium.window();
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.count(50);
  /** The message that stands out is in view, with its words marked, and counted. */
  const isFound = async (text: string, count: string) => {
    await ann.see("#find-count", count);
    await page.waitForFunction((text) => {
      const item = document.querySelector(".finding");
      if (item?.querySelector(".text")?.textContent !== text) return false;
      const view = document.getElementById("scroller")!.getBoundingClientRect();
      const { top, bottom } = item.getBoundingClientRect();
      const [range] = CSS.highlights.get("found") ?? [];
      return top >= view.top && bottom <= view.bottom && /ümläut/i.test(String(range));
    }, text);
  };
  await page.keyboard.press("Control+f");
  await page.keyboard.type("ümläut");
  await isFound("an ümläut at 1490", "1 of 1");
  await page.keyboard.press("Enter");
  await isFound("an ümläut at 700", "1 of 2");
  const found = await barriers(page, "find");
  await page.keyboard.press("Enter");
  await isFound("the First mention of Ümläut", "1 of 3");
  await page.keyboard.press("Enter");
  await ann.see("#find-count", "Nothing further back");
  await page.keyboard.press("Shift+Enter");
  await isFound("an ümläut at 700", "2 of 3");
  await page.getByRole("button", { name: "Further on" }).click();
  await isFound("an ümläut at 1490", "3 of 3");
  // What is not there, and what was deleted.
  await page.locator("#find-text").fill("nowhere to be found");
  await ann.see("#find-count", "Not found yet");
  await page.locator("#find-text").press("Escape");
  await ann.seeNo("#find");
  assertEquals(await page.evaluate(() => document.activeElement?.id), "composer-text");
  assertEquals(await page.locator(".finding").count(), 0);
  assertEquals([...found, ...ann.complaints], []);
});

Deno.test("on a phone, finding is behind the logo", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  await server.hub.publish("lobby", "bob", { text: "the needle" });
  const viewport = { width: 360, height: 640 };
  const page = await chromium.window({ viewport, hasTouch: true, isMobile: true });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.count(1);
  await page.locator("#rooms-toggle").click();
  await page.getByRole("button", { name: "Find in this room" }).click();
  await page.keyboard.type("needle");
  await ann.see(".finding .text", "the needle");
  const places = await page.locator("#find > *, #top > :not([hidden])").evaluateAll((all) =>
    all.filter((one) => one.checkVisibility()).map((one) => {
      const { left, right, height } = one.getBoundingClientRect();
      return [left >= 0, right <= innerWidth, height >= 15];
    })
  );
  assertEquals(places.flat().filter((isGood) => !isGood), []);
  const rows = await page.locator("#find > *").evaluateAll((all) =>
    new Set(all.map((one) => Math.round((one.getBoundingClientRect().top) / 30))).size
  );
  assertEquals(rows <= 2, true, `${rows} rows`);
  await page.getByRole("button", { name: "Stop finding" }).click();
  await ann.seeNo("#find");
});

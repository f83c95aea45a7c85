// Large text, low windows, and other colours.

/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone } from "../helpers/test_server.ts";

Deno.test("with text of 200 % on 360 pixels, and on a phone on its side, the room is all there", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  await server.hub.publish("lobby", "bob", { text: "the last message" });
  const cases = [
    { viewport: { width: 360, height: 740 }, size: "200%" },
    { viewport: { width: 640, height: 190 }, size: "100%" },
  ];
  for (const { viewport, size } of cases) {
    const page = await chromium.window({ viewport });
    const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
    await ann.see("#days .text", "the last message");
    await page.evaluate((size) => document.documentElement.style.fontSize = size, size);
    await ann.atEnd();
    const seen = await page.evaluate(() => {
      const { top, bottom } = document.getElementById("scroller")!.getBoundingClientRect();
      const parts = ["#room-name", "#composer-text", "#send", "#days .message:last-child .text"];
      const places = parts.map((part) => document.querySelector(part)!.getBoundingClientRect());
      const text = places[3];
      return {
        isOut: places.some((place) =>
          place.width < 10 || place.left < 0 || place.right > innerWidth || place.top < 0 ||
          place.bottom > innerHeight
        ),
        isHidden: text.bottom > bottom + 1 || text.bottom - 20 < top,
        width: document.documentElement.scrollWidth,
      };
    });
    assertEquals(seen, { isOut: false, isHidden: false, width: viewport.width }, size);
  }
});

Deno.test("with forced colours, what is chosen and what is new can be told", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window({ forcedColors: "active", reducedMotion: "reduce" });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.say("hello");
  await ann.see("#days .own");
  const styles = await page.evaluate(() => {
    const style = (selector: string) => getComputedStyle(document.querySelector(selector)!);
    return [
      style("#days .text").borderTopStyle,
      style(".room-link[aria-current]").outlineStyle,
      style(".dots i").animationName,
    ];
  });
  assertEquals(styles, ["solid", "solid", "none"]);
});

Deno.test("what is written from right to left stands so, and nothing around it is moved", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const text = "hello everybody\nשלום לכולם! https://example.org/a\nand `code()`";
  await server.hub.publish("lobby", "דנה", { text });
  await server.hub.publish("lobby", "ann", { text: "مرحبا بالجميع (v2.1)!" });
  const page = await chromium.window();
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.count(2);
  await page.getByLabel("Message", { exact: true }).fill("שלום!");
  const seen = await page.evaluate(() => {
    const [mixed, own] = document.querySelectorAll("#days .text");
    /** Where words stand in a text: CSS pixels from its sides. */
    const sides = (element: Element, words: string) => {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      const box = element.getBoundingClientRect();
      while (walker.nextNode()) {
        const node = walker.currentNode;
        const at = node.textContent!.indexOf(words);
        if (at < 0) continue;
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + words.length);
        const { left, right } = range.getBoundingClientRect();
        return { left: left - box.left, right: box.right - right };
      }
      throw new Error(words);
    };
    const name = document.querySelector("#days .author")!.getBoundingClientRect();
    const time = document.querySelector("#days .time")!.getBoundingClientRect();
    return {
      english: sides(mixed, "hello").left < 30,
      hebrew: sides(mixed, "שלום").right < 30,
      // The end of a sentence is on its left.
      mark: sides(own, "!").left < 30,
      link: getComputedStyle(mixed.querySelector("a")!).direction,
      time: time.left > name.right,
      field: getComputedStyle(document.querySelector("#composer-text")!).direction,
    };
  });
  assertEquals(seen, {
    english: true,
    hebrew: true,
    mark: true,
    link: "ltr",
    time: true,
    field: "rtl",
  });
});

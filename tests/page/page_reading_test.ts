/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";

/** How much higher than the window the document is, and how far it is scrolled. */
function overflow(page: Page): Promise<number[]> {
  return page.evaluate(() => {
    scrollBy(0, 10_000);
    const { scrollHeight, clientHeight } = document.documentElement;
    return [scrollHeight - clientHeight, document.body.scrollHeight - innerHeight, scrollY];
  });
}

Deno.test("the document is as high as the window, whatever is in it", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  for (let i = 0; i < 40; i++) {
    await server.hub.publish("lobby", "bob", { text: `one author ${i}` });
  }
  for (const viewport of [{ width: 1280, height: 800 }, { width: 360, height: 640 }]) {
    const page = await chromium.window({ viewport });
    const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
    await ann.count(40);
    const field = page.getByLabel("Message", { exact: true });
    for (const key of ["PageDown", "PageUp", "End", "Space"]) await field.press(key);
    assertEquals(await overflow(page), [0, 0, 0]);
    await ann.scroll(-1_000_000);
    await field.fill("line\n".repeat(60));
    await field.press("PageDown");
    assertEquals(await overflow(page), [0, 0, 0]);
    await page.getByRole("button", { name: "About this server" }).click();
    await page.keyboard.press("Escape");
    if (viewport.width < 1000) await page.locator("#people-toggle").click();
    assertEquals(await overflow(page), [0, 0, 0]);
    await page.context().close();
  }
});

Deno.test("the newest messages are followed at once, also in a busy room", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  for (let i = 0; i < 50; i++) await server.hub.publish("lobby", "bob", { text: `before ${i}` });
  const ann = await ChatWindow.enter(await chromium.window(), `${server.url}/r/lobby`, "ann");
  await ann.count(50);
  let isBusy = true;
  let said = 0;
  const talk = (async () => {
    while (isBusy) {
      await server.hub.publish("lobby", "bob", { text: `busy ${said++}` });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const press = () =>
    ann.page.locator("#jump").evaluate((jump) => {
      if (jump instanceof HTMLElement && !jump.hidden) jump.click();
    });
  try {
    for (const reach of ["button", "wheel"]) {
      await ann.scroll(-600);
      await ann.see("#jump.unseen");
      if (reach === "button") {
        // Where more has come than fits, the first step leads to where it begins.
        await press();
        await press();
      } // As far as what is painted reaches, while more comes.
      else await ann.scroll(1_000_000);
      await ann.seeNo("#jump");
      const from = said;
      await ann.page.waitForFunction(
        (text) =>
          [...document.querySelectorAll("#days .text")].some(({ textContent }) =>
            textContent === text
          ),
        `busy ${from + 10}`,
      );
      await ann.atEnd();
      assertEquals(await ann.page.locator("#jump").isVisible(), false, reach);
    }
  } finally {
    isBusy = false;
    await talk;
  }
  assertEquals(ann.complaints, []);
});

Deno.test(
  "the line stays where the new begins until all of it was seen, and a second step leads to the end",
  {
    ...BROWSER,
  },
  async () => {
    await using server = await serveAlone();
    await using chromium = Chromium.shared();
    const say = async (name: string, count: number) => {
      const texts = Array.from({ length: count }, (_, i) => `${name} ${i}`);
      await Promise.all(texts.map((text) => server.hub.publish("lobby", "bob", { text })));
    };
    await say("before", 50);
    const ann = await ChatWindow.enter(await chromium.window(), `${server.url}/r/lobby`, "ann");
    await ann.count(50);
    await ann.scroll(-600);
    const jump = ann.page.locator("#jump");
    await say("while away", 40);
    await ann.see("#jump", "40 new messages");
    await jump.click();
    const afterLine = () =>
      ann.page.locator("li.new + .message .text").evaluate((text) => {
        const { top, bottom } = text.getBoundingClientRect();
        return [text.textContent, top > 0 && bottom < innerHeight];
      });
    assertEquals(await afterLine(), ["while away 0", true]);
    // More than fits comes while the reader is at the first of them.
    await say("meanwhile", 60);
    await ann.count(150);
    assertEquals(await afterLine(), ["while away 0", true]);
    await jump.click();
    await ann.seeNo("#jump");
    await ann.atEnd();
    await ann.scroll(-600);
    await say("again", 1);
    await ann.see("#jump", "1 new message");
    assertEquals((await afterLine())[0], "again 0");
    assertEquals(ann.complaints, []);
  },
);

Deno.test("messages that may be missing are so where the page says it", BROWSER, async () => {
  const old = await Deno.openKv(":memory:");
  // The page tells another log by its places, which count the commits of the database: this one is
  // far ahead of the other, however often hubs write something of their own.
  for (let i = 0; i < 1_000; i++) await old.set(["ahead"], i);
  const server = serve(old);
  for (let i = 0; i < 60; i++) await server.hub.publish("lobby", "bob", { text: `old ${i}` });
  await using chromium = Chromium.shared();
  const ann = await ChatWindow.enter(await chromium.window(), `${server.url}/r/lobby`, "ann");
  await ann.count(50);
  await server.stop();
  old.close();
  await ann.state("Waiting");

  using kv = await Deno.openKv(":memory:");
  const filling = serve(kv);
  for (let i = 0; i < 55; i++) await filling.hub.publish("lobby", "bob", { text: `new ${i}` });
  await filling.stop();
  await using again = serve(kv, { port: server.port });
  await ann.state("Connected");
  await ann.see("#days .text", "new 54");
  await again.hub.publish("lobby", "bob", { text: "live" });
  await ann.see("#days .text", "live");
  const lines = () =>
    ann.page.locator("#content .text, #content .gap").evaluateAll((all) =>
      all.map(({ textContent }) => textContent)
    );
  const gap = "Messages may be missing here";
  const range = (name: string, from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `${name} ${from + i}`);
  assertEquals(await lines(), [...range("old", 10, 60), gap, ...range("new", 5, 55), "live"]);
  // Older messages of the log that is there now come below the gap.
  await ann.page.locator("#older").evaluate((line) => line.scrollIntoView());
  await ann.see("#older", "This is where #lobby begins.");
  assertEquals(await lines(), [...range("old", 10, 60), gap, ...range("new", 0, 55), "live"]);
});

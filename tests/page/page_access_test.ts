/// <reference lib="dom" />
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { barriers, COLOUR_RULES } from "../helpers/axe.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone } from "../helpers/test_server.ts";

const PHONE = { width: 360, height: 640 };

// Light and dark differ in nothing but colours.
for (const [colorScheme, rules] of [["light"], ["dark", COLOUR_RULES]] as const) {
  Deno.test(`axe-core finds no violation on the ${colorScheme} page`, BROWSER, async () => {
    await using server = await serveAlone({ limits: { text_max_bytes: 50 } });
    await using chromium = Chromium.shared();
    for (const viewport of [PHONE, { width: 1280, height: 800 }]) {
      const page = await chromium.window({ colorScheme, viewport });
      await page.goto(`${server.url}/r/no%20room`);
      await page.getByRole("button", { name: "Enter" }).click();
      const found = await barriers(page, "door", rules);
      const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
      for (let user = 0; user < 12; user++) {
        const text = "a link: https://example.org/ and some text";
        await server.hub.publish("lobby", `user ${user}`, { text });
      }
      const bob = server.hub.join("lobby", { user: "bob", send: () => {}, close: () => {} });
      bob.typing(true);
      await ann.say("mine, with https://example.org/");
      await ann.see("#days .own");
      await ann.see("#typing.on");
      await page.getByLabel("Message", { exact: true }).fill("x".repeat(51));
      await ann.scroll(-300);
      await ann.see("#jump");
      found.push(...await barriers(page, "room", rules));
      await page.getByRole("button", { name: "About this server" }).click();
      found.push(...await barriers(page, "about", rules));
      await page.keyboard.press("Escape");
      if (viewport === PHONE) {
        await page.getByRole("button", { name: /^People here/ }).click();
        found.push(...await barriers(page, "people", rules));
      }
      // As after a close for good: the banner, and a message that was not sent.
      await page.evaluate(() => {
        document.getElementById("banner")!.hidden = false;
        document.getElementById("reload")!.hidden = false;
        document.getElementById("banner-text")!.textContent = "The server cannot be reached.";
        document.querySelector("#days .own")!.classList.add("unsent", "failed");
      });
      found.push(...await barriers(page, "banner", rules));
      assertEquals(found, []);
      bob.leave();
      await page.context().close();
    }
  });
}

Deno.test("the page fits a window of 360 pixels and works there by keyboard", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window({ viewport: PHONE });
  const ann = await ChatWindow.enter(
    page,
    `${server.url}/r/${"long-".repeat(12)}name`,
    "a".repeat(64),
  );
  await ann.say("w".repeat(300));
  await ann.say(`https://example.org/${"path/".repeat(40)}`);
  await server.hub.publish(`${"long-".repeat(12)}name`, "ü".repeat(64), { text: "x ".repeat(200) });
  await ann.count(3);
  const widths = await page.evaluate(() =>
    [document.documentElement, document.getElementById("scroller")!].map((box) => box.scrollWidth)
  );
  for (const width of widths) assertLessOrEqual(width, 360);
  for (const selector of ["#composer-text", "#send", "#people-toggle", "#invite", ".home"]) {
    const box = await page.locator(selector).boundingBox();
    assert(box && box.x >= 0 && box.x + box.width <= 360 && box.y + box.height <= 640, selector);
  }
  const people = page.locator("#people");
  await people.waitFor({ state: "hidden" });
  await page.locator("#people-toggle").focus();
  await page.keyboard.press("Enter");
  await people.waitFor();
  await page.keyboard.press("Escape");
  await people.waitFor({ state: "hidden" });
  assertEquals(await page.evaluate(() => document.activeElement?.id), "people-toggle");
});

Deno.test("a message full of HTML stays text, and only http links are links", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const text = [
    `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script>`,
    `<a href="javascript:document.title='broken'">click</a> javascript:alert(1)`,
    "(see https://example.org/a_(b)?q=<b>.) &lt;b&gt; \u202eabc",
  ].join("\n");
  const name = `<b onclick="1">&amp;`;
  await server.hub.publish("lobby", name, { text });
  const ann = await ChatWindow.enter(await chromium.window(), `${server.url}/r/lobby`, "ann");
  assertEquals(await ann.texts(), [text]);
  assertEquals(await ann.page.locator("#days .author").allTextContents(), [name]);
  const item = ann.page.locator("#days .message");
  assertEquals(await item.locator("img, script, b").count(), 0);
  assertEquals(await item.locator("a").count(), 1);
  const link = item.locator("a");
  assertEquals(await link.getAttribute("href"), "https://example.org/a_(b)?q=");
  assertEquals(await link.getAttribute("rel"), "noopener noreferrer nofollow");
  assertEquals(await ann.page.title(), "#lobby · Hubbub");
  assertEquals(ann.complaints, []);
});

Deno.test("a screen reader hears what is new, and not what is old", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  await server.hub.publish("lobby", "bob", { text: "old" });
  const ann = await ChatWindow.enter(await chromium.window(), `${server.url}/r/lobby`, "ann");
  await ann.say("mine");
  await server.hub.publish("lobby", "bob", { text: "new" });
  await ann.count(3);
  assertEquals(await ann.page.locator("[aria-live=polite] p").allTextContents(), ["bob: new"]);
});

Deno.test("who wants no motion gets none", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const names: string[] = [];
  for (const reducedMotion of ["no-preference", "reduce"] as const) {
    const page = await chromium.window({ reducedMotion });
    await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
    names.push(
      await page.locator(".dots i").first().evaluate((dot) => getComputedStyle(dot).animationName),
    );
  }
  assertEquals(names, ["dot", "none"]);
});

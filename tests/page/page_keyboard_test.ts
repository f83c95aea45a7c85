/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { judgeMessages } from "../helpers/page_socket.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";

/** The id of the element that has the focus, or its text, or `body`. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement } = document;
    if (!activeElement || activeElement === document.body) return "body";
    return activeElement.id || activeElement.textContent || "";
  });
}

Deno.test("the Enter that ends a word of an input method does not send it", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  const field = page.getByLabel("Message", { exact: true });
  const devtools = await page.context().newCDPSession(page);
  // As Chromium and Firefox do: the key comes while the composition goes on.
  await devtools.send("Input.imeSetComposition", {
    text: "にほん",
    selectionStart: 3,
    selectionEnd: 3,
  });
  const enter = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 };
  await devtools.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...enter });
  await devtools.send("Input.insertText", { text: "日本" });
  assertEquals(await field.inputValue(), "日本");
  // As Safari does: the composition ends before the key, and only its code tells.
  await field.evaluate((field) => {
    field.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
    field.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: "日本" }));
    const key = { key: "Enter", keyCode: 229, bubbles: true, cancelable: true };
    field.dispatchEvent(new KeyboardEvent("keydown", key));
  });
  assertEquals(await field.inputValue(), "日本");
  assertEquals(await page.locator(".message").count(), 0);
  await field.press("Enter");
  await ann.count(1);
  assertEquals(await ann.texts(), ["日本"]);
});

Deno.test("an Enter held down since the door does not send what was kept in the field", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  const field = page.getByLabel("Message", { exact: true });
  await field.fill("half a thought");
  await page.goto(server.url);
  await page.getByLabel("Your name").focus();
  await page.keyboard.down("Enter");
  await ann.state("Connected");
  // The same key, not yet let go.
  for (let i = 0; i < 3; i++) await page.keyboard.down("Enter");
  await page.keyboard.up("Enter");
  assertEquals(await field.inputValue(), "half a thought");
  assertEquals(await page.locator(".message").count(), 0);
  await field.press("Enter");
  await ann.count(1);
  assertEquals(await ann.texts(), ["half a thought"]);
});

Deno.test("the focus goes on where the button that had it is gone", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  await judgeMessages(page, () => ({ code: "bad_text", message: "Say it nicely" }));
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  for (const text of ["one", "two"]) {
    await ann.say(text);
    await ann.see("#unsent .failed", text);
  }
  const button = (text: string, name: string) =>
    page.locator("#unsent .failed", { hasText: text }).getByRole("button", { name });
  await button("one", "Try again").focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("#unsent .failed").length === 2);
  assertEquals(await focused(page), "Try again");
  await button("one", "Discard").focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("#unsent .message").length === 1);
  assertEquals(await focused(page), "Try again");
  await button("two", "Discard").focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("#unsent .message").length === 0);
  assertEquals(await focused(page), "composer-text");
});

Deno.test("a second try for older messages, and the way to the newest, keep the focus", {
  ...BROWSER,
}, async () => {
  using kv = await Deno.openKv(":memory:");
  await using server = serve(kv);
  for (let i = 0; i < 90; i++) await server.hub.publish("lobby", "bob", { text: `message ${i}` });
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  let isBroken = true;
  await page.route(/\/messages\?/, (route) => isBroken ? route.abort() : route.continue());
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.count(50);
  await ann.scroll(-1_000_000);
  await page.getByRole("button", { name: "Try again" }).focus();
  isBroken = false;
  await page.keyboard.press("Enter");
  await ann.count(90);
  assertEquals(await focused(page), "scroller");
  await page.locator("#jump").focus();
  await ann.scroll(1_000_000);
  await ann.seeNo("#jump");
  assertEquals(await focused(page), "scroller");
});

// What one writes: where it stands meanwhile, whom it mentions, and where it is kept.

/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import { barriers } from "../helpers/axe.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { judgeMessages } from "../helpers/page_socket.ts";
import { serveAlone } from "../helpers/test_server.ts";

Deno.test("what is not stored yet has the place and the size that it will have", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  let isDeaf = false;
  await judgeMessages(page, () => isDeaf ? "lose" : "pass");
  await server.hub.publish("lobby", "bob", { text: "from bob" });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  for (const text of ["first of a group", "second `of` it\n```\nwith code\n```"]) {
    isDeaf = true;
    await ann.say(text);
    const pending = await ann.see("#unsent .message", "Sending…");
    const before = await pending.locator(".text").boundingBox();
    isDeaf = false;
    await page.reload();
    await ann.seeNo("#unsent .message");
    await ann.atEnd();
    const after = await page.locator("#days .own .text").last().boundingBox();
    assertEquals(after, before, text);
  }
  assertEquals(ann.complaints, []);
});

Deno.test("people are offered after an @, by name or user name; code keeps its indent", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window({ viewport: { width: 360, height: 640 } });
  for (const user of ["bob", "bertha", "cy"]) {
    await server.hub.publish("lobby", user, { text: `${user} wrote this` });
  }
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.count(3);
  const field = page.getByLabel("Message", { exact: true });
  const offered = () => page.locator("#mention-list .name").allTextContents();
  await field.pressSequentially("hi @b");
  await ann.see("#mention-list");
  assertEquals(await offered(), ["bertha", "bob"]);
  const found = await barriers(page, "mentions");
  await field.press("ArrowDown");
  assertEquals(await field.getAttribute("aria-activedescendant"), "mention-1");
  await field.press("Enter");
  assertEquals(await field.inputValue(), "hi @bob ");
  await ann.seeNo("#mention-list");
  await field.pressSequentially("a@b");
  assert(await page.locator("#mention-list").isHidden());
  await field.fill("@");
  await ann.see("#mention-list");
  await field.press("Escape");
  await ann.seeNo("#mention-list");
  assertEquals(await field.inputValue(), "@");
  await field.fill("@c");
  await page.locator("#mention-list li").click();
  assertEquals(await field.inputValue(), "@cy ");

  await field.fill("\n    indented\n  less\n\n");
  await field.press("Enter");
  await ann.see("#days .own");
  assertEquals(await page.locator("#days .own .text").textContent(), "    indented\n  less");
  assertEquals(found, []);
});

Deno.test("a phone's Enter begins a line; drafts belong to their rooms", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window({
    viewport: { width: 360, height: 640 },
    hasTouch: true,
    isMobile: true,
  });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  const field = page.getByLabel("Message", { exact: true });
  await field.pressSequentially("one");
  await field.press("Enter");
  await field.pressSequentially("two");
  assertEquals(await field.inputValue(), "one\ntwo");
  assertEquals(await field.getAttribute("enterkeyhint"), "enter");
  await page.keyboard.press("Control+k");
  await page.locator("#switcher-text").fill("tea");
  await page.keyboard.press("Enter");
  await page.locator("#room-name", { hasText: "tea" }).waitFor();
  assertEquals(await field.inputValue(), "");
  await field.fill("for tea");
  await page.goBack();
  await page.locator("#room-name", { hasText: "lobby" }).waitFor();
  assertEquals(await field.inputValue(), "one\ntwo");
  await ann.state("Connected");
  await page.getByRole("button", { name: "Send" }).tap();
  await ann.see("#days .own", "two");
  // Outlasts the tab.
  await page.close({ runBeforeUnload: false });
  const next = await page.context().newPage();
  await next.goto(`${server.url}/r/tea`);
  await next.waitForFunction(() =>
    (document.getElementById("composer-text") as HTMLTextAreaElement).value === "for tea"
  );
});

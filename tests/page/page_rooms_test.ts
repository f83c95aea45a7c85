// The column of rooms, on one connection.

/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import { barriers } from "../helpers/axe.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { eventually } from "../helpers/patience.ts";
import { serveAlone } from "../helpers/test_server.ts";

Deno.test("rooms beside the open one: counts, mentions, last lines, by mouse and by keyboard", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const sockets: string[] = [];
  page.on("websocket", (socket) => void sockets.push(socket.url()));
  const say = (room: string, text: string) => server.hub.publish(room, "bob", { text });
  await say("tea", "from before");
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  const names = () => page.locator("#rooms-list .room-label").allTextContents();
  const row = (room: string) =>
    page.locator("#rooms-list li", { has: page.locator(`bdi:text-is("${room}")`) });
  const isOpen = (room: string) => page.locator("#room-name", { hasText: room }).waitFor();
  const write = async (room: string) => {
    await page.keyboard.press("Control+k");
    await page.locator("#switcher-text").fill(room);
    await page.keyboard.press("Enter");
    await isOpen(room);
    await ann.state("Connected");
  };
  await write("deploys");
  await write("tea");
  await ann.see("#days .text", "from before");
  await ann.say("mine");
  await ann.see("#days .own");
  assertEquals(await names(), ["lobby", "deploys", "tea"]);
  assertEquals(sockets.length, 1, sockets.join(" "));

  // What was there before the first visit is not unread, nor is what one writes.
  await say("lobby", "one");
  const two = await say("lobby", "two, @Ann");
  assert(two.status === "stored");
  await say("deploys", "three");
  await row("lobby").locator(".badge", { hasText: "@ 2" }).waitFor();
  await row("lobby").locator(".room-last", { hasText: "bob: two, @Ann" }).waitFor();
  await row("deploys").locator(".badge", { hasText: "1" }).waitFor();
  assert(await row("tea").locator(".badge").isHidden());
  await row("lobby").getByRole("link", { name: "lobby , 2 unread, 1 mention" }).waitFor();
  const found = await barriers(page, "column");

  // By keyboard: to the next unread one, and past the others.
  await page.keyboard.press("Alt+Shift+ArrowDown");
  await isOpen("lobby");
  await ann.see("#days .text", "two, @Ann");
  await row("lobby").locator(".badge").waitFor({ state: "hidden" });
  // What one leaves within the frame that shows it is not read yet.
  await eventually(async () => {
    const kept = await page.evaluate(() => Object.values(localStorage).join());
    return kept.includes(`"read":"${two.record.cursor}"`);
  }, "the page to note that it was read");
  await page.keyboard.press("Alt+Shift+ArrowDown");
  await isOpen("deploys");
  await page.keyboard.press("Alt+ArrowDown");
  await isOpen("tea");
  await page.goBack();
  await isOpen("deploys");
  assertEquals(new URL(page.url()).pathname, "/r/deploys");
  // Where one writes, and what is here, belongs to the room that is open.
  await ann.say("to deploys");
  await ann.see("#days .own", "to deploys");
  assertEquals(await ann.texts(), ["three", "to deploys"]);
  await ann.see("#people-list", "ann");
  assertEquals(sockets.length, 1);

  await row("lobby").locator(".room-more").click();
  await page.getByRole("button", { name: "Mute" }).click();
  await row("lobby").and(page.locator(".muted")).waitFor();
  await row("lobby").locator(".badge").waitFor({ state: "hidden" });
  await say("lobby", "not for me");
  await row("lobby").locator(".room-last", { hasText: "not for me" }).waitFor();
  assert(await row("lobby").locator(".badge").isHidden());
  await say("lobby", "but @ann");
  await row("lobby").locator(".badge", { hasText: "@ 1" }).waitFor();
  await row("tea").locator(".room-more").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Leave" }).press("Enter");
  await row("tea").waitFor({ state: "detached" });

  // A tab that was closed: what came meanwhile is counted from where one was.
  await page.goto("about:blank");
  for (let number = 0; number < 30; number++) await say("deploys", `build ${number}`);
  await page.goto(`${server.url}/r/lobby`);
  await ann.state("Connected");
  await row("deploys").locator(".badge", { hasText: "30" }).waitFor();
  assertEquals(await names(), ["lobby", "deploys"]);
  await row("lobby").locator(".room-more").click();
  await page.getByRole("button", { name: "Leave" }).click();
  await isOpen("deploys");
  assertEquals(found, []);
  assertEquals(ann.complaints, []);
});

Deno.test("on a phone the rooms are behind the logo", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const viewport = { width: 360, height: 640 };
  const page = await chromium.window({
    viewport,
    colorScheme: "dark",
    hasTouch: true,
    isMobile: true,
  });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  const toggle = page.locator("#rooms-toggle");
  await toggle.click();
  await page.getByRole("button", { name: "+ Join or open a room" }).click();
  await page.locator("#switcher-text").fill("#a long name");
  const found = await barriers(page, "switcher");
  await page.keyboard.press("Enter");
  await page.locator("#room-name", { hasText: "a-long-name" }).waitFor();
  await ann.state("Connected");
  await server.hub.publish("lobby", "bob", { text: "hello" });
  await page.getByRole("button", { name: "Rooms: 1 unread in others" }).click();
  await ann.see("#rooms-list .badge", "1");
  found.push(...await barriers(page, "drawer"));
  const small = await page.locator("#rooms a, #rooms button").evaluateAll((parts) =>
    parts.flatMap((part) => {
      const { width, height } = part.getBoundingClientRect();
      return part.checkVisibility() && Math.min(width, height) < 43.5 ? [part.outerHTML] : [];
    })
  );
  await page.keyboard.press("Escape");
  await ann.seeNo("#rooms");
  await toggle.click();
  await page.locator(".room-link", { hasText: "lobby" }).click();
  await page.locator("#room-name", { hasText: "lobby" }).waitFor();
  await ann.seeNo("#rooms");
  assertEquals(found, []);
  assertEquals(small, []);
  assertEquals(await page.evaluate(() => document.documentElement.scrollWidth), 360);
});

// Names, moderators, and those to whom something is done: on the page, with the server's own.

/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import type { Page, WebSocketRoute } from "playwright-core";
import { type Authorize, type RoomRole, tokenOf } from "@hubbub/hub";
import { barriers } from "../helpers/axe.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone } from "../helpers/test_server.ts";

const PHONE = { width: 360, height: 640 };
const NAMES: Readonly<Record<string, string>> = { ann: "Ann Lee", bob: "Bob Brown" };

/** Who comes with which token: `user.role`, or a user alone for a member. */
const authorize: Authorize = (request) => {
  const [user, role = "member"] = (tokenOf(request) ?? "").split(".");
  if (user === "") return { denied: "Who are you?" };
  return { user, name: NAMES[user], roleIn: () => role as RoomRole };
};

async function enter(page: Page, url: string, token: string): Promise<ChatWindow> {
  const window = ChatWindow.of(page);
  await page.goto(`${url}/r/lobby#token=${token}`);
  await window.state("Connected");
  return window;
}

const field = (page: Page) => page.getByLabel("Message", { exact: true });

Deno.test("a moderator edits, mutes, bans and lifts, and the other sees why and until when", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone({ authorize });
  await using chromium = Chromium.shared();
  const annPage = await chromium.window({ colorScheme: "dark" });
  const bobPage = await chromium.window({ viewport: PHONE });
  const bob = await enter(bobPage, server.url, "bob");
  await bob.say("first of bob");
  const ann = await enter(annPage, server.url, "ann.moderator");
  const found: string[] = [];
  // A name with the user's own beside it, where the two differ.
  await ann.see("#days .author", "Bob Brown");
  assertEquals(await annPage.locator("#days .user-id").allTextContents(), ["bob"]);
  await field(bobPage).fill("…");
  await ann.see("#typing-text", "Bob Brown is typing");

  // By keyboard: to the message, to its tools, and there to the one for people.
  await annPage.locator("#scroller").focus();
  await annPage.keyboard.press("Tab");
  await ann.see("#tool-person");
  await annPage.locator("#tool-edit").press("Enter");
  await ann.see("#composer-task", "Editing Bob Brown's message");
  await annPage.keyboard.press("Escape");
  await annPage.locator("#days .message").focus();
  await annPage.locator("#tool-person").focus();
  await annPage.keyboard.press("Enter");
  await ann.see("#person-heading", "Bob Brown bob");
  found.push(...await barriers(annPage, "person"));
  await annPage.locator("#person-reason").fill("Calm down");
  await annPage.keyboard.press("Enter");
  await ann.seeNo("#person");
  await annPage.locator("#announcer p", { hasText: "Bob Brown is muted" })
    .waitFor({ state: "attached" });

  // Who goes on writing is told at once: the next sign of typing is refused.
  await field(bobPage).blur();
  await field(bobPage).pressSequentially("?");
  await bob.see("#composer-off", /^You are muted here: Calm down\. .* until .*\d\d:\d\d\.$/);
  assert(await field(bobPage).isDisabled());
  await bobPage.getByRole("button", { name: "Ask again" }).click();
  await bob.see("#composer-off", "Calm down");
  assertEquals(await field(bobPage).inputValue(), "…?");
  found.push(...await barriers(bobPage, "muted"));
  const width = await bobPage.evaluate(() => document.documentElement.scrollWidth);
  assert(width <= PHONE.width, String(width));

  await annPage.getByRole("button", { name: "Muted and banned" }).click();
  await ann.see(".held-what", /^Muted until .* by Ann Lee: Calm down$/);
  found.push(...await barriers(annPage, "sanctions"));
  await annPage.getByRole("button", { name: "Lift: Bob Brown" }).click();
  await ann.see("#sanctions-status", "Nobody is muted or banned here.");
  await annPage.keyboard.press("Escape");
  await bobPage.getByRole("button", { name: "Ask again" }).click();
  await field(bobPage).press("Enter");
  await ann.see("#days .text", "…?");

  const act = annPage.locator(".person-act");
  await act.focus();
  await act.press("Enter");
  await annPage.getByRole("radio", { name: /^Ban/ }).check();
  await annPage.locator("#person-reason").fill("Enough");
  await annPage.getByRole("button", { name: "Ban", exact: true }).click();
  await bob.state("Banned");
  await bob.see("#banner", "You are banned here: Enough.");
  assertEquals(
    await bobPage.getByRole("link", { name: "Other rooms" }).getAttribute("href"),
    `${server.url}/`,
  );
  found.push(...await barriers(bobPage, "banned"));
  await bobPage.getByRole("button", { name: "Try again" }).click();
  await bob.state("Banned");
  await server.hub.sanctions.lift("lobby", "bob");
  await bobPage.getByRole("button", { name: "Try again" }).click();
  await bob.state("Connected");

  await server.hub.sanctions.impose("lobby", { user: "bob", kind: "kick", reason: "Out" });
  await bob.see("#banner", "Out. You may come back.");
  await bobPage.getByRole("button", { name: "Come in again" }).click();
  await bob.state("Connected");
  await ann.see("#people-list li", "bob");

  // The messages of others, by a finger or a mouse, as one's own.
  await annPage.locator("#days .text", { hasText: "first of bob" }).hover();
  await annPage.locator("#tool-delete").click();
  await ann.see("#ask-delete-heading", "Delete the message of Bob Brown?");
  await annPage.locator("#ask-delete-yes").click();
  await bob.see("#days .tombstone");
  // Members have no such tools.
  await bobPage.locator("#scroller").focus();
  await bobPage.keyboard.press("Tab");
  await bob.see("#tool-reply");
  assert(await bobPage.locator("#tool-person").isHidden());
  assertEquals(await bobPage.locator(".person-act, #sanctions-open:not([hidden])").count(), 0);
  assertEquals(found, []);
  assertEquals([...ann.complaints, ...bob.complaints].filter((one) => !one.includes("40")), []);
});

Deno.test("who may only read has no field, until the role changes; a deleted room says so", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone({ authorize });
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  let socket: WebSocketRoute | undefined;
  await page.routeWebSocket(/\/ws(\?|$)/, (route) => {
    route.connectToServer();
    socket = route;
  });
  const tell = (envelope: object) => socket!.send(JSON.stringify({ room: "lobby", ...envelope }));
  const cy = await enter(page, server.url, "cy.reader");
  await cy.see("#composer-off", "You can read here, but not write.");
  assert(await field(page).isHidden());
  tell({ type: "role", payload: { role: "moderator" } });
  await cy.see("#composer-text");
  await cy.see("#sanctions-open");
  tell({ type: "role", payload: { role: "reader" } });
  await cy.seeNo("#composer-text");
  await cy.seeNo("#sanctions-open");
  tell({ type: "left", payload: { code: "room_deleted", message: "The room was deleted" } });
  await cy.state("Deleted");
  await cy.see("#banner", "The room was deleted. What was said in it is gone.");
  await cy.see("#reload", "Open a new room");
});

// What the server keeps of readers whom it knows, and what it takes away of users whom it forgets.

/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import { type Authorize, tokenOf } from "@hubbub/hub";
import type { Page } from "playwright-core";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone } from "../helpers/test_server.ts";

const authorize: Authorize = (request) => {
  const user = tokenOf(request) ?? "";
  return user === "" ? { denied: "Who are you?" } : { user };
};

/** The row of a room in the column. */
function row(page: Page, room: string) {
  return page.locator("#rooms-list li", { has: page.locator(`bdi:text-is("${room}")`) });
}

Deno.test("rooms, unread counts and read marks of a reader are the same on every device", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone({ authorize });
  await using chromium = Chromium.shared();
  const say = (room: string, text: string) => server.hub.publish(room, "bob", { text });
  const enter = async (page: Page, room: string) => {
    await page.goto(`${server.url}/r/${room}#token=ann`);
    await ChatWindow.of(page).state("Connected");
  };
  const laptop = await chromium.window();
  for (const room of ["lobby", "tea", "deploys"]) await say(room, "before the first visit");
  for (const room of ["lobby", "tea", "deploys"]) await enter(laptop, room);
  for (const room of ["lobby", "tea"]) await row(laptop, room).waitFor();
  for (let i = 0; i < 3; i++) await say("lobby", `new ${i}`);
  await say("tea", "one for @ann");
  await row(laptop, "lobby").locator(".badge", { hasText: /^3$/ }).waitFor();
  await row(laptop, "tea").locator(".badge", { hasText: "@ 1" }).waitFor();

  // Another device, which has never been here: the same rooms, with the same counts.
  const other = await chromium.window();
  await enter(other, "deploys");
  await row(other, "lobby").locator(".badge", { hasText: /^3$/ }).waitFor();
  await row(other, "tea").locator(".badge", { hasText: "@ 1" }).waitFor();
  await row(other, "lobby").locator(".room-last", { hasText: "bob: new 2" }).waitFor();
  assert(await row(other, "deploys").locator(".badge").isHidden());

  // What is read there is read here, and there the line stands where the new begins.
  await row(other, "lobby").getByRole("link").click();
  await other.locator("#days .text", { hasText: "new 2" }).waitFor();
  assertEquals(await other.locator("li.new + .message .text").textContent(), "new 0");
  await row(laptop, "lobby").locator(".badge").waitFor({ state: "hidden" });
  assertEquals(await row(laptop, "tea").locator(".badge").textContent(), "@ 1");
  await say("lobby", "and another");
  await row(laptop, "lobby").locator(".room-last", { hasText: "and another" }).waitFor();

  // After a reload it is so still; a room that is left here is gone there.
  await laptop.reload();
  await ChatWindow.of(laptop).state("Connected");
  await row(laptop, "tea").locator(".badge", { hasText: "@ 1" }).waitFor();
  await row(laptop, "lobby").locator(".badge").waitFor({ state: "hidden" });
  await row(laptop, "tea").locator(".room-more").click();
  // The row goes at once, and the server learns of it a moment later.
  const forgotten = laptop.waitForResponse((response) => response.request().method() === "DELETE");
  await laptop.getByRole("button", { name: "Leave" }).click();
  await row(laptop, "tea").waitFor({ state: "detached" });
  await forgotten;
  await enter(other, "deploys");
  await row(other, "lobby").locator(".room-last", { hasText: "and another" }).waitFor();
  await other.waitForFunction(() => {
    const rooms = [...document.querySelectorAll("#rooms-list bdi")];
    return !rooms.some(({ textContent }) => textContent === "tea");
  });
});

Deno.test("what an erased user wrote disappears from an open page, however far back it is", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone({ authorize });
  await using chromium = Chromium.shared();
  const say = async (user: string, text: string, replyTo?: string) => {
    const result = await server.hub.publish("lobby", user, { text, reply_to: replyTo });
    return result.status === "refused" ? "" : result.record.cursor;
  };
  const far = await say("mallory", "the secret of long ago");
  const kept = await say("bob", "nothing of hers");
  await Promise.all(Array.from({ length: 1_100 }, (_, i) => say("bob", `between ${i}`)));
  const near = await say("mallory", "the secret of today");
  await say("bob", "an answer", near);
  await server.hub.change("lobby", "mallory", {
    kind: "reaction",
    cursor: kept,
    emoji: "👍",
    status: true,
  });
  const [here, there] = [await chromium.window(), await chromium.window()];
  await here.goto(`${server.url}/r/lobby#token=ann`);
  const ann = ChatWindow.of(here);
  await ann.see("#days .text", "the secret of today");
  await ann.see(".quoted-text", "the secret of today");
  // Further back than the client keeps messages.
  await there.goto(`${server.url}/r/lobby#token=cleo`);
  await ChatWindow.of(there).state("Connected");
  await there.evaluate((hash) => location.hash = hash, `#at=${far}`);
  const cleo = ChatWindow.of(there);
  await cleo.see("#days .text", "the secret of long ago");
  await cleo.see(`[data-cursor="${kept}"] .reaction`, "👍");

  await Array.fromAsync(server.hub.deletions.eraseUser("mallory"));
  for (const window of [ann, cleo]) {
    await window.page.waitForFunction(() => !document.body.textContent!.includes("the secret of"));
  }
  await ann.see(".quoted-text", "Deleted message");
  await there.locator(`[data-cursor="${kept}"] .reaction`).waitFor({ state: "detached" });
  assertEquals(
    await there.locator(`[data-cursor="${far}"] .text`).textContent(),
    "This message was deleted",
  );
  assertEquals([...ann.complaints, ...cleo.complaints], []);
});

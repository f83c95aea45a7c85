/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import type { ChangeDraft, Verdict } from "@hubbub/hub";
import type { Page } from "playwright-core";
import { ORIGIN } from "../../src/store/cursor.ts";
import { barriers, COLOUR_RULES } from "../helpers/axe.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serve, serveAlone, type TestServer } from "../helpers/test_server.ts";

/** Refuses what is rude. */
function judge({ text }: { readonly text: string }, isStrict = true): Verdict {
  return isStrict && text.startsWith("rude") ? { refused: "Say it nicely" } : { text };
}

/** Changes a message for somebody else. */
type Change = (user: string, draft: ChangeDraft) => Promise<void>;

/** The kinds of ann's changes, as they are stored. */
type Made = () => Promise<string[]>;

/** A window in the lobby, where a message of bob's and one of ann's own stand. */
async function enterLobby(
  server: TestServer,
  page: Page,
): Promise<{ ann: ChatWindow; change: Change; made: Made; cursors: string[] }> {
  await server.hub.publish("lobby", "bob", { text: "first of bob" });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.say("first of ann");
  await ann.see("#days .own");
  await ann.count(2);
  const cursors = await page.locator("#days .message").evaluateAll((items) =>
    items.map((item) => (item as HTMLElement).dataset.cursor!)
  );
  const change: Change = async (user, draft) => {
    const result = await server.hub.change("lobby", user, draft);
    assert(result.status === "stored", JSON.stringify(result));
  };
  const made: Made = async () => {
    const changes = await server.hub.log.changes("lobby", ORIGIN, { limit: 99 });
    return changes.flatMap(({ kind, user }) => user === "ann" ? [kind] : []);
  };
  return { ann, change, made, cursors };
}

const field = (page: Page) => page.getByLabel("Message", { exact: true });

/** The text of the element that has the focus, or its label. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { ariaLabel, id, textContent } = document.activeElement as HTMLElement;
    return ariaLabel || id || textContent || "body";
  });
}

Deno.test("arrow up in an empty field edits one's last message, and Escape ends it", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const { ann, made } = await enterLobby(server, page);
  await field(page).press("ArrowUp");
  await ann.see("#composer-task", "Editing your message: first of ann");
  assertEquals(await field(page).inputValue(), "first of ann");
  await field(page).press("Escape");
  await ann.seeNo("#composer-task");
  assertEquals(await field(page).inputValue(), "");

  await field(page).press("ArrowUp");
  await field(page).fill("better words");
  await field(page).press("Enter");
  await ann.see("#days .own .text", "better words");
  await ann.see("#days .own .edited", "(edited)");
  assertEquals(await made(), ["edit"]);
  // What was being written before is there again, and only that is kept.
  await field(page).fill("a draft");
  await page.locator("#days .own .text").hover();
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  assertEquals(await field(page).inputValue(), "better words");
  await page.reload();
  await ann.state("Connected");
  await page.waitForFunction(() =>
    (document.getElementById("composer-text") as HTMLTextAreaElement).value === "a draft"
  );
  await ann.see("#days .own .text", "better words");
  await ann.see("#days .own .edited", "(edited)");
  assertEquals(ann.complaints, []);
});

Deno.test("a message is deleted after a question, and a tombstone stays", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const { ann, made } = await enterLobby(server, page);
  await page.locator("#days .own .text").hover();
  const remove = page.getByRole("button", { name: "Delete", exact: true });
  await page.locator("#tool-delete").click();
  await ann.see("#ask-delete", "first of ann");
  // The safe answer is at hand.
  assertEquals(await focused(page), "ask-delete-no");
  await page.keyboard.press("Escape");
  await ann.seeNo("#ask-delete");
  assertEquals(await made(), []);
  await page.locator("#days .own .text").hover();
  await page.locator("#tool-delete").click();
  await remove.last().click();
  await ann.see("#days .tombstone", "This message was deleted");
  assert(!(await page.content()).includes("first of ann"));
  assertEquals(await made(), ["delete"]);
  // Others' messages are not one's own to edit or delete.
  await page.locator("#days .message .text", { hasText: "first of bob" }).hover();
  await ann.see("#tool-reply");
  assertEquals(
    await page.locator("#tool-edit, #tool-delete").evaluateAll((buttons) =>
      buttons.map((button) => (button as HTMLElement).hidden)
    ),
    [true, true],
  );
});

Deno.test("reactions by mouse, counted and taken back, and whose they are", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const { ann, change, made, cursors: [first] } = await enterLobby(server, page);
  await page.locator(`[data-cursor="${first}"] .text`).hover();
  await page.locator("#tool-react").click();
  await page.getByRole("button", { name: "👍", exact: true }).click();
  const reaction = page.locator(`[data-cursor="${first}"] .reaction`);
  await ann.see(".reaction", "👍 1");
  assertEquals(await reaction.getAttribute("aria-pressed"), "true");
  await change("cy", { kind: "reaction", cursor: first, emoji: "👍", status: true });
  await ann.see(".reaction", "👍 2");
  assertEquals(await reaction.getAttribute("aria-label"), "👍, 2 reactions: ann, cy");
  await reaction.click();
  await ann.see(".reaction", "👍 1");
  assertEquals(await reaction.getAttribute("aria-pressed"), "false");
  await change("cy", { kind: "reaction", cursor: first, emoji: "👍", status: false });
  await ann.seeNo(".reaction");
  assertEquals(await made(), ["reaction", "reaction"]);
});

Deno.test("an answer quotes its message, shows it as it is, and leads there", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window({ viewport: { width: 360, height: 640 } });
  const { ann, change, cursors: [first] } = await enterLobby(server, page);
  await page.locator(`[data-cursor="${first}"]`).focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await ann.see("#composer-task", "Answering bob: first of bob");
  await ann.say("my answer");
  await ann.see("#days .own .quote", "bob");
  await ann.see("#days .own .quote", "first of bob");
  const response = await fetch(`${server.url}/rooms/lobby/messages?limit=1`);
  assertEquals((await response.json()).messages[0].reply_to, first);
  await change("bob", { kind: "edit", cursor: first, text: "first, edited" });
  await ann.see("#days .own .quote", "first, edited");
  for (let number = 0; number < 120; number++) {
    await server.hub.publish("lobby", "cy", { text: `filler ${number}` });
  }
  await server.hub.publish("lobby", "bob", { text: "see above", reply_to: first });
  await ann.see("#days .quote", "first, edited");
  await page.reload();
  await ann.state("Connected");
  await ann.atEnd();
  // The history is not so long: the page looks for what is answered, and goes back to it.
  await (await ann.see("#days .quote")).click();
  await ann.see(`[data-cursor="${first}"].found`);
  await page.waitForFunction((cursor) => {
    const { activeElement } = document;
    const { top, bottom } = document.getElementById("scroller")!.getBoundingClientRect();
    const place = activeElement?.getBoundingClientRect();
    return activeElement instanceof HTMLElement && activeElement.dataset.cursor === cursor &&
      place!.top >= top && place!.bottom <= bottom;
  }, first);
  await change("bob", { kind: "delete", cursor: first });
  await ann.see(`[data-cursor="${first}"] .text`, "This message was deleted");
  assertEquals(ann.complaints, []);
});

Deno.test("a change that is refused says why, and can be tried again or given up", {
  ...BROWSER,
}, async () => {
  let isStrict = true;
  await using server = await serveAlone({ moderate: (draft) => judge(draft, isStrict) });
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const { ann } = await enterLobby(server, page);
  await field(page).press("ArrowUp");
  await field(page).fill("rude");
  await field(page).press("Enter");
  await ann.see("#days .own .failure", "Not edited: Say it nicely.");
  assertEquals(await page.locator("#days .own .text").textContent(), "first of ann");
  await page.getByRole("button", { name: "Discard" }).click();
  await ann.seeNo("#days .failure");
  await field(page).focus();
  await field(page).press("ArrowUp");
  await field(page).fill("rude again");
  await field(page).press("Enter");
  await ann.see("#days .own .failure", "Not edited");
  isStrict = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await ann.see("#days .own .text", "rude again");
  await ann.seeNo("#days .failure");
});

Deno.test("everything can be done by keyboard alone", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const { ann, made, cursors } = await enterLobby(server, page);
  const focusedCursor = () =>
    page.evaluate(() => (document.activeElement as HTMLElement).dataset.cursor);
  // One stop for Tab: the newest message; the arrows lead to the others.
  await page.locator("#scroller").focus();
  await page.keyboard.press("Tab");
  assertEquals(await focusedCursor(), cursors[1]);
  await page.keyboard.press("ArrowUp");
  assertEquals(await focusedCursor(), cursors[0]);
  await page.keyboard.press("Tab");
  assertEquals(await focused(page), "React");
  await page.keyboard.press("Enter");
  assertEquals(await focused(page), "👍");
  await page.keyboard.press("Escape");
  assertEquals(await focused(page), "React");
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await ann.see(".reaction", "❤️ 1");
  assertEquals(await focusedCursor(), cursors[0]);
  await page.keyboard.press("ArrowDown");
  for (let step = 0; step < 4; step++) await page.keyboard.press("Tab");
  assertEquals(await focused(page), "Delete");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await ann.see("#days .tombstone");
  assertEquals(await made(), ["reaction", "delete"]);
  await ann.see("#announcer");
});

Deno.test("a screen reader is told of what others change", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const { change, cursors: [first, own] } = await enterLobby(server, page);
  const told = (text: string) =>
    page.locator("#announcer p", { hasText: text }).waitFor({ state: "attached" });
  await change("bob", { kind: "edit", cursor: first, text: "other words" });
  await told("bob edited: other words");
  await change("bob", { kind: "reaction", cursor: own, emoji: "🎉", status: true });
  await told("bob reacted with 🎉 to: first of ann");
  await change("bob", { kind: "delete", cursor: first });
  await told("bob deleted a message");
});

Deno.test("a finger that rests on a message brings its tools", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window({
    viewport: { width: 360, height: 640 },
    hasTouch: true,
    isMobile: true,
  });
  const { ann, cursors: [first] } = await enterLobby(server, page);
  const touch = await page.context().newCDPSession(page);
  const press = async (cursor: string, isHeld: boolean) => {
    const { x, y, width, height } = (await page.locator(`[data-cursor="${cursor}"] .text`)
      .boundingBox())!;
    const touchPoints = [{ x: x + width / 2, y: y + height / 2 }];
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
    if (isHeld) await ann.see("#tools");
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  };
  await press(first, true);
  await page.locator("#tool-react").tap();
  await page.getByRole("button", { name: "🎉", exact: true }).tap();
  await ann.see(".reaction", "🎉 1");
  await ann.seeNo("#tools");
  // A tap is none.
  await press(first, false);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 600)));
  assert(await page.locator("#tools").isHidden());
});

Deno.test("two windows change the same, and what is done offline is made once", {
  ...BROWSER,
}, async () => {
  using kv = await Deno.openKv(":memory:");
  const server = serve(kv);
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const { ann, cursors: [first, own] } = await enterLobby(server, page);
  const other = await page.context().newPage();
  const second = ChatWindow.of(other);
  await other.goto(`${server.url}/r/lobby`);
  await second.state("Connected");
  const bob = await chromium.window();
  const third = await ChatWindow.enter(bob, `${server.url}/r/lobby`, "bob");
  // One's own in another window, at once.
  await field(other).press("ArrowUp");
  await field(other).fill("from the other window");
  await field(other).press("Enter");
  for (const window of [ann, second, third]) {
    await window.see(`[data-cursor="${own}"] .text`, "from the other window");
  }
  await server.stop();
  await Promise.all([ann, second, third].map((window) => window.state("Waiting")));
  await page.locator(`[data-cursor="${own}"] .text`).hover();
  await page.locator("#tool-delete").click();
  await page.getByRole("button", { name: "Delete", exact: true }).last().click();
  await ann.see(`[data-cursor="${own}"].tombstone, [data-cursor="${own}"] .tombstone`);
  await other.locator(`[data-cursor="${first}"] .text`).hover();
  await other.locator("#tool-react").click();
  await other.getByRole("button", { name: "👍", exact: true }).click();
  await second.see(`[data-cursor="${first}"] .reaction`, "👍 1");
  await bob.locator(`[data-cursor="${first}"]`).focus();
  await field(bob).focus();
  await field(bob).press("ArrowUp");
  await field(bob).fill("edited without a connection");
  await field(bob).press("Enter");
  await using again = serve(kv, { port: server.port });
  for (const window of [ann, second, third]) {
    await window.see(`[data-cursor="${first}"] .text`, "edited without a connection");
    await window.see(`[data-cursor="${first}"] .reaction`, "👍 1");
    await window.see(`[data-cursor="${own}"].tombstone, [data-cursor="${own}"] .tombstone`);
  }
  const made = await again.hub.log.changes("lobby", ORIGIN, { limit: 99 });
  assertEquals(made.map(({ kind }) => kind).toSorted(), ["delete", "edit", "edit", "reaction"]);
});

// Light and dark differ in nothing but colours.
for (const [colorScheme, rules] of [["light"], ["dark", COLOUR_RULES]] as const) {
  Deno.test(`axe-core finds no violation in changed messages, ${colorScheme}`, {
    ...BROWSER,
  }, async () => {
    await using chromium = Chromium.shared();
    for (const viewport of [{ width: 360, height: 640 }, { width: 1280, height: 800 }]) {
      await using server = await serveAlone({ moderate: (draft) => judge(draft) });
      const page = await chromium.window({ colorScheme, viewport });
      const { ann, change, cursors } = await enterLobby(server, page);
      const [first, own] = cursors;
      await server.hub.publish("lobby", "cy", { text: "an answer", reply_to: own });
      await change("ann", { kind: "edit", cursor: own, text: "edited" });
      await change("cy", { kind: "reaction", cursor: own, emoji: "👍", status: true });
      await change("ann", { kind: "reaction", cursor: own, emoji: "🎉", status: true });
      await ann.see("#days .quote", "edited");
      await field(page).press("ArrowUp");
      await field(page).fill("rude");
      const found = await barriers(page, "editing", rules);
      await field(page).press("Enter");
      await ann.see("#days .failure");
      await page.locator(`[data-cursor="${own}"]`).focus();
      await page.locator("#tool-react").press("Enter");
      found.push(...await barriers(page, "tools", rules));
      await page.keyboard.press("Escape");
      await page.locator("#tool-delete").press("Enter");
      found.push(...await barriers(page, "question", rules));
      await page.keyboard.press("Escape");
      await change("bob", { kind: "delete", cursor: first });
      await ann.see("#days .tombstone");
      found.push(...await barriers(page, "tombstone", rules));
      assertEquals(found, []);
      // Nothing stands out of the window.
      assert(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      await page.close();
    }
  });
}

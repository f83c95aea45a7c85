/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import { enterRoom, FIREFOX, Firefox, isCount, isState } from "../helpers/firefox.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";

Deno.test("Firefox: unsent words are asked about, outlast the tab, and arrive once", {
  ...FIREFOX,
}, async () => {
  using kv = await Deno.openKv(":memory:");
  const server = serve(kv);
  await using firefox = Firefox.shared();
  const page = await firefox.window();
  const link = `${server.url}/r/lobby`;
  await enterRoom(page, link, "ann");
  const questions: string[] = [];
  page.on("dialog", async (dialog) => {
    questions.push(dialog.type());
    await dialog.accept();
  });
  await server.stop();
  await isState(page, "Waiting");
  await page.type("#composer-text", "kept");
  await page.keyboard.press("Enter");
  await isCount(page, "#unsent .message", 1);
  // Another page: the tab is left.
  await page.goto("about:blank");
  assertEquals(questions, ["beforeunload"]);
  await using again = serve(kv, { port: server.port });
  await page.goto(link);
  await isCount(page, "#days .message", 1);
  await isCount(page, "#unsent .message", 0);
  assertEquals((await again.hub.log.last("lobby", { limit: 10 })).length, 1);
});

Deno.test("Firefox: the document is as high as the window, and the newest are followed", {
  ...FIREFOX,
}, async () => {
  await using server = await serveAlone();
  for (let i = 0; i < 60; i++) await server.hub.publish("lobby", "bob", { text: `message ${i}` });
  await using firefox = Firefox.shared();
  const page = await firefox.window();
  await enterRoom(page, `${server.url}/r/lobby`, "ann");
  await isCount(page, "#days .message", 50);
  for (const key of ["PageDown", "End"] as const) await page.keyboard.press(key);
  const overflow = () =>
    page.evaluate(() => {
      scrollBy(0, 10_000);
      const { scrollHeight, clientHeight } = document.documentElement;
      return [scrollHeight - clientHeight, scrollY];
    });
  assertEquals(await overflow(), [0, 0]);
  await page.evaluate(() => document.getElementById("scroller")!.scrollBy(0, -500));
  await page.waitForSelector("#jump", { visible: true });
  await page.click("#jump");
  for (let i = 0; i < 20; i++) await server.hub.publish("lobby", "bob", { text: `more ${i}` });
  await page.waitForFunction(() =>
    [...document.querySelectorAll("#days .text")].at(-1)?.textContent === "more 19"
  );
  await page.waitForFunction(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.getElementById("scroller")!;
    return scrollHeight - scrollTop - clientHeight < 2;
  });
  assertEquals(await overflow(), [0, 0]);
});

Deno.test("Firefox: the Enter of an input method sends nothing, and the focus goes on", {
  ...FIREFOX,
}, async () => {
  await using server = await serveAlone();
  await using firefox = Firefox.shared();
  const page = await firefox.window();
  await enterRoom(page, `${server.url}/r/lobby`, "ann");
  await page.type("#composer-text", "日本");
  await page.evaluate(() => {
    const field = document.getElementById("composer-text")!;
    for (const init of [{ isComposing: true }, { keyCode: 229 }]) {
      const key = { key: "Enter", bubbles: true, cancelable: true, ...init };
      field.dispatchEvent(new KeyboardEvent("keydown", key));
    }
  });
  assertEquals(await page.$$eval(".message", (all) => all.length), 0);
  await page.keyboard.press("Enter");
  await isCount(page, "#days .message", 1);
  await server.hub.publish("lobby", "bob", { text: "x ".repeat(1_500) });
  await isCount(page, "#days .message", 2);
  await page.evaluate(() => document.getElementById("scroller")!.scrollBy(0, -10_000));
  await page.waitForSelector("#jump", { visible: true });
  await page.focus("#jump");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#jump", { hidden: true });
  assertEquals(await page.evaluate(() => document.activeElement?.id), "composer-text");
});

Deno.test("Firefox: under a base path the page finds its files, its room and its socket", {
  ...FIREFOX,
}, async () => {
  await using server = await serveAlone({ basePath: "/deep/chat" });
  await using firefox = Firefox.shared();
  const page = await firefox.window();
  await page.goto(`${server.url}/deep/chat`);
  await page.locator("#door-user").fill("ann");
  await page.locator("#door-room").fill("tea");
  await page.focus("#door-room");
  await page.keyboard.press("Enter");
  await isState(page, "Connected");
  await page.waitForFunction((url) => location.href === url, {}, `${server.url}/deep/chat/r/tea`);
  const invitation = await page.$eval("#invite-link", (field) => (field as HTMLInputElement).value);
  assertEquals(invitation, `${server.url}/deep/chat/r/tea`);
  await page.reload();
  await isState(page, "Connected");
  // Where there is room for it, the column of rooms is there without being asked for.
  await page.setViewport({ width: 1280, height: 800 });
  await page.waitForSelector(".brand", { visible: true });
  await page.click(".brand");
  // The page that is left goes on for a moment.
  await page.waitForFunction((url) => location.href === url, {}, `${server.url}/deep/chat/`);
  await page.waitForSelector("#door-user");
});

Deno.test("Firefox: messages are edited, reacted to, answered and deleted", {
  ...FIREFOX,
}, async () => {
  await using server = await serveAlone();
  await server.hub.publish("lobby", "bob", { text: "first of bob" });
  await using firefox = Firefox.shared();
  const page = await firefox.window();
  await enterRoom(page, `${server.url}/r/lobby`, "ann");
  await isCount(page, "#days .message", 1);
  const text = (selector: string, words: string) =>
    page.waitForFunction(
      (selector, words) => document.querySelector(selector)?.textContent?.includes(words),
      {},
      selector,
      words,
    );
  await page.hover("#days .message .text");
  await page.locator("#tool-react").click();
  await page.waitForFunction(() => document.activeElement?.textContent === "👍");
  await page.keyboard.press("Enter");
  await text(".reaction", "👍 1");
  await page.hover("#days .message .text");
  await page.locator("#tool-reply").click();
  await text("#composer-task", "Answering bob");
  await page.type("#composer-text", "my answer");
  await page.keyboard.press("Enter");
  await text("#days .own .quote", "first of bob");
  await page.focus("#composer-text");
  await page.keyboard.press("ArrowUp");
  await text("#composer-task", "Editing your message");
  await page.type("#composer-text", ", edited");
  await page.keyboard.press("Enter");
  await text("#days .own .text", "my answer, edited");
  await text("#days .own .edited", "(edited)");
  await page.click("#days .own .quote");
  await page.waitForFunction(() =>
    document.activeElement?.querySelector(".text")?.textContent === "first of bob"
  );
  await page.hover("#days .own .text");
  await page.locator("#tool-delete").click();
  await page.waitForFunction(() => document.activeElement?.id === "ask-delete-no");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await text("#days", "This message was deleted");
  const changes = await server.hub.log.changes("lobby", "0".repeat(20), { limit: 9 });
  assertEquals(changes.map(({ kind }) => kind), ["reaction", "edit", "delete"]);
  await page.reload();
  await isState(page, "Connected");
  await text(".reaction", "👍 1");
  await text("#days", "This message was deleted");
});

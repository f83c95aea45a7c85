// How a page draws attention, and what it says of its connection.

/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import { barriers } from "../helpers/axe.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";

Deno.test("a hidden tab counts in its title and on its icon, and shows notices of mentions", {
  ...BROWSER,
}, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window({ viewport: { width: 360, height: 640 } });
  await page.addInitScript(() => {
    // What a browser without a screen does not show.
    class Notification extends EventTarget {
      static permission = "default";
      static requestPermission() {
        this.permission = "granted";
        return Promise.resolve("granted");
      }
      static readonly shown: string[] = [];
      onclick: (() => void) | null = null;
      constructor(title: string, { body }: { body: string }) {
        super();
        Notification.shown.push(`${title}: ${body}`);
        Object.assign(globalThis, { lastNotice: this });
      }
      close() {}
    }
    Object.assign(globalThis, { Notification });
  });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  const say = (room: string, text: string) => server.hub.publish(room, "bob", { text });
  const hide = (state: "hidden" | "visible") =>
    page.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  const titled = (title: string) =>
    page.waitForFunction((title) => document.title === title, title);
  const icon = () => page.locator("link[rel=icon]").getAttribute("href");
  await page.keyboard.press("Control+k");
  await page.locator("#switcher-text").fill("tea");
  await page.keyboard.press("Enter");
  await page.locator("#room-name", { hasText: "tea" }).waitFor();
  await ann.state("Connected");
  await titled("#tea · Hubbub");

  await hide("hidden");
  await say("tea", "one");
  await titled("(1) #tea · Hubbub");
  await say("lobby", "two, @ann");
  await titled("(2) #tea · Hubbub");
  assertEquals(await icon(), `${server.url}/assets/icon-unread.svg`);
  await hide("visible");
  await titled("(1) #tea · Hubbub");
  // Asked for once somebody has mentioned the reader, and not before.
  await ann.see("#ask-notices", "Somebody mentioned you.");
  const found = await barriers(page, "asked");
  await page.getByRole("button", { name: "Show notices" }).click();
  await ann.seeNo("#ask-notices");
  await say("lobby", "seen, @ann");
  await titled("(2) #tea · Hubbub");
  await hide("hidden");
  await say("lobby", "three, @ann");
  await say("lobby", "to nobody");
  await page.waitForFunction(() =>
    // deno-lint-ignore no-explicit-any
    String((globalThis as any).Notification.shown) === "bob in #lobby: three, @ann"
  );
  // deno-lint-ignore no-explicit-any
  await page.evaluate(() => (globalThis as any).lastNotice.onclick());
  await page.locator("#room-name", { hasText: "lobby" }).waitFor();
  await hide("visible");
  await ann.see("#days .text", "to nobody");
  await titled("#lobby · Hubbub");
  assertEquals(await icon(), `${server.url}/assets/icon.svg`);
  assertEquals(found, []);
  assertEquals(ann.complaints, []);
});

Deno.test("a page without its server waits, dims who was here, and tries at once when asked", {
  ...BROWSER,
}, async () => {
  using kv = await Deno.openKv(":memory:");
  const server = serve(kv);
  await using chromium = Chromium.shared();
  const page = await chromium.window({ colorScheme: "dark" });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await server.stop();
  await ann.state("Waiting");
  await ann.see("#people-list.stale");
  const found = await barriers(page, "waiting");
  // The tries come ever later.
  await page.waitForFunction(() => {
    const seconds = document.getElementById("banner-retry")!.textContent!.match(/(\d+) s/)?.[1];
    return Number(seconds ?? 0) >= 2;
  });
  await using _again = serve(kv, { port: server.port });
  await page.getByRole("button", { name: "Try now" }).press("Enter");
  await ann.state("Connected");
  await ann.seeNo("#banner");
  assertEquals(await page.evaluate(() => document.activeElement?.id), "composer-text");
  assertEquals(found, []);
});

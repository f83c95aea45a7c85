/// <reference lib="dom" />
import { assertEquals, assertLessOrEqual } from "@std/assert";
import type { Page } from "playwright-core";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone } from "../helpers/test_server.ts";

/** Work of a page in one list, counted by animation frame. */
interface Work {
  /** The most changes of the list's children in one animation frame, in calls of the script. */
  readonly mostPerFrame: number;
  /** The longest task, in milliseconds; not judged, for it depends on the machine. */
  readonly longestMs: number;
}

/** Counts the renders of an element's children from now on. */
async function watch(page: Page, id: string): Promise<() => Promise<Work>> {
  await page.evaluate((id) => {
    const list = document.getElementById(id)!;
    const work = { mostPerFrame: 0, longestMs: 0 };
    let inFrame = 0;
    const { replaceChildren } = Element.prototype;
    list.replaceChildren = function (...nodes) {
      work.mostPerFrame = Math.max(work.mostPerFrame, ++inFrame);
      return replaceChildren.apply(this, nodes);
    };
    const frame = () => {
      inFrame = 0;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    new PerformanceObserver((entries) => {
      for (const { duration } of entries.getEntries()) {
        work.longestMs = Math.max(work.longestMs, duration);
      }
    }).observe({ type: "longtask" });
    Object.assign(globalThis, { work });
  }, id);
  return () => page.evaluate(() => (globalThis as unknown as { work: Work }).work);
}

Deno.test("a thousand arrivals are shown once an animation frame", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  const work = await watch(page, "people-list");
  const member = (i: number) => ({ user: `user ${i}`, send: () => {}, close: () => {} });
  const members = Array.from({ length: 1_000 }, (_, i) => server.hub.join("lobby", member(i)));
  await ann.see("#people-heading", "1,001 people here");
  await ann.see("#people-list .more", "and 801 more");
  const { mostPerFrame, longestMs } = await work();
  console.log(`The longest task of 1,000 arrivals took ${longestMs} ms`);
  assertLessOrEqual(mostPerFrame, 1);
  // One of them leaves: the items of the others stay.
  await page.evaluate(() => {
    Object.assign(globalThis, { item: document.querySelector("#people-list li:nth-child(3)") });
  });
  members.pop()?.leave();
  await ann.see("#people-heading", "1,000 people here");
  await page.waitForFunction(() => {
    const { item } = globalThis as unknown as { item: Element };
    return document.querySelector("#people-list li:nth-child(3)") === item;
  });
  for (const member of members) member.leave();
});

Deno.test("a room of hostile messages opens, and a busy one flows", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const hostile = [
    "https://a.b/" + ")".repeat(4050),
    "https://a.b/(".repeat(310),
    "a" + "\u0301".repeat(2000),
    "w".repeat(4000),
    "\n".repeat(10) + "x\n".repeat(2000) + "x",
    "https://ü/".repeat(350),
    "👨‍👩‍👧‍👦".repeat(160),
  ];
  for (let i = 0; i < 98; i++) {
    await server.hub.publish("lobby", "mallory", { text: hostile[i % hostile.length] });
  }
  const page = await chromium.window();
  await page.addInitScript(() => {
    const durations: number[] = [];
    Object.assign(globalThis, { durations });
    new PerformanceObserver((entries) => {
      durations.push(...entries.getEntries().map(({ duration }) => duration));
    }).observe({ type: "longtask", buffered: true });
  });
  const longest = () =>
    page.evaluate(() => {
      const { durations } = globalThis as unknown as { durations: number[] };
      return Math.max(0, ...durations.splice(0));
    });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.count(50);
  console.log(`The longest task of a hostile room took ${await longest()} ms`);
  for (let i = 0; i < 500; i++) {
    await server.hub.publish("lobby", "bob", { text: `flow ${i}` });
    if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await ann.see("#days .text", "flow 499");
  await ann.atEnd();
  console.log(`The longest task of a flow of messages took ${await longest()} ms`);
  assertEquals(ann.complaints, []);
});

Deno.test("a burst of messages is laid out some at a time, and is whole", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await page.evaluate(() => {
    const counts = { most: 0 };
    Object.assign(globalThis, { counts });
    new MutationObserver((records) => {
      const added = records.flatMap(({ addedNodes }) => [...addedNodes])
        .filter((node) => node instanceof HTMLLIElement);
      const characters = added.map(({ textContent }) => textContent!.length);
      counts.most = Math.max(counts.most, characters.reduce((sum, length) => sum + length, 0));
    }).observe(document.getElementById("days")!, { childList: true, subtree: true });
  });
  const texts = Array.from({ length: 280 }, (_, i) => `burst ${i}${"!".repeat(i % 4 ? 0 : 3_900)}`);
  await Promise.all(texts.map((text) => server.hub.publish("lobby", "bob", { text })));
  await ann.count(280);
  assertEquals(await ann.texts(), texts);
  const most = await page.evaluate(() =>
    (globalThis as unknown as { counts: { most: number } }).counts.most
  );
  // One of the longest messages, or some thirty short ones.
  assertLessOrEqual(most, 4_200);
});

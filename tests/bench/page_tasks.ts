/// <reference lib="dom" />
/**
 * Longest tasks and memory of the page in a room of 10,000 messages: `deno task bench:page`. It opens
 * the room, scrolls back through all of it and forward again, and lets 2,000 messages come live.
 * Tests count work; this measures time, and so says something on a machine that does nothing else.
 *
 * @module
 */

import type { Page } from "playwright-core";
import { Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone } from "../helpers/test_server.ts";

const MESSAGES = 10_000;
const LIVE = 2_000;
const AT_ONCE = 100;

/** The longest task since the last call, and how many took over 50 ms. */
function tasks(page: Page): Promise<{ longest: number; count: number }> {
  return page.evaluate(() => {
    const { durations } = globalThis as unknown as { durations: number[] };
    const some = durations.splice(0);
    return { longest: Math.round(Math.max(0, ...some)), count: some.length };
  });
}

async function report(page: Page, what: string): Promise<void> {
  const { longest, count } = await tasks(page);
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const shown = await page.locator("#days .message").count();
  const heap = (usedSize / 2 ** 20).toFixed(1);
  console.log(
    `${what}: longest task ${longest} ms, ${count} over 50 ms; ${shown} shown, heap ${heap} MiB`,
  );
  await session.detach();
}

/** Scrolls one way until an element says that there is nothing more. */
async function scrollOn(page: Page, pixels: number, isDone: () => boolean): Promise<void> {
  await page.evaluate(
    ([pixels, isDone]) =>
      new Promise<void>((resolve) => {
        const scroller = document.getElementById("scroller")!;
        const done = new Function(`return (${isDone})()`);
        const step = () => {
          scroller.scrollTop += Number(pixels);
          if (done()) resolve();
          else requestAnimationFrame(step);
        };
        step();
      }),
    [pixels, String(isDone)] as const,
  );
}

if (import.meta.main) {
  await using server = await serveAlone();
  for (let at = 0; at < MESSAGES; at += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => {
      const text = `message ${at + i} ${"and more of it ".repeat((at + i) % 12)}`;
      return server.hub.publish("lobby", ["bob", "cleo", "dan"][((at + i) >> 2) % 3], { text });
    }));
  }
  await using chromium = await Chromium.start();
  const page = await chromium.window({ bypassCSP: true });
  await page.addInitScript(() => {
    const durations: number[] = [];
    Object.assign(globalThis, { durations });
    new PerformanceObserver((entries) => {
      durations.push(...entries.getEntries().map(({ duration }) => duration));
    }).observe({ type: "longtask", buffered: true });
  });
  const ann = await ChatWindow.enter(page, `${server.url}/r/lobby`, "ann");
  await ann.count(50);
  await report(page, "opened");
  await scrollOn(page, -900, () => {
    return document.getElementById("older")!.textContent!.startsWith("This is where");
  });
  await report(page, `back through ${MESSAGES}`);
  await scrollOn(page, 900, () => document.getElementById("jump")!.hidden === true);
  await report(page, "and forward again");
  for (let i = 0; i < LIVE; i++) {
    await server.hub.publish("lobby", "bob", { text: `live ${i}` });
    if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await ann.see("#days .text", `live ${LIVE - 1}`);
  await report(page, `${LIVE} live`);
}

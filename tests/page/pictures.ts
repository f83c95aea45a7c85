/// <reference lib="dom" />
/**
 * Takes the pictures of README.md, `deno task pictures`: of a server with a conversation that is
 * started for them. They are WebP, a third of what PNG takes.
 *
 * @module
 */

import type { Page } from "playwright-core";
import { Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone } from "../helpers/test_server.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const PICTURES = [
  { name: "page-light", colorScheme: "light", viewport: { width: 1280, height: 800 } },
  { name: "page-dark", colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  { name: "page-phone", colorScheme: "light", viewport: { width: 390, height: 800 } },
] as const;
/** As many seconds before now as the conversation began. */
const BEGAN_S = 3 * 60 * 60;

/** Who says what, in which room, and how many seconds later. */
const TALK: readonly (readonly [string, string, string, number])[] = [
  ["tea-corner", "maria", "Who is for tea at four?", 0],
  ["long-reads", "joão", "Logs, by Jay Kreps: still the best half hour", 30],
  [
    "lobby",
    "Priya Raman",
    'Could somebody look at this? I don\'t understand why the second call waits:\n```ts\nconst a = await load("a");\nconst b = await load("b");\nreturn merge(a, b);\n```',
    60,
  ],
  [
    "lobby",
    "joão",
    'You await the first before you start the second. `Promise.all([load("a"), load("b")])` runs both at once.',
    70,
  ],
  ["lobby", "Priya Raman", "Oh. Of course!", 40],
  ["lobby", "Priya Raman", "Thanks @joão", 5],
];

async function take(page: Page, name: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 90 });
  const bytes = Uint8Array.fromBase64(data);
  await Deno.writeFile(new URL(`${name}.webp`, DOCS), bytes);
  console.log(`docs/${name}.webp: ${bytes.length} bytes`);
}

if (import.meta.main) {
  await using chromium = await Chromium.start();
  for (const { name, colorScheme, viewport } of PICTURES) {
    let now = Date.now() - BEGAN_S * 1000;
    await using server = await serveAlone({ now: () => now });
    const say = async (room: string, user: string, text: string, laterS = 20, replyTo?: string) => {
      now += laterS * 1000;
      const result = await server.hub.publish(room, user, { text, reply_to: replyTo });
      if (result.status === "refused") throw new Error(result.problem.message);
      return result.record.cursor;
    };
    await say("deploys", "deploy-bot", "The page is out: build 4711", 0);
    let last = "";
    for (const [room, user, text, laterS] of TALK) last = await say(room, user, text, laterS);
    const page = await chromium.window({ colorScheme, viewport, deviceScaleFactor: 1.5 });
    const ann = await ChatWindow.enter(page, `${server.url}/r/tea-corner`, "ann");
    for (const room of ["deploys", "long-reads", "lobby"]) {
      await page.keyboard.press("Control+k");
      await page.locator("#switcher-text").fill(room);
      await page.keyboard.press("Enter");
      await page.locator("#room-name", { hasText: room }).waitFor();
      await ann.state("Connected");
    }
    const people = ["Priya Raman", "joão", "maria"].map((user) =>
      server.hub.join("lobby", { user, send: () => {}, close: () => {} })
    );
    now += 90_000;
    await ann.say("Happy to help, I read it too.");
    await ann.see("#days .own");
    await say("lobby", "maria", "Is the migration finished, by the way?", 40);
    await say("lobby", "joão", "Yes, at noon: 41 ms, nothing lost", 30, last);
    for (const emoji of ["♥", "✓"]) {
      await server.hub.change("lobby", "maria", {
        kind: "reaction",
        cursor: last,
        emoji,
        status: true,
      });
    }
    for (let build = 12; build < 15; build++) {
      await say("deploys", "deploy-bot", `Build ${build} is green`);
    }
    await say("tea-corner", "maria", "Four it is. @ann, bring the biscuits");
    people[0].typing(true);
    await ann.see("#typing.on");
    await page.locator("#rooms-list .badge", { hasText: "@ 1" }).waitFor({ state: "attached" });
    const no = page.locator("#ask-notices-no");
    if (await no.isVisible()) await no.click();
    // Neither what is under the pointer, nor the day that fades after scrolling.
    await page.mouse.move(0, 0);
    await page.locator("#day-now").evaluate((day) => day.remove());
    await ann.atEnd();
    await take(page, name);
    for (const member of people) member.leave();
    await page.context().close();
  }
}

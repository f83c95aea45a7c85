/// <reference lib="dom" />
// The application of docs/tutorial.md, after its third chapter and at its end, in a browser.

import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { bundle, ScriptSite } from "../helpers/application.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { Document } from "../helpers/document.ts";
import { needs } from "../helpers/permissions.ts";
import { replacePart } from "../helpers/proxy_configuration.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";

const ALL = needs("net", "read", "write", "run", "env");
const RUN = { ...ALL, ignore: ALL.ignore || BROWSER.ignore };
const page = ALL.ignore ? new Document("", "") : Document.read("docs/tutorial.md");

/** The files that the page tells to write, up to a chapter, for a server. */
function filesUpTo(chapter: string, url: string): Record<string, string> {
  const told = new Document("", page.text.split(`\n## ${chapter}\n`)[0]);
  const written = told.blocks.flatMap(({ language, text }) => {
    const [, name] = /^\/\/ src\/(\w+\.tsx?)\n/.exec(text) ?? [];
    return language.startsWith("ts") ? [[name, text]] : [];
  });
  const files = Object.fromEntries(written);
  return { ...files, "chat.ts": replacePart(files["chat.ts"], "http://localhost:8000", url) };
}

/** Two windows of an application, with what they complain of. */
async function open(chromium: Chromium, site: ScriptSite, complaints: string[]): Promise<Page[]> {
  return await Promise.all(["", "?user=bob"].map(async (query) => {
    const window = await chromium.window();
    window.on("pageerror", (error) => complaints.push(String(error)));
    window.on("console", (line) => {
      // A hub that is open to all keeps no rooms, and says so.
      const isOpenHub = line.text().includes("404");
      const isLost = /ERR_CONNECTION_REFUSED|WebSocket/.test(line.text());
      if (line.type() === "error" && !isOpenHub && !isLost) complaints.push(line.text());
    });
    await window.goto(`${site.url}/${query}`);
    return window;
  }));
}

async function say(window: Page, text: string): Promise<void> {
  await window.getByPlaceholder("Message").fill(text);
  await window.getByPlaceholder("Message").press("Enter");
}

Deno.test("the tutorial's first room waits while the server is away", RUN, async () => {
  using kv = await Deno.openKv(":memory:");
  await using site = new ScriptSite();
  const server = serve(kv, { origins: [site.url] });
  site.script = await bundle(filesUpTo("4. Channels, and what is unread", server.url), "main.tsx");
  await using chromium = Chromium.shared();
  const complaints: string[] = [];
  const [ann, bob] = await open(chromium, site, complaints);
  await ann.getByRole("heading", { name: "lobby (live)" }).waitFor();
  await say(bob, "hello ann");
  await ann.getByText("bob hello ann", { exact: true }).waitFor();
  await server.stop();
  await ann.getByRole("heading", { name: "lobby (waiting)" }).waitFor();
  await say(ann, "hello bob");
  await ann.getByText("ann hello bob waiting", { exact: true }).waitFor();
  await using _again = serve(kv, { origins: [site.url], port: server.port });
  for (const window of [ann, bob]) {
    await window.getByText("ann hello bob", { exact: true }).waitFor();
  }
  // Where no socket opens, the client asks the server why: it may be back by then.
  const probed = "the server responded with a status of 426 (Upgrade Required)";
  assertEquals(complaints.filter((complaint) => !complaint.includes(probed)), []);
});

Deno.test("the tutorial's application has channels, unread counts, edits and reactions", {
  ...RUN,
}, async () => {
  await using site = new ScriptSite();
  await using server = await serveAlone({ origins: [site.url] });
  site.script = await bundle(filesUpTo("6. Build it", server.url), "main.tsx");
  await using chromium = Chromium.shared();
  const complaints: string[] = [];
  const [ann, bob] = await open(chromium, site, complaints);
  await say(bob, "hello ann");
  await ann.locator("p", { hasText: "hello ann" }).waitFor();
  await ann.getByPlaceholder("Open a room").fill("news");
  await ann.getByPlaceholder("Open a room").press("Enter");
  await ann.getByRole("heading", { name: "news (live)" }).waitFor();

  await say(bob, "are you there?");
  await ann.locator("button", { hasText: "lobby" }).locator(".badge", { hasText: "1" }).waitFor();
  await ann.locator("button", { hasText: "lobby" }).click();
  await ann.locator(".badge").waitFor({ state: "detached" });

  await ann.locator("p", { hasText: "are you there?" }).getByText("Like").click();
  await bob.getByRole("button", { name: "👍 1" }).waitFor();
  bob.on("dialog", (dialog) => void dialog.accept("are you there, ann?"));
  await bob.locator("p", { hasText: "are you there?" }).getByText("Edit").click();
  await ann.locator("p", { hasText: "are you there, ann? edited" }).waitFor();
  await bob.locator("p", { hasText: "hello ann" }).getByText("Delete").click();
  await ann.getByText("bob has deleted a message", { exact: true }).waitFor();
  await bob.getByPlaceholder("Message").pressSequentially("so");
  await ann.getByText("bob typing", { exact: true }).waitFor();
  assertEquals(complaints, []);
});

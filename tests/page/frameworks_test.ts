/// <reference lib="dom" />
// What docs/svelte-and-vue.md shows, compiled, bundled and in a browser.

import { assertEquals } from "@std/assert";
import { connect } from "@hubbub/hub/client";
import { compile } from "svelte/compiler";
import { compileScript, parse } from "vue/compiler-sfc";
import { bundle, ScriptSite } from "../helpers/application.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { Document } from "../helpers/document.ts";
import { needs } from "../helpers/permissions.ts";
import { replacePart } from "../helpers/proxy_configuration.ts";
import { until } from "../helpers/received.ts";
import { serveAlone } from "../helpers/test_server.ts";

const ALL = needs("net", "read", "write", "run", "env");
const page = ALL.ignore ? new Document("", "") : Document.read("docs/svelte-and-vue.md");

function compileSvelte(text: string): string {
  const { js, warnings } = compile(text, { generate: "client" });
  assertEquals(warnings.map(({ message }) => message), []);
  return js.code;
}

function compileVue(text: string): string {
  const { descriptor, errors } = parse(text);
  assertEquals(errors, []);
  return compileScript(descriptor, { id: "app", inlineTemplate: true }).content;
}

const FRAMEWORKS = {
  svelte: {
    compile: compileSvelte,
    chat: "svelte/store",
    main: `import { mount, unmount } from "svelte"; import App from "./app.js";
const app = mount(App, { target: document.body });
globalThis.leave = () => unmount(app);`,
  },
  vue: {
    compile: compileVue,
    chat: 'from "vue"',
    main: `import { createApp } from "vue"; import App from "./app.js";
const app = createApp(App);
app.mount(document.body);
globalThis.leave = () => app.unmount();`,
  },
};

/** The files of an application of the page's lines, for a server. */
function filesOf(name: keyof typeof FRAMEWORKS, url: string): Record<string, string> {
  const { compile, chat, main } = FRAMEWORKS[name];
  return {
    "chat.ts": replacePart(page.block("ts", chat), "http://localhost:8000", url),
    "app.js": compile(page.block(name, "<script")),
    "main.js": main,
  };
}

for (const name of ["svelte", "vue"] as const) {
  Deno.test(`svelte-and-vue.md's ${name} shows a room, says something, and leaves`, {
    ...ALL,
    ignore: ALL.ignore || BROWSER.ignore,
  }, async () => {
    await using site = new ScriptSite();
    await using server = await serveAlone({ origins: [site.url] });
    await using bob = connect(server.url, { room: "lobby", user: "bob" });
    await bob.send("hello");
    site.script = await bundle(filesOf(name, server.url), "main.js");
    await using chromium = Chromium.shared();
    const window = await chromium.window();
    const errors: Error[] = [];
    window.on("pageerror", (error) => errors.push(error));
    await window.goto(site.url);
    await window.getByText("bob: hello", { exact: true }).waitFor();
    await window.getByText("live", { exact: true }).waitFor();
    await window.getByLabel("Message").pressSequentially("hi bob");
    await until(bob, () => bob.typingUsers.includes("ann"));
    await window.getByLabel("Message").press("Enter");
    await window.locator("li.sent", { hasText: "ann: hi bob" }).waitFor();
    bob.typing();
    await window.getByText("bob typing", { exact: true }).waitFor();
    assertEquals(await window.getByLabel("Message").inputValue(), "");
    await window.evaluate(() => (globalThis as unknown as { leave(): void }).leave());
    await until(bob, () => !bob.users.includes("ann"));
    assertEquals(errors, []);
  });
}

/// <reference lib="dom" />
// What docs/svelte-and-vue.md shows, compiled, bundled and in a browser.

import { assertEquals } from "@std/assert";
import { connect } from "@hubbub/hub/client";
import { compile } from "svelte/compiler";
import { compileScript, parse } from "vue/compiler-sfc";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { Document } from "../helpers/document.ts";
import { inFolder } from "../helpers/folder.ts";
import { needs } from "../helpers/permissions.ts";
import { replacePart } from "../helpers/proxy_configuration.ts";
import { until } from "../helpers/received.ts";
import { serveAlone } from "../helpers/test_server.ts";

const ALL = needs("net", "read", "write", "run", "env");
const CONFIG = new URL("../../deno.test.json", import.meta.url).pathname;
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

/** Bundles an application of the page's lines for a server; gives the script. */
async function bundle(name: keyof typeof FRAMEWORKS, url: string): Promise<string> {
  const { compile, chat, main } = FRAMEWORKS[name];
  return await inFolder(async (folder) => {
    const lines = replacePart(page.block("ts", chat), "@hubbub/client", "@hubbub/hub/client");
    const client = new URL("../../src/client/mod.ts", import.meta.url).href;
    const files = {
      "chat.ts": replacePart(lines, "http://localhost:8000", url).replace(
        "@hubbub/hub/client",
        client,
      ),
      "app.js": compile(page.block(name, "<script")),
      "main.js": main,
    };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const args = ["bundle", "--quiet", "--config", CONFIG, "--frozen", "--platform=browser"];
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, `${folder}/main.js`],
    }).output();
    const [script, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    if (!success) throw new Error(said);
    return script;
  });
}

for (const name of ["svelte", "vue"] as const) {
  Deno.test(`svelte-and-vue.md's ${name} shows a room, says something, and leaves`, {
    ...ALL,
    ignore: ALL.ignore || BROWSER.ignore,
  }, async () => {
    const files = new Map([["/", '<!doctype html><script type="module" src="app.js"></script>']]);
    await using site = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
      const { pathname } = new URL(url);
      const type = pathname === "/" ? "text/html" : "text/javascript";
      return new Response(files.get(pathname), { headers: { "content-type": type } });
    });
    const app = `http://127.0.0.1:${site.addr.port}`;
    await using server = await serveAlone({ origins: [app] });
    await using bob = connect(server.url, { room: "lobby", user: "bob" });
    await bob.send("hello");
    files.set("/app.js", await bundle(name, server.url));
    await using chromium = Chromium.shared();
    const window = await chromium.window();
    const errors: Error[] = [];
    window.on("pageerror", (error) => errors.push(error));
    await window.goto(app);
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

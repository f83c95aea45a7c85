/// <reference lib="dom" />
import { assert } from "@std/assert";
import { connect } from "@hubbub/hub/client";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ExampleProgram } from "../helpers/example_program.ts";
import { until } from "../helpers/received.ts";
import { replacePart } from "../helpers/proxy_configuration.ts";
import { serveAlone } from "../helpers/test_server.ts";

const PAGE = new URL("../../examples/page.html", import.meta.url);

Deno.test("examples/page.html chats with a server of another origin, without a build", {
  ...BROWSER,
}, async () => {
  const { promise: origin, resolve } = Promise.withResolvers<string>();
  let html = "";
  await using site = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => resolve(`http://127.0.0.1:${port}`),
  }, () => new Response(html, { headers: { "content-type": "text/html" } }));
  await using server = await serveAlone({ origins: [await origin] });
  html = replacePart(await Deno.readTextFile(PAGE), "http://localhost:8000", server.url);

  await using bob = connect(server.url, { room: "lobby", user: "bob" });
  await bob.send("<b>hello</b>");
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  await page.goto(`http://127.0.0.1:${site.addr.port}/page.html`);
  await page.getByText("bob: <b>hello</b>", { exact: true }).waitFor();
  await page.getByText("live", { exact: true }).waitFor();

  await page.getByLabel("Message").pressSequentially("hi bob");
  await until(bob, () => bob.typingUsers.includes("ann"));
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("ann: hi bob", { exact: true }).waitFor();
  await until(
    bob,
    () => bob.messages.some(({ user, text }) => user === "ann" && text === "hi bob"),
  );
  bob.typing();
  await page.getByText("bob typing", { exact: true }).waitFor();
  assert(await page.getByLabel("Message").inputValue() === "");
});

Deno.test("examples/under_a_path.ts's page chats with the chat beside it", BROWSER, async () => {
  await using program = new ExampleProgram("under_a_path.ts");
  const [url] = await program.addresses(1);
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  await page.goto(url);
  await page.getByRole("button", { name: "Say hello" }).click();
  await page.getByText("visitor: hello", { exact: true }).waitFor();
});

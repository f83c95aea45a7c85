/// <reference lib="dom" />
import { assert, assertEquals } from "@std/assert";
import { tokenAuthorizer } from "@hubbub/hub";
import { readInvitation, tokenIn } from "../../src/page/invitation.ts";
import { BROWSER, Chromium } from "../helpers/browser.ts";
import { ChatWindow } from "../helpers/chat_window.ts";
import { serveAlone } from "../helpers/test_server.ts";
import { signWithSecret } from "../helpers/tokens.ts";

const SECRET = "a secret of this test, of 32 bytes or more";
const signToken = (sub: string, claims: Record<string, unknown> = {}) =>
  signWithSecret({ sub, ...claims }, SECRET);
const authorize = tokenAuthorizer({ secret: SECRET });

Deno.test("readInvitation() takes a link or a token, and nothing else", () => {
  const link = "https://chat.example/r/tea#token=a.b.c";
  assertEquals(readInvitation(` <${link}> `), { token: "a.b.c", room: "tea" });
  assertEquals(readInvitation("/chat/r/tea/#x=1&token=a%2Fb"), { token: "a/b", room: "tea" });
  assertEquals(readInvitation("#token=a+b=="), { token: "a+b==", room: undefined });
  assertEquals(readInvitation("https://x.example/#token=abc"), { token: "abc", room: undefined });
  assertEquals(readInvitation("a.b.c"), { token: "a.b.c" });
  assertEquals(readInvitation("Bearer a.b.c"), { token: "a.b.c" });
  for (const text of ["", "  ", "let me in", "https://chat.example/r/tea", "x".repeat(10_000)]) {
    assertEquals(readInvitation(text), undefined);
  }
  assertEquals([tokenIn("#token="), tokenIn("#a=b"), tokenIn("#token=%")], [
    undefined,
    undefined,
    "%",
  ]);
});

Deno.test("a server with tokens asks for the invitation, and it lets one in", BROWSER, async () => {
  await using server = await serveAlone({ authorize });
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  const window = await ChatWindow.open(page, `${server.url}/r/lobby`, "ann");
  await window.state("Disconnected");
  const field = page.getByLabel("Paste the link or the token of your invitation");
  await field.waitFor();
  assertEquals(await page.locator("#reload").isVisible(), false);
  assert(await page.locator("#composer-text").isDisabled());
  await window.see("#composer-off", "You cannot write now. A token is required.");
  assertEquals(await page.evaluate(() => document.activeElement?.id), "invitation-text");
  await field.fill("please");
  await field.fill("let me in");
  await field.press("Enter");
  await window.see("#invitation-problem", "neither a link");
  await field.fill(`${server.url}/r/tea#token=${await signToken("ann")}`);
  await field.press("Enter");
  await window.state("Connected");
  assertEquals(page.url(), `${server.url}/r/tea`);
  await window.say("hello");
  await window.count(1);
});

Deno.test("an expired token is dropped, and another one asked for", BROWSER, async () => {
  await using server = await serveAlone({ authorize });
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  await page.goto(`${server.url}/r/lobby#token=${await signToken("ann", { exp: 1_000_000_000 })}`);
  const window = ChatWindow.of(page);
  await window.see("#banner-text", "expired");
  const field = page.getByLabel("Paste the link or the token of your invitation");
  await field.waitFor();
  // The dead token is gone: the page does not come back with it.
  await page.waitForFunction(() =>
    !JSON.stringify({ ...sessionStorage }).includes('[\\"token\\"]')
  );
  await field.fill(await signToken("ann"));
  await page.getByRole("button", { name: "Come in" }).click();
  await window.state("Connected");
  assert(await page.locator("#composer-text").isEnabled());

  // A room that the token does not open: the token stays, another invitation may be pasted.
  const tea = await signToken("ann", { rooms: ["tea"] });
  await page.goto(`${server.url}/r/lobby#token=${tea}`);
  await window.state("Disconnected");
  await field.waitFor();
  await field.fill(`${server.url}/r/tea#token=${tea}`);
  await field.press("Enter");
  await window.state("Connected");
});

Deno.test("an open server has no use for a token, and asks for a name", BROWSER, async () => {
  await using server = await serveAlone();
  await using chromium = Chromium.shared();
  const page = await chromium.window();
  await page.goto(`${server.url}/r/lobby#token=abc`);
  const window = ChatWindow.of(page);
  await window.state("Disconnected");
  await page.waitForFunction(() =>
    !JSON.stringify({ ...sessionStorage }).includes('[\\"token\\"]')
  );
  await page.getByRole("button", { name: "Reload" }).click();
  await page.getByLabel("Your name").fill("ann");
  await page.keyboard.press("Enter");
  await window.state("Connected");
});

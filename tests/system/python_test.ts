// Programs in Python: the example that speaks protocol 2, and schemathesis, which reads openapi.json.

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { tokenOf } from "@hubbub/hub";
import { connect } from "@hubbub/hub/client";
import { needs, SLOW_LEFT_OUT } from "../helpers/permissions.ts";
import { PythonProgram, pythonWith } from "../helpers/python_program.ts";
import { until } from "../helpers/received.ts";
import { page, say } from "../helpers/requests.ts";
import { serve, serveAlone } from "../helpers/test_server.ts";

/** Milliseconds that schemathesis may take: one and a half minutes of a processor's time. */
const SCHEMATHESIS_MS = 7 * 60_000;
const all = needs("net", "read", "run", "env");
const CHAT = "examples/python/chat.py";
const chatting = { ...all, ignore: all.ignore || !pythonWith("websockets", "examples/python") };
const describing = { ...all, ignore: all.ignore || !pythonWith("schemathesis", "openapi.json") };

Deno.test("the chat in Python has under 100 lines", needs("read"), () => {
  const text = Deno.readTextFileSync(new URL(`../../${CHAT}`, import.meta.url));
  assertLess(text.trimEnd().split("\n").length, 100);
});

Deno.test("the chat in Python speaks protocol 2", chatting, async () => {
  await using server = await serveAlone();
  await (await say(server.url, { user: "eve", text: "before" })).body?.cancel();
  await using program = new PythonProgram(CHAT, server.url, "lobby", "bob");
  await program.until("* 1 in lobby");
  assertEquals(program.lines, ["eve: before", "* 1 in lobby"]);
  await using ann = connect(server.url, { room: "lobby", user: "ann" });
  await until(ann, () => ann.users.includes("bob"));
  await ann.send("hello");
  await program.until("ann: hello");
  await program.write("hello yourself\n");
  await program.until("bob: hello yourself");
  await program.write("bye, ¡adiós! 👋\n");
  await program.endInput();
  assertEquals(await program.end(), 0);
  const said = (await page(server.url, "")).map(({ user, text }) => `${user}: ${text}`);
  const expected = ["eve: before", "ann: hello", "bob: hello yourself", "bob: bye, ¡adiós! 👋"];
  assertEquals(said, expected);
});

Deno.test("the chat in Python shows what is changed, each change once", chatting, async () => {
  await using server = await serveAlone();
  const { cursor } = await (await say(server.url, { user: "ann", text: "helo" })).json();
  const address = `${server.url}/rooms/lobby/messages/${cursor}`;
  const react = async (user: string, emoji: string, method = "PUT") => {
    const query = new URLSearchParams({ user, emoji });
    await (await fetch(`${address}/reactions?${query}`, { method })).body?.cancel();
  };
  await react("eve", "👋");
  await using program = new PythonProgram(CHAT, server.url, "lobby", "bob");
  await program.until("* 1 in lobby");
  const body = JSON.stringify({ user: "ann", text: "hello" });
  await (await fetch(address, { method: "PATCH", body })).body?.cancel();
  await react("cleo", "👋");
  await react("cleo", "👍");
  await react("eve", "👋", "DELETE");
  await (await fetch(`${address}?user=ann`, { method: "DELETE" })).body?.cancel();
  await program.until("~ ann: (deleted)");
  assertEquals(program.lines, [
    "ann: helo 👋1",
    "* 1 in lobby",
    "~ ann: hello 👋1",
    "~ ann: hello 👋2",
    "~ ann: hello 👋2 👍1",
    "~ ann: hello 👋1 👍1",
    "~ ann: (deleted)",
  ]);
  // Who comes later sees what is left.
  await using late = new PythonProgram(CHAT, server.url, "lobby", "dan");
  await late.until("* 2 in lobby");
  assertEquals(late.lines, ["ann: (deleted)", "* 2 in lobby"]);
});

Deno.test("the chat in Python comes back, and says what it had not said", chatting, async () => {
  using kv = await Deno.openKv(":memory:");
  const first = serve(kv);
  const { port, url } = first;
  await using program = new PythonProgram(CHAT, url, "lobby", "bob");
  await program.until("* 1 in lobby");
  await program.write("one\n");
  await program.until("bob: one");
  await first.stop();
  await program.write("two\n");
  await using second = serve(kv, { port });
  await (await say(url, { user: "ann", text: "meanwhile" })).body?.cancel();
  await program.until("bob: two");
  await program.until("ann: meanwhile");
  await program.endInput();
  assertEquals(await program.end(), 0);
  const said = (await page(second.url, "")).map(({ user, text }) => `${user}: ${text}`);
  assertEquals(said.toSorted(), ["ann: meanwhile", "bob: one", "bob: two"]);
  assertEquals(program.lines.filter((line) => !line.startsWith("*")), said);
});

Deno.test("the chat in Python says why it is refused", chatting, async () => {
  await using server = await serveAlone();
  await using program = new PythonProgram(CHAT, server.url, "lobby", "\u2800");
  assertEquals(await program.end(), 1);
  assertStringIncludes(program.remarks.join("\n"), "bad_user");
});

Deno.test(
  "schemathesis finds nothing wrong with openapi.json and the server",
  { ...describing, ignore: describing.ignore || SLOW_LEFT_OUT, timeout: 8 * 60_000 },
  async () => {
    const adminToken = "a-token-of-operators-for-the-test";
    const authorize = (request: Request) => {
      return tokenOf(request) === adminToken ? { user: "ann" } : { denied: "Who are you?" };
    };
    const folder = await Deno.makeTempDir();
    await using _cleanup = {
      [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
    };
    const file = `${folder}/kv.sqlite3`;
    using kv = await Deno.openKv(file);
    await using server = serve(kv, { file, adminToken, authorize });
    await using program = new PythonProgram(
      "-m",
      "schemathesis.cli",
      "run",
      "docs/openapi.json",
      "--url",
      server.url,
      "--header",
      `Authorization: Bearer ${adminToken}`,
      "--max-examples=10",
      "--seed=1",
    );
    const code = await program.end(SCHEMATHESIS_MS);
    assertEquals(code, 0, [...program.lines, ...program.remarks].join("\n"));
    assert(
      program.lines.some((line) => line.includes("No issues found")),
      program.lines.join("\n"),
    );
  },
);

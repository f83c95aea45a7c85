// A backend in another language, by HTTP alone.

import { assertEquals } from "@std/assert";
import { needs } from "../helpers/permissions.ts";
import { serveAlone } from "../helpers/test_server.ts";

const ADMIN = "x".repeat(32);
const SCRIPT = new URL("../../examples/python/operate.py", import.meta.url).pathname;

const isThere = (await Deno.permissions.query({ name: "run", command: "python3" })).state ===
  "granted";

Deno.test({
  name: "A backend in Python lists, posts, puts out, exports and imports by HTTP alone",
  ...needs("net", "read"),
  ignore: !isThere,
  async fn() {
    await using server = await serveAlone({ adminToken: ADMIN });
    const { success, stdout, stderr } = await new Deno.Command("python3", {
      args: [SCRIPT, server.url],
      env: { HUBBUB_ADMIN_TOKEN: ADMIN },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals([success, text(stderr)], [true, ""]);
    assertEquals(text(stdout).split("\n"), [
      "refused: banned",
      "banned: mallory",
      "copied: 2",
      "archive: Good morning; Buy this",
      "rooms: archive, lobby",
      "rooms: archive, attic, lobby",
      "",
    ]);
    const { messages } = await (await fetch(`${server.url}/rooms/archive/messages`)).json();
    assertEquals(messages[1].reply_to, messages[0].cursor);
  },
});

// What operators do by hand.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { runAdmin } from "../../tools/admin.ts";
import { inFolder } from "../helpers/folder.ts";
import { needs } from "../helpers/permissions.ts";
import { serveAlone } from "../helpers/test_server.ts";

const permissions = needs("net", "read", "write");
const ADMIN = "x".repeat(32);

/** Runs commands against a server, and gives what they wrote. */
function adminOf(url: string, token = ADMIN) {
  return async (...args: string[]): Promise<{ code: number; out: string; notes: string }> => {
    const [out, notes]: string[][] = [[], []];
    const code = await runAdmin(args, {
      url,
      token,
      out: (text) => void out.push(text),
      note: (text) => void notes.push(text),
    });
    return { code, out: out.join("\n"), notes: notes.join("\n") };
  };
}

Deno.test(
  "deno task admin does what an operator wants, and says why not",
  permissions,
  () =>
    inFolder(async (folder) => {
      await using server = await serveAlone({ adminToken: ADMIN });
      const admin = adminOf(server.url + "/");
      assertMatch((await admin()).out, /^Usage: deno task admin/);
      const posted = await admin("post", "lobby", "ann", "hello");
      assertEquals([posted.code, posted.out.length], [0, 20]);
      assertEquals((await admin("rooms")).out, `lobby\t${posted.out}`);
      assertEquals((await admin("sanction", "ban", "bob", "--reason", "spam")).code, 0);
      const mute = ["mute", "--seconds=60", "--room=lobby", "cleo"];
      assertEquals((await admin("sanction", ...mute)).code, 0);
      assertEquals((await admin("sanctions")).out, "ban\tbob\tfor good\tan operator\tspam");
      assertMatch((await admin("sanctions", "--room", "lobby")).out, /^mute\tcleo\tuntil 20/);
      assertEquals((await admin("unsanction", "bob")).code, 0);
      assertEquals((await admin("sanctions")).out, "");
      const again = await admin("unsanction", "bob");
      assertEquals([again.code, again.notes.includes("404")], [1, true]);

      const file = folder + "/lobby.ndjson";
      assertEquals(await admin("export", "lobby", file), { code: 0, out: "", notes: "" });
      assertEquals(JSON.parse(await Deno.readTextFile(file)).text, "hello");
      const twice = await admin("export", "lobby", file);
      assertEquals(twice.code, 1);
      const imported = await admin("import", "copy", file);
      assertEquals(imported, { code: 0, out: '1 messages are stored in "copy"', notes: "" });
      const full = await admin("import", "copy", file);
      assertEquals([full.code, full.notes.includes("--append")], [1, true]);
      assertEquals((await admin("import", "copy", file, "--append")).code, 0);

      // What is wrong is said with its line, before anything is stored.
      const good = '{"user":"ann","text":"hello"}\n';
      const bad: [string, RegExp][] = [
        [good + "\n" + good + "{\n", /line 4: it is not JSON/],
        [good + '{"user":"ann"}\n' + good, /line 2: "text"/],
        [good.repeat(700) + "7", /line 701: it must be an object/],
      ];
      for (const [text, why] of bad) {
        await Deno.writeTextFile(file, text);
        const refused = await admin("import", "never", file);
        assertEquals(refused.code, 1);
        assertMatch(refused.notes, why);
      }
      assertEquals((await admin("rooms")).out.includes("never"), false);

      const wrong = [["fly"], ["post", "lobby"], ["rooms", "--fast"], [
        "sanction",
        "ban",
        "a",
        "--room",
      ]];
      for (const args of wrong) assertEquals((await admin(...args)).code, 2, args.join(" "));
      const refusals = [["post", "no room", "ann", "hi"], ["import", "a", "/no/such/file"]];
      for (const args of refusals) assertEquals((await admin(...args)).code, 1, args.join(" "));
      assertMatch((await adminOf(server.url, "y".repeat(32))("rooms")).notes, /401.*unauthorized/);
      assertMatch((await adminOf(server.url, "")("rooms")).notes, /HUBBUB_ADMIN_TOKEN is not set/);
      assertMatch((await admin("rooms", "--url", "http://127.0.0.1:1")).notes, /^Cannot reach/);
      assertEquals((await admin("delete", "copy")).code, 0);
      assertEquals((await admin("rooms")).out.includes("copy"), false);
      const erased = await admin("erase", "ann");
      assertEquals(erased.code, 0, erased.notes);
    }),
);

Deno.test(
  "deno task import leads answers to their new places, over many requests",
  permissions,
  () =>
    inFolder(async (folder) => {
      await using server = await serveAlone({ adminToken: ADMIN });
      const admin = adminOf(server.url);
      const cursor = (n: number) => `${n}`.padStart(20, "0");
      const lines = Array.from({ length: 700 }, (_, n) => {
        const reply_to = n % 100 === 1
          ? cursor(n - 1)
          : n >= 500
          ? cursor(Math.floor(n / 7))
          : undefined;
        return JSON.stringify({ cursor: cursor(n), user: `user ${n % 5}`, text: `${n}`, reply_to });
      });
      lines.push(JSON.stringify({ user: "ann", text: "to what is gone", reply_to: cursor(9_999) }));
      const [from, to] = [folder + "/from", folder + "/to"];
      await Deno.writeTextFile(from, lines.join("\n"));
      assertEquals((await admin("import", "a", from)).code, 0);
      assertEquals((await admin("export", "a", to)).code, 0);
      const found = (await Deno.readTextFile(to)).trimEnd().split("\n").map((line) =>
        JSON.parse(line)
      );
      assertEquals(found.map(({ text }) => text), lines.map((line) => JSON.parse(line).text));
      found.forEach(({ reply_to }, n) => {
        const { reply_to: before } = JSON.parse(lines[n]);
        const target = before === undefined || n === 700 ? undefined : found[Number(before)].cursor;
        assertEquals(reply_to, target, `${n}`);
      });
      assert(found.every(({ cursor }, n) => n === 0 || cursor > found[n - 1].cursor));
    }),
);

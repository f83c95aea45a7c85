// An import stores in few commits what an export has.

import { assert, assertEquals } from "@std/assert";
import { decodeImported } from "@hubbub/hub/protocol";
import { importMessages } from "../../src/http/room_import.ts";
import { TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";

const place = (n: number) => `${n}`.padStart(20, "0");

/** Messages as they come out of an export. */
function imported(count: number, more: (n: number) => object) {
  return Array.from({ length: count }, (_, n) => {
    const line = { cursor: place(n), user: `user ${n % 9}`, text: `message ${n}`, ...more(n) };
    const decoded = decodeImported(line);
    assert(decoded.ok, JSON.stringify(line));
    return decoded.imported;
  });
}

Deno.test("an import takes few commits, and opens its room once", async () => {
  await using isolates = await TestIsolates.open();
  const { hub, log } = isolates.start();
  let commits = 0;
  const append = log.append.bind(log);
  log.append = (entries) => (commits++, append(entries));
  let opened = 0;
  const last = log.last.bind(log);
  log.last = (room, options) => (opened += room === "a" ? 1 : 0, last(room, options));

  // Each answers what stands 130 before; a tenth has reactions, 1,200 in all.
  const users = Array.from({ length: 24 }, (_, n) => `user ${n}`);
  const messages = imported(500, (n) => ({
    ...(n >= 130 && { reply_to: place(n - 130) }),
    ...(n % 10 === 0 && { reactions: [{ emoji: "👍", users }] }),
  }));
  const cursors = await importMessages(hub, "a", messages);
  // With a name for each reaction, of which a commit takes nine, they would be 133.
  assert(commits <= 20, `${commits} commits`);
  assertEquals(opened, 1);
  const { messages: states } = await log.states("a", {
    from: cursors[0],
    to: cursors[499],
    limit: Infinity,
  });
  assertEquals(states.size, 50);
  for (const [index, cursor] of cursors.entries()) {
    const record = await log.get("a", cursor);
    const { text, reply_to } = JSON.parse(record!.envelope).payload;
    assertEquals([text, reply_to], [messages[index].draft?.text, cursors[index - 130]]);
  }
});

Deno.test("an import stores of a deleted message that there was one", async () => {
  await using isolates = await TestIsolates.open();
  const [one, other] = isolates.startAll(2);
  const ann = new TestMember("ann");
  const bob = new TestMember("bob");
  await one.hub.join("a", ann).joined;
  await other.hub.join("a", bob).joined;
  const messages = imported(3, (n) => n === 1 ? { deleted: true, text: undefined } : {});
  const [, gone, third] = await importMessages(one.hub, "a", messages);
  for (const member of [ann, bob]) {
    await member.until(({ messages }) => messages.length === 3);
    assertEquals(member.said, ["message 0", "", "message 2"]);
    assertEquals(member.messages.map(({ deleted }) => deleted), [undefined, true, undefined]);
    assertEquals(member.of("message_changed"), []);
  }
  // Nobody changes what is deleted, also where it was only heard of.
  for (const { hub } of [one, other]) {
    const draft = { kind: "reaction", cursor: gone, emoji: "👍", status: true } as const;
    const result = await hub.change("a", "eve", draft);
    assertEquals(result.status === "refused" && result.problem.code, "not_found");
  }
  const late = new TestMember("eve");
  await other.hub.join("a", late).joined;
  assertEquals(late.messages.map(({ cursor, text }) => [cursor, text]).slice(1), [
    [gone, ""],
    [third, "message 2"],
  ]);
  for await (const { value } of isolates.kv.list({ prefix: [] })) {
    const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : `${value}`;
    assert(!text.includes("(deleted)"), text);
  }
});

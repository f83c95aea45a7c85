import { assert, assertEquals, assertFalse } from "@std/assert";
import { needs } from "../helpers/permissions.ts";
import { serveAlone } from "../helpers/test_server.ts";

const net = needs("net");

// deno-lint-ignore no-explicit-any
async function ask(url: string, init: RequestInit = {}): Promise<{ status: number; body: any }> {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.json() };
}

function sending(method: string, body: unknown): RequestInit {
  const headers = { "content-type": "application/json" };
  return { method, headers, body: JSON.stringify(body) };
}

Deno.test("messages are read, edited, reacted to and deleted over HTTP", net, async () => {
  await using server = await serveAlone();
  const room = `${server.url}/rooms/lobby/messages`;
  const first = await ask(room, sending("POST", { user: "ann", text: "helo", data: { a: 1 } }));
  const { cursor } = first.body;
  const reply = await ask(room, sending("POST", { user: "bob", text: "hi", reply_to: cursor }));
  assertEquals([reply.status, reply.body.reply_to], [201, cursor]);
  assertEquals((await ask(`${room}/${cursor}`)).body, first.body);

  const edited = await ask(`${room}/${cursor}`, sending("PATCH", { user: "ann", text: "hello" }));
  assertEquals(edited.status, 200);
  const { changed, edited_at, ...rest } = edited.body;
  assertEquals(rest, { ...first.body, text: "hello" });
  assert(changed > cursor && edited_at >= first.body.sent_at);
  const cleared = await ask(`${room}/${cursor}`, sending("PATCH", { user: "ann", data: null }));
  assertEquals([cleared.body.text, cleared.body.data], ["hello", undefined]);

  const thumb = `${room}/${cursor}/reactions?emoji=${encodeURIComponent("👍")}&user=bob`;
  const reacted = await ask(thumb, { method: "PUT" });
  const reactions = [{ emoji: "👍", count: 1, users: ["bob"], mine: true }];
  assertEquals([reacted.status, reacted.body.reactions], [200, reactions]);
  assertEquals((await ask(thumb, { method: "PUT" })).body, reacted.body, "once more is the same");
  const page = await ask(`${room}?after=${cursor}`);
  assertEquals(page.body.messages.map(({ text }: { text: string }) => text), ["hi"]);
  assertEquals(page.body.changes.map(({ kind }: { kind: string }) => kind), [
    "edit",
    "edit",
    "reaction",
  ]);
  assertEquals(page.body.changes.at(-1).cursor, reacted.body.changed);
  const back = await ask(thumb, { method: "DELETE" });
  assertEquals([back.status, back.body.reactions], [200, undefined]);

  assertEquals((await ask(`${room}/${back.body.changed}`)).status, 404, "a change is no message");
  for (const nothing of ["0".repeat(20), "z".repeat(20), "nope"]) {
    assertEquals((await ask(`${room}/${nothing}`)).status, 404, nothing);
  }
  const foreign = await ask(`${room}/${cursor}`, sending("PATCH", { user: "bob", text: "x" }));
  assertEquals([foreign.status, foreign.body.error.code], [403, "forbidden"]);
  const stray = await ask(`${room}/${cursor}`, sending("PATCH", { user: "ann", text: "x", a: 1 }));
  assertEquals([stray.status, stray.body.error.code], [400, "unknown_field"]);

  const deleted = await ask(`${room}/${cursor}?user=ann`, { method: "DELETE" });
  assertEquals([deleted.status, deleted.body.deleted, "text" in deleted.body], [200, true, false]);
  const again = await ask(`${room}/${cursor}?user=ann`, { method: "DELETE" });
  assertEquals([again.status, again.body], [200, deleted.body]);
  const all = await ask(room);
  assertFalse(JSON.stringify(all.body).includes("hello"));
  assertEquals(all.body.messages[0], deleted.body);
  assertEquals(
    (await ask(`${room}?after=${cursor}`)).body.changes.map((c: { kind: string }) => c.kind),
    [
      "reaction",
      "reaction",
      "delete",
    ],
  );
  const late = await ask(`${room}/${cursor}`, sending("PATCH", { user: "ann", text: "x" }));
  assertEquals([late.status, late.body.error.code], [404, "not_found"]);
});

Deno.test("pages say where to read on, in both directions", net, async () => {
  await using server = await serveAlone();
  const room = `${server.url}/rooms/lobby/messages`;
  const cursors: string[] = [];
  for (let i = 0; i < 7; i++) {
    cursors.push((await ask(room, sending("POST", { user: `u${i}`, text: `${i}` }))).body.cursor);
    await ask(`${room}/${cursors[0]}/reactions?emoji=x${i}&user=ann`, { method: "PUT" });
  }
  const texts = [];
  let before = "";
  for (;;) {
    const { body } = await ask(`${room}?limit=3${before}`);
    texts.unshift(...body.messages.map(({ text }: { text: string }) => text));
    if (body.older === null) break;
    before = `&before=${body.older}`;
  }
  assertEquals(texts, ["0", "1", "2", "3", "4", "5", "6"]);
  const seen: string[] = [];
  for (let after = cursors[0];;) {
    const { body } = await ask(`${room}?limit=2&after=${after}`);
    for (const { cursor } of [...body.messages, ...body.changes]) seen.push(cursor);
    if (body.newer === null) break;
    after = body.newer;
  }
  assertEquals(new Set(seen).size, 6 + 7);
  assertEquals(seen.length, 6 + 7);
});

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Moderate, Sender, Verdict } from "@hubbub/hub";
import { readLog } from "../helpers/log_run.ts";
import { needs } from "../helpers/permissions.ts";
import { assertRefused, page, say } from "../helpers/requests.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";
import { serve } from "../helpers/test_server.ts";

/** Changes what starts with "shout", refuses "curse", fails on "crash". */
const moderate: Moderate = ({ text }) => {
  if (text.startsWith("curse")) return { refused: "Mind your words" };
  if (text.startsWith("crash")) throw new Error("Out of words");
  return { text: text.startsWith("shout") ? text.toUpperCase() : text };
};

/** A hook as somebody may write it who checks no types. */
function untyped(hook: () => unknown): Moderate {
  return () => hook() as Verdict;
}

Deno.test("Hub.publish() stores what moderation makes of a message, under the sender's ref", async () => {
  using kv = await Deno.openKv(":memory:");
  const asked: unknown[] = [];
  const { hub, log } = createTestHub(kv, {
    moderate: (draft, sender: Sender) => {
      asked.push([draft, sender]);
      return { text: draft.text.replace("bad", "***"), ref: "its own" };
    },
  });
  const stored = await hub.publish("lobby", "ann", { text: "a bad word", ref: "1" });
  assert(stored.status === "stored");
  const repeat = await hub.publish("lobby", "ann", { text: "a bad word", ref: "1" });
  assert(repeat.status === "duplicate");
  assertEquals(repeat.record.id, stored.record.id);
  const sender = { room: "lobby", user: "ann" };
  assertEquals(asked, [[{ text: "a bad word", ref: "1" }, sender]], "a repeat is not judged again");
  const [{ text, ref }, ...more] = await readLog(log, "lobby");
  assertEquals([text, ref, more], ["a *** word", "1", []]);
  await hub.drain();
});

Deno.test("Subscription.publish() keeps a sender's order through moderation, refused or changed", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log, events } = createTestHub(kv, { moderate });
  const [ann, bob] = [new TestMember("ann"), new TestMember("bob")];
  const subscriptions = [ann, bob].map((member) => hub.join("lobby", member));
  await Promise.all(subscriptions.map(({ joined }) => joined));
  for (const text of ["keep 1", "curse", "shout 2", "crash", "keep 3"]) {
    subscriptions[0].publish({ text, ref: text });
  }
  await Promise.all([ann, bob].map((member) => member.until(({ said }) => said.length === 3)));
  for (const { said } of [ann, bob]) assertEquals(said, ["keep 1", "SHOUT 2", "keep 3"]);
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), ann.said);
  assertEquals(ann.of("error"), [
    { code: "not_accepted", message: "Mind your words", ref: "curse" },
    { code: "internal", message: "The message could not be judged", ref: "crash" },
  ]);
  assertEquals(bob.of("error"), []);
  const { metrics } = hub;
  assertEquals([metrics.messagesRefused, metrics.moderationFailures], [1, 1]);
  assertEquals(events.map(({ level, event, fields }) => [level, event, String(fields?.error)]), [
    ["error", "moderation_failed", "Error: Out of words"],
  ]);
  await hub.drain();
});

const BAD_VERDICTS: [string, () => unknown, RegExp][] = [
  ["nothing", () => undefined, /must return \{ text \} or \{ refused \}/],
  ["a text that is none", () => ({ text: 1 }), /must return/],
  ["a promise", () => Promise.resolve({ text: "late" }), /not a promise/],
  ["a promise that rejects", () => Promise.reject(new Error("late")), /not a promise/],
  ["an empty text", () => ({ text: " " }), /cannot be stored: "text" is empty/],
  ["a long text", () => ({ text: "x".repeat(101) }), /longer than 100 bytes/],
];

Deno.test("Hub.publish() stores nothing where moderation has no verdict, and says what it must do", async (t) => {
  for (const [what, hook, why] of BAD_VERDICTS) {
    await t.step(what, async () => {
      using kv = await Deno.openKv(":memory:");
      const { hub, log, events } = createTestHub(kv, {
        moderate: untyped(hook),
        limits: { text_max_bytes: 100 },
      });
      const outcome = await hub.publish("lobby", "ann", { text: "hi", ref: "1" });
      assert(outcome.status === "refused");
      assertEquals([outcome.problem.code, outcome.problem.ref], ["internal", "1"]);
      assertEquals(await readLog(log, "lobby"), []);
      assertEquals(events.length, 1);
      assertMatch(String(events[0].fields?.error), why);
      await hub.drain();
    });
  }
});

Deno.test(
  "POST answers 403 to what moderation refuses, and 500 where it fails",
  needs("net"),
  async () => {
    using kv = await Deno.openKv(":memory:");
    await using server = serve(kv, { moderate });
    const refused = await say(server.url, { user: "ann", text: "curse" });
    assertEquals(await assertRefused(refused, 403, "not_accepted"), "Mind your words");
    await assertRefused(await say(server.url, { user: "ann", text: "crash" }), 500, "internal");
    const stored = await say(server.url, { user: "ann", text: "shout" });
    assertEquals([stored.status, (await stored.json()).text], [201, "SHOUT"]);
    assertEquals((await page(server.url, "")).map(({ text }) => text), ["SHOUT"]);
    assertEquals(server.events.map(({ event }) => event), ["moderation_failed"]);
  },
);

Deno.test("Hub drains when it is disposed of", async () => {
  using kv = await Deno.openKv(":memory:");
  const member = new TestMember("ann");
  const { hub, log } = createTestHub(kv);
  {
    await using disposed = hub;
    const subscription = disposed.join("lobby", member);
    await subscription.joined;
    subscription.publish({ text: "last words" });
  }
  assert(hub.isDraining);
  assertEquals(member.closes.map(({ code }) => code), [4000]);
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), ["last words"]);
});

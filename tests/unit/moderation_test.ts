import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Moderate, Sender, Verdict } from "@hubbub/hub";
import { readLog } from "../helpers/log_run.ts";
import { eventually } from "../helpers/patience.ts";
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
  ["a promise of nothing", () => Promise.resolve(), /must return/],
  ["a promise of a promise of a number", () => Promise.resolve(Promise.resolve(1)), /must return/],
  ["a promise that rejects", () => Promise.reject(new Error("no answer")), /no answer/],
  ["a promise of a long text", () => Promise.resolve({ text: "x".repeat(101) }), /longer than 100/],
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

/** A hook that answers when it is told to, by what the messages say. */
class SlowModeration {
  readonly asked: string[] = [];
  readonly aborted: string[] = [];
  running = 0;
  most = 0;
  readonly #open = new Map<string, (verdict: Verdict) => void>();

  readonly moderate: Moderate = ({ text }, _sender, { signal }) => {
    this.asked.push(text);
    this.most = Math.max(this.most, ++this.running);
    signal.addEventListener("abort", () => this.aborted.push(text));
    return new Promise<Verdict>((resolve) => {
      this.#open.set(text, (verdict) => {
        this.running--;
        resolve(verdict);
      });
    });
  };

  answer(text: string, verdict: Verdict = { text }): void {
    this.#open.get(text)?.(verdict);
    this.#open.delete(text);
  }
}

Deno.test("moderate() may take its time: a sender's order stays, and nobody waits for others", async () => {
  using kv = await Deno.openKv(":memory:");
  const slow = new SlowModeration();
  const { hub, log } = createTestHub(kv, { moderate: slow.moderate });
  const [ann, bob] = [new TestMember("ann"), new TestMember("bob")];
  const [ofAnn, ofBob] = [ann, bob].map((member) => hub.join("lobby", member));
  await Promise.all([ofAnn.joined, ofBob.joined]);
  for (const text of ["1", "2", "3", "4"]) ofAnn.publish({ text, ref: text });
  ofAnn.publish({ text: "2", ref: "2" });
  ofAnn.publish({ text: "else", ref: "3" });
  ofBob.publish({ text: "bob's" });
  // Once the window is filled.
  await eventually(() => slow.asked.length === 5, "five questions");
  assertEquals(slow.asked, ["1", "2", "3", "4", "bob's"], "a repeat is not judged again");
  slow.answer("4");
  slow.answer("3", { refused: "No" });
  slow.answer("2");
  slow.answer("bob's");
  await bob.until(({ said }) => said.length === 1);
  assertEquals(bob.said, ["bob's"]);
  slow.answer("1", { text: "one" });
  await ann.until(({ said }) => said.length >= 4);
  assertEquals(bob.said, ["bob's", "one", "2", "4"]);
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), bob.said);
  assertEquals(ann.of("error").map(({ code, ref }) => [code, ref]), [
    ["ref_reused", "3"],
    ["not_accepted", "3"],
  ]);
  // The repeat is answered with the first one's message.
  await ann.until(({ said }) => said.filter((text) => text === "2").length === 2);
  await hub.drain();
});

Deno.test("At most 16 messages of a connection are judged at once, in all of its rooms", async () => {
  using kv = await Deno.openKv(":memory:");
  const slow = new SlowModeration();
  const { hub, log } = createTestHub(kv, { moderate: slow.moderate });
  const connection = {};
  const members = ["a", "b"].map((room) => {
    const member = Object.assign(new TestMember("ann"), { connection });
    return { member, subscription: hub.join(room, member) };
  });
  await Promise.all(members.map(({ subscription }) => subscription.joined));
  const texts = Array.from({ length: 60 }, (_, n) => `${n}`);
  for (const text of texts) members[Number(text) % 2].subscription.publish({ text });
  await eventually(() => slow.asked.length === 16, "sixteen questions");
  const other = hub.publish("a", "bob", { text: "bob's" });
  await eventually(() => slow.asked.includes("bob's"), "another's question");
  slow.answer("bob's");
  assertEquals((await other).status, "stored");
  assertEquals(slow.most, 17);
  // The newest first: what is released waits for the oldest.
  while (slow.running > 0) {
    slow.answer(slow.asked.findLast((text) => isOpen(text))!);
    await Promise.resolve();
  }
  function isOpen(text: string): boolean {
    const before = slow.running;
    slow.answer(text);
    return slow.running < before;
  }
  await eventually(async () => {
    const counts = await Promise.all(["a", "b"].map((room) => readLog(log, room)));
    return counts.flat().length === 61;
  }, "all of them");
  assertEquals(slow.most, 17);
  for (const [index, room] of ["a", "b"].entries()) {
    const said = (await readLog(log, room)).filter(({ user }) => user === "ann");
    assertEquals(
      said.map(({ text }) => text),
      texts.filter((_, n) => n % 2 === index),
    );
  }
  await hub.drain();
});

Deno.test("A message that is not judged in time is refused, or stored as it came", async (t) => {
  for (const late of ["refuse", "accept"] as const) {
    await t.step(late, async () => {
      using kv = await Deno.openKv(":memory:");
      const slow = new SlowModeration();
      const { hub, log, events } = createTestHub(kv, {
        moderate: slow.moderate,
        moderationTimeoutMs: 50,
        moderationLate: late,
      });
      const ann = new TestMember("ann");
      const subscription = hub.join("lobby", ann);
      await subscription.joined;
      // Those that wait for their turn are as late as those that were asked about.
      for (let n = 0; n < 20; n++) subscription.publish({ text: `${n}`, ref: `${n}` });
      await ann.until(({ said }) => said.length + ann.of("error").length === 20);
      const stored = await readLog(log, "lobby");
      if (late === "accept") {
        assertEquals(stored.map(({ text }) => text), Array.from({ length: 20 }, (_, n) => `${n}`));
      } else {
        assertEquals(stored, []);
        assertEquals(new Set(ann.of("error").map(({ code }) => code)), new Set(["unavailable"]));
        assertEquals(
          ann.of("error").map(({ ref }) => ref),
          Array.from({ length: 20 }, (_, n) => `${n}`),
        );
      }
      assertEquals(slow.aborted.length, slow.asked.length);
      assertEquals(hub.metrics.moderationTimeouts, 20);
      assertEquals(new Set(events.map(({ event }) => event)), new Set(["moderation_late"]));
      // What comes too late changes nothing.
      for (const text of slow.asked) slow.answer(text, { text: "late" });
      subscription.publish({ text: "x" });
      await eventually(() => slow.asked.includes("x"), "a free place");
      slow.answer("x");
      await ann.until(({ said }) => said.includes("x"));
      assertEquals((await readLog(log, "lobby")).length, stored.length + 1);
      await hub.drain();
    });
  }
});

Deno.test("A message that repeats one that is refused is refused too, and may be sent again", async () => {
  using kv = await Deno.openKv(":memory:");
  const slow = new SlowModeration();
  const { hub } = createTestHub(kv, { moderate: slow.moderate });
  const outcomes = [1, 2].map(() => hub.publish("lobby", "ann", { text: "curse", ref: "1" }));
  await eventually(() => slow.asked.length === 1, "a question");
  slow.answer("curse", { refused: "Mind your words" });
  for (const outcome of await Promise.all(outcomes)) {
    assert(outcome.status === "refused");
    assertEquals([outcome.problem.code, outcome.problem.ref], ["not_accepted", "1"]);
  }
  const again = hub.publish("lobby", "ann", { text: "fine", ref: "1" });
  await eventually(() => slow.asked.length === 2, "another question");
  slow.answer("fine");
  assertEquals((await again).status, "stored");
  await hub.drain();
});

Deno.test("A drain waits for what is being judged, and refuses what is not judged in time", async () => {
  using kv = await Deno.openKv(":memory:");
  const slow = new SlowModeration();
  const { hub, log } = createTestHub(kv, { moderate: slow.moderate, moderationTimeoutMs: 60_000 });
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann);
  await subscription.joined;
  subscription.publish({ text: "last words", ref: "1" });
  subscription.publish({ text: "never", ref: "2" });
  await eventually(() => slow.asked.length === 2, "two questions");
  const drained = hub.drain();
  subscription.publish({ text: "too late", ref: "3" });
  slow.answer("last words");
  await drained;
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), ["last words"]);
  assertEquals(ann.of("error").map(({ code, ref }) => [code, ref]), [
    ["draining", "3"],
    ["draining", "2"],
  ]);
  assertEquals(ann.closes.map(({ code }) => code), [4000]);
  slow.answer("never");
  await Promise.resolve();
  assertEquals((await readLog(log, "lobby")).length, 1);
});

Deno.test("A sender whose role drops while a message is judged has not sent it", async () => {
  using kv = await Deno.openKv(":memory:");
  const slow = new SlowModeration();
  const { hub, log } = createTestHub(kv, { moderate: slow.moderate });
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann);
  await subscription.joined;
  for (const text of ["1", "2"]) subscription.publish({ text, ref: text });
  await eventually(() => slow.asked.length === 2, "two questions");
  slow.answer("1");
  await ann.until(({ said }) => said.length === 1);
  subscription.setRole("reader");
  slow.answer("2");
  await ann.until((member) => member.of("error").length === 1);
  assertEquals(ann.of("error").map(({ code, ref }) => [code, ref]), [["forbidden", "2"]]);
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), ["1"]);
  await hub.drain();
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

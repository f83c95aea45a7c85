import { assert, assertEquals, assertFalse } from "@std/assert";
import type { ChangeDraft, EnvelopeBatch, Hub, Member } from "@hubbub/hub";
import { decodeServerEnvelopeV2, type ServerEnvelopeV2 } from "@hubbub/hub/protocol";
import { readPresentPage } from "../../src/hub/present_page.ts";
import { ORIGIN } from "../../src/store/cursor.ts";
import { eventually } from "../helpers/patience.ts";
import { failOnce, holdOnce, injectFaults, loseAnswerOnce } from "../helpers/kv_faults.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";

/** A member of protocol 2 that writes down what it gets. */
class MemberV2 implements Member {
  readonly protocol = 2;
  readonly texts: string[] = [];
  constructor(readonly user: string) {}
  send(batch: EnvelopeBatch): void {
    this.texts.push(...batch.linesV2(this.user).split("\n").filter((text) => text !== ""));
  }
  close(): void {}
  get envelopes(): ServerEnvelopeV2[] {
    return this.texts.map((text) => {
      const decoded = decodeServerEnvelopeV2(text);
      assert(decoded.ok, text);
      return decoded.envelope;
    });
  }
  // deno-lint-ignore no-explicit-any
  of(type: string): any[] {
    return this.envelopes.filter((envelope) => envelope.type === type)
      .map(({ payload }) => payload);
  }
}

async function say(hub: Hub, text: string, user = "ann"): Promise<string> {
  const result = await hub.publish("lobby", user, { text });
  assert(result.status === "stored");
  return result.record.cursor;
}

async function change(hub: Hub, user: string, draft: ChangeDraft): Promise<string> {
  const result = await hub.change("lobby", user, draft);
  return result.status === "refused" ? result.problem.code : result.status;
}

async function join(hub: Hub, user: string, options = {}): Promise<MemberV2> {
  const member = new MemberV2(user);
  await hub.join("lobby", member, options).joined;
  return member;
}

Deno.test("Hub.change() edits, and everybody gets it in the room's order", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const cursor = await say(hub, "helo");
  const bob = await join(hub, "bob");
  const v1 = new TestMember("eve");
  await hub.join("lobby", v1).joined;
  assertEquals(await change(hub, "ann", { kind: "edit", cursor, text: "hello" }), "stored");
  await say(hub, "next");
  const [changed] = bob.of("message_changed");
  assertEquals([changed.message, changed.kind, changed.user, changed.text], [
    cursor,
    "edit",
    "ann",
    "hello",
  ]);
  assert(changed.cursor > cursor);
  assertEquals(bob.envelopes.slice(-2).map(({ type }) => type), [
    "message_changed",
    "chat_message",
  ]);
  assertEquals(v1.of("message_changed").map(({ text }) => text), ["hello"]);
  const late = await join(hub, "late");
  const [first] = late.of("chat_message");
  assertEquals([first.text, first.changed], ["hello", changed.cursor]);
  assertEquals(first.edited_at, changed.at);
  assertEquals(late.of("joined")[0].cursor, bob.of("chat_message").at(-1).cursor);
  await hub.drain();
});

Deno.test("Hub.change() reacts, and marks one's own", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const cursor = await say(hub, "hello");
  const react = (user: string, emoji: string, status = true) =>
    change(hub, user, { kind: "reaction", cursor, emoji, status });
  assertEquals(await react("bob", "👍"), "stored");
  assertEquals(await react("bob", "👍"), "unchanged");
  assertEquals(await react("eve", "❤", false), "unchanged");
  await react("eve", "❤");
  await react("ann", "👍");
  await react("bob", "👍", false);
  const ann = await join(hub, "ann");
  assertEquals(ann.of("chat_message")[0].reactions, [
    { emoji: "👍", count: 1, users: ["ann"], mine: true },
    { emoji: "❤", count: 1, users: ["eve"] },
  ]);
  await hub.drain();
});

Deno.test("Hub.change() refuses what one may not, and what is not there", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const cursor = await say(hub, "hello");
  const nothing = cursor.slice(0, -1) + (cursor.endsWith("0") ? "1" : "0");
  assertEquals(await change(hub, "bob", { kind: "edit", cursor, text: "x" }), "forbidden");
  assertEquals(await change(hub, "bob", { kind: "delete", cursor }), "forbidden");
  assertEquals(await change(hub, "ann", { kind: "edit", cursor: nothing, text: "x" }), "not_found");
  const moderated = await hub.change("lobby", "bob", { kind: "edit", cursor, text: "x" }, {
    role: "moderator",
  });
  assertEquals(moderated.status, "stored");
  const reader = await hub.change("lobby", "bob", {
    kind: "reaction",
    cursor,
    emoji: "👍",
    status: true,
  }, { role: "reader" });
  assertEquals(reader.status === "refused" && reader.problem.code, "forbidden");
  assertEquals(await change(hub, "ann", { kind: "delete", cursor }), "stored");
  assertEquals(await change(hub, "ann", { kind: "delete", cursor }), "unchanged");
  assertEquals(await change(hub, "ann", { kind: "edit", cursor, text: "y" }), "not_found");
  const reaction = { kind: "reaction", cursor, emoji: "👍", status: true } as const;
  assertEquals(await change(hub, "bob", reaction), "not_found");
  await hub.drain();
});

Deno.test("a message has 20 kinds of reactions, and 1,000 of them", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const cursor = await say(hub, "hello");
  const react = (user: string, emoji: string, status = true) =>
    change(hub, user, { kind: "reaction", cursor, emoji, status });
  const kinds = Array.from({ length: 20 }, (_, index) => `e${index}`);
  // All at once: what is on its way counts.
  const all = await Promise.all([...kinds, "one more"].map((emoji) => react("ann", emoji)));
  assertEquals(all, [...kinds.map(() => "stored"), "too_many_reactions"]);
  const users = Array.from({ length: 981 }, (_, index) => `u${index}`);
  const many = await Promise.all(users.map((user) => react(user, "e0")));
  assertEquals(many.filter((code) => code === "stored").length, 980);
  assertEquals(many.at(-1), "too_many_reactions");
  assertEquals(await react("u0", "e0", false), "stored");
  assertEquals(await react("u980", "e0"), "stored");
  await hub.drain();
});

Deno.test("two isolates at once pass no limit of reactions: who stands behind it in the log is refused", async () => {
  await using isolates = await TestIsolates.open();
  const [one, other] = isolates.startAll(2);
  const cursor = await say(one.hub, "hello");
  const [ann, bob] = [await join(one.hub, "ann"), await join(other.hub, "bob")];
  const react = (hub: Hub, user: string, emoji: string) =>
    change(hub, user, { kind: "reaction", cursor, emoji, status: true });
  const kinds = (name: string) => Array.from({ length: 15 }, (_, index) => `${name}${index}`);
  // Neither knows of the other's yet; the same kind is used by both, too.
  const codes = await Promise.all([
    ...kinds("a").map((emoji) => react(one.hub, "ann", emoji)),
    ...kinds("b").map((emoji) => react(other.hub, "bob", emoji)),
    ...kinds("b").map((emoji) => react(one.hub, "cleo", emoji)),
  ]);
  const stateOf = async () => {
    const { messages: [record] } = await readPresentPage(one.log, "lobby", {
      limit: 1,
      maxLength: 1e6,
    });
    return record.state!;
  };
  await eventually(async () => (await stateOf()).reactionKinds <= 20, "what is late to go");
  const state = await stateOf();
  assertEquals(state.reactionKinds, 20);
  assertEquals(codes.filter((code) => code === "stored").length, state.reactionCount);
  const refused = codes.filter((code) => code === "too_many_reactions").length;
  assertEquals(refused, codes.length - state.reactionCount);

  // 1,000 of them: 15 are left, and each isolate takes 12.
  const many = Array.from({ length: 985 - state.reactionCount }, (_, index) => `u${index}`);
  const kind = state.reactions()[0].emoji;
  for (const user of many) {
    const draft = { kind: "reaction", cursor, emoji: kind, status: true } as const;
    void one.hub.change("lobby", user, draft, { isPast: true });
  }
  await eventually(async () => (await stateOf()).reactionCount === 985, "985 reactions");
  const late = await Promise.all(
    Array.from({ length: 12 }, (_, index) => [
      react(one.hub, `one ${index}`, kind),
      react(other.hub, `other ${index}`, kind),
    ]).flat(),
  );
  assertEquals(late.filter((code) => code === "stored").length, 15);
  assertEquals(late.filter((code) => code === "too_many_reactions").length, 9);
  await eventually(async () => (await stateOf()).reactionCount === 1_000, "what is late to go");
  // Everybody saw the same.
  const changesOf = (member: MemberV2) => member.of("message_changed").map(({ cursor }) => cursor);
  await eventually(
    () => changesOf(ann).join() === changesOf(bob).join(),
    "both to have all of it, in one order",
  );
});

Deno.test("a deleted message is gone from every answer, and its retry is no message", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const sent = await hub.publish("lobby", "ann", {
    text: "SECRET",
    ref: "r1",
    data: { SECRET: 1 },
  });
  assert(sent.status === "stored");
  const { cursor } = sent.record;
  await change(hub, "ann", { kind: "edit", cursor, text: "SECRET 2", ref: "e1" });
  const bob = await join(hub, "bob");
  await change(hub, "ann", { kind: "delete", cursor });
  assertEquals(bob.of("message_changed").at(-1).kind, "delete");
  const late = await join(hub, "late");
  const resumed = await join(hub, "again", { after: cursor });
  for (const member of [late, resumed]) assertFalse(member.texts.join().includes("SECRET"));
  const { at, ...tombstone } = late.of("chat_message")[0];
  assert(at > 0);
  const { changed, ...rest } = tombstone;
  assertEquals(rest, { cursor, user: "ann", deleted: true });
  assertEquals(changed, bob.of("message_changed").at(-1).cursor);
  const again = await hub.publish("lobby", "ann", {
    text: "SECRET",
    ref: "r1",
    data: { SECRET: 1 },
  });
  assertEquals([again.status, again.status === "duplicate" && again.record.cursor], [
    "duplicate",
    cursor,
  ]);
  await eventually(async () => {
    const stored = [];
    for await (const { key, value } of kv.list({ prefix: [] })) {
      const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
      stored.push(JSON.stringify([key, text]));
    }
    return !stored.join("\n").includes("SECRET");
  }, "the message to be erased");
  assertEquals((await log.last("lobby", { limit: 9 })).map(({ isErased }) => isErased), [true]);
  await hub.drain();
  // In another life of the hub too.
  const next = createTestHub(kv);
  const third = await next.hub.publish("lobby", "ann", { text: "SECRET", ref: "r1" });
  assertEquals(third.status, "duplicate");
  await next.hub.drain();
});

Deno.test("a change that is sent again is stored once", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const cursor = await say(hub, "a");
  const edit = (text: string) => change(hub, "ann", { kind: "edit", cursor, text, ref: "e" });
  assertEquals(await Promise.all([edit("b"), edit("b"), edit("c")]), [
    "stored",
    "duplicate",
    "ref_reused",
  ]);
  await change(hub, "ann", { kind: "edit", cursor, text: "d" });
  assertEquals([await edit("b"), await edit("c")], ["duplicate", "ref_reused"]);
  assertEquals((await log.changes("lobby", ORIGIN, { limit: 9 })).length, 2);
  await hub.drain();
});

Deno.test("a change that is sent to two isolates at once is made once", async () => {
  await using isolates = await TestIsolates.open();
  const [one, two] = isolates.startAll(2);
  const cursor = await say(one.hub, "a");
  const bob = await join(two.hub, "bob");
  isolates.loses = () => true;
  const edit = (hub: Hub, text: string) =>
    change(hub, "ann", { kind: "edit", cursor, text, ref: "e" });
  for (const { hub } of [one, two]) await change(hub, "w", { kind: "delete", cursor });
  const said = one.hub.publish("lobby", "ann", { text: "beside it" });
  const codes = await Promise.all([edit(one.hub, "b"), edit(two.hub, "b")]);
  assertEquals(codes.toSorted(), ["duplicate", "stored"]);
  assertEquals((await said).status, "stored");
  // Another text of that name is none, on whichever isolate.
  const third = isolates.start();
  assertEquals(await edit(third.hub, "c"), "ref_reused");
  // What was done since is not undone by who sends the first change again.
  await change(one.hub, "ann", { kind: "edit", cursor, text: "d" });
  const late = isolates.start();
  assertEquals(await edit(late.hub, "b"), "duplicate");
  assertEquals((await isolates.logs.changes("lobby", ORIGIN, { limit: 9 })).length, 2);
  await eventually(() => bob.of("message_changed").length === 2, "both edits");
  assertEquals(bob.of("message_changed").map(({ text }) => text), ["b", "d"]);
  const eve = await join(late.hub, "eve");
  assertEquals(eve.of("chat_message").map(({ text }) => text), ["d", "beside it"]);
});

Deno.test("a commit that the store writes twice changes a message once", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, log } = createTestHub(kv);
  const cursor = await say(hub, "a");
  const bob = await join(hub, "bob");
  // The client of a remote KV repeats what was not answered.
  faults.commit = async (commit) => {
    faults.commit = undefined;
    const first = await commit();
    assert(first.ok);
    const again = await commit();
    assertFalse(again.ok);
    return again;
  };
  const [changed, said] = await Promise.all([
    hub.change("lobby", "ann", { kind: "edit", cursor, text: "b" }),
    hub.publish("lobby", "ann", { text: "beside it" }),
  ]);
  assert(changed.status === "stored" && said.status === "stored");
  assertEquals((await log.changes("lobby", ORIGIN, { limit: 9 })).map((it) => it.cursor), [
    changed.change.cursor,
  ]);
  assertEquals((await log.last("lobby", { limit: 9 })).map((it) => it.cursor), [
    cursor,
    said.record.cursor,
  ]);
  assertEquals(bob.of("message_changed").length, 1);
  // Where the answer is lost for good, who sends it again learns that it was made.
  loseAnswerOnce(faults);
  const draft = { kind: "edit", cursor, text: "c", ref: "r" } as const;
  assertEquals(await change(hub, "ann", draft), "not_stored");
  const again = createTestHub(kv);
  assertEquals(await change(again.hub, "ann", draft), "duplicate");
  assertEquals(await change(hub, "ann", draft), "duplicate");
  assertEquals((await log.changes("lobby", ORIGIN, { limit: 9 })).length, 2);
  await Promise.all([hub.drain(), again.hub.drain()]);
});

Deno.test("an edit that is sent again after its message was deleted is refused", async () => {
  await using isolates = await TestIsolates.open();
  const { hub } = isolates.start();
  const cursor = await say(hub, "a");
  const edit = { kind: "edit", cursor, text: "SECRET", ref: "e" } as const;
  assertEquals(await change(hub, "ann", edit), "stored");
  assertEquals(await change(hub, "ann", { kind: "delete", cursor, ref: "d" }), "stored");
  for (const one of [hub, isolates.start().hub]) {
    assertEquals(await change(one, "ann", edit), "not_found");
    assertEquals(await change(one, "ann", { kind: "delete", cursor, ref: "d" }), "duplicate");
  }
});

Deno.test("an edit that is judged meanwhile is made once, and not behind a deletion", async () => {
  using kv = await Deno.openKv(":memory:");
  const verdicts: ((verdict: { text: string }) => void)[] = [];
  const moderate = ({ text }: { text: string }) => {
    if (!text.startsWith("slow")) return { text };
    return new Promise<{ text: string }>((resolve) => verdicts.push(resolve));
  };
  const { hub, log } = createTestHub(kv, { moderate });
  const cursor = await say(hub, "a");
  const edit = (text: string, ref: string) =>
    change(hub, "ann", { kind: "edit", cursor, text, ref });
  const both = [edit("slow 1", "r"), edit("slow 1", "r")];
  await eventually(() => verdicts.length === 2, "both to be judged");
  for (const answer of verdicts.splice(0)) answer({ text: "fast 1" });
  assertEquals((await Promise.all(both)).toSorted(), ["duplicate", "stored"]);
  const late = edit("slow 2", "s");
  await eventually(() => verdicts.length === 1, "it to be judged");
  assertEquals(await change(hub, "ann", { kind: "delete", cursor }), "stored");
  verdicts[0]({ text: "fast 2" });
  assertEquals(await late, "not_found");
  const stored = await log.changes("lobby", ORIGIN, { limit: 9 });
  assertEquals(stored.map(({ kind }) => kind), ["edit", "delete"]);
  await hub.drain();
});

Deno.test("an edit that meets a deletion on the way is shown to nobody", async () => {
  await using isolates = await TestIsolates.open();
  const faults = injectFaults(isolates.kv);
  const [one, two] = isolates.startAll(2);
  const cursor = await say(one.hub, "a");
  const [bob, ann] = [await join(one.hub, "bob"), new MemberV2("ann")];
  const subscription = two.hub.join("lobby", ann);
  await subscription.joined;
  // The other isolate decides before it has seen the deletion, and stores behind it.
  isolates.loses = () => true;
  const held = holdOnce(faults);
  subscription.change({ kind: "edit", cursor, text: "SECRET", ref: "mine" });
  await held.reached;
  assertEquals(await change(one.hub, "ann", { kind: "delete", cursor }), "stored");
  held.release();
  await eventually(() => ann.of("error").length === 1, "the edit to be refused");
  assertEquals([ann.of("error")[0].code, ann.of("error")[0].ref], ["not_found", "mine"]);
  await say(two.hub, "next");
  await eventually(() => bob.of("chat_message").length === 2, "what came behind it");
  for (const member of [ann, bob]) {
    assertEquals(member.of("message_changed").map(({ kind }) => kind), ["delete"]);
    assertFalse(member.texts.join().includes("SECRET"));
  }
  await eventually(async () => {
    return !JSON.stringify(await isolates.logs.changes("lobby", ORIGIN, { limit: 9 }))
      .includes("SECRET");
  }, "the edit to be erased");
});

Deno.test("what nobody came to erase is in no answer all the same", async () => {
  await using isolates = await TestIsolates.open();
  const { hub, log } = isolates.start();
  const place = await say(hub, "before");
  const cursor = await say(hub, "SECRET");
  log.erase = () => Promise.resolve();
  await change(hub, "ann", { kind: "edit", cursor, text: "SECRET 2", ref: "e" });
  await change(hub, "ann", { kind: "delete", cursor });
  const next = isolates.start();
  next.log.erase = () => Promise.resolve();
  // It reads the newest changes, for it may have been sent before.
  const again = { kind: "edit", cursor, text: "SECRET 2", ref: "e" } as const;
  assertEquals(await change(next.hub, "ann", again), "not_found");
  for (const after of [undefined, place, cursor]) {
    for (const one of [hub, next.hub, isolates.start().hub]) {
      const member = await join(one, "bob", { after });
      assertFalse(member.texts.join().includes("SECRET"), `after ${after}`);
    }
    const page = await readPresentPage(isolates.logs, "lobby", { after, limit: 9, maxLength: 1e6 });
    const envelopes = [...page.messages, ...page.changes].map(({ envelope }) => envelope);
    assertFalse(envelopes.join().includes("SECRET"));
  }
});

Deno.test("a change that could not be stored is told, and changes nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub } = createTestHub(kv);
  const cursor = await say(hub, "a");
  failOnce(faults);
  assertEquals(await change(hub, "ann", { kind: "edit", cursor, text: "b" }), "not_stored");
  assertEquals(await change(hub, "ann", { kind: "edit", cursor, text: "b" }), "stored");
  await hub.drain();
});

Deno.test("an older message than those in memory is read, and changed in order", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const cursor = await say(hub, "old");
  for (let i = 0; i < 300; i++) await say(hub, `${i}`);
  const bob = await join(hub, "bob");
  const react = (status: boolean) =>
    change(hub, "ann", { kind: "reaction", cursor, emoji: "👍", status });
  const codes = await Promise.all([react(true), react(false), react(true), react(true)]);
  assertEquals(codes, ["stored", "stored", "stored", "unchanged"]);
  assertEquals(bob.of("message_changed").map(({ status }) => status), [true, false, true]);
  await hub.drain();
});

Deno.test("changes cross isolates, are folded once, and resumed", async () => {
  await using isolates = await TestIsolates.open();
  const [one, two] = isolates.startAll(2);
  const cursor = await say(one.hub, "a");
  const bob = await join(two.hub, "bob");
  const place = bob.of("joined")[0].cursor;
  await change(one.hub, "ann", { kind: "edit", cursor, text: "b" });
  await eventually(() => bob.of("message_changed").length === 1, "the edit to cross");
  // Where the fan-out loses it, the log tells.
  isolates.loses = () => true;
  await change(one.hub, "eve", { kind: "reaction", cursor, emoji: "👍", status: true });
  await say(one.hub, "c");
  await eventually(() => bob.of("chat_message").length === 2, "what was lost to be read");
  assertEquals(bob.of("message_changed").map(({ kind }) => kind), ["edit", "reaction"]);
  const [first, second] = await Promise.all([
    join(one.hub, "x", { after: place }),
    join(two.hub, "y", { after: place }),
  ]);
  for (const member of [first, second]) {
    assertEquals(member.envelopes.map(({ type }) => type), [
      "message_changed",
      "message_changed",
      "chat_message",
      "joined",
    ]);
    assertEquals(member.of("joined")[0].recovered, true);
  }
  const third = await join(isolates.start().hub, "z", { after: place });
  assertEquals(third.of("message_changed").length, 2);
  // A change's own place is one to resume from.
  const edit = bob.of("message_changed")[0].cursor;
  const fourth = await join(isolates.start().hub, "w", { after: edit });
  assertEquals([fourth.of("message_changed").length, fourth.of("joined")[0].recovered], [1, true]);
});

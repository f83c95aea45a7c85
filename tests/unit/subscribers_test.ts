import { assertEquals } from "@std/assert";
import { mock } from "node:test";
import type { Hub, Subscription } from "@hubbub/hub";
import { numbers } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";
import { Stopwatch } from "../helpers/stopwatch.ts";

async function join(
  hub: Hub,
  user: string,
): Promise<{ member: TestMember; subscription: Subscription }> {
  const member = new TestMember(user);
  const subscription = hub.join("lobby", member);
  await subscription.joined;
  return { member, subscription };
}

/** A clock that stands still unless it is told to go on. */
function stopClock() {
  mock.timers.enable({ apis: ["setTimeout"] });
  return {
    tick: (ms: number) => mock.timers.tick(ms),
    [Symbol.dispose]: () => mock.timers.reset(),
  };
}

const TRUE = '{"type":"typing_status","payload":{"user":"ann","status":true}}';
const FALSE = '{"type":"typing_status","payload":{"user":"ann","status":false}}';

function typingTexts({ texts }: TestMember): string[] {
  return texts.filter((text) => text.includes("typing_status"));
}

Deno.test("Typing is shown to the others at once, in exactly the words of the protocol", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const [ann, bob] = [await join(hub, "ann"), await join(hub, "bob")];
  ann.subscription.typing(true);
  assertEquals(typingTexts(bob.member), [TRUE]);
  ann.subscription.typing(false);
  assertEquals(typingTexts(bob.member), [TRUE, FALSE]);
  assertEquals(typingTexts(ann.member), [], "nobody hears of themselves");
  assertEquals(await kv.list({ prefix: [] }).next(), { done: true, value: undefined });
});

Deno.test("Typing ends 3,000 ms after its last sign", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const [ann, bob] = [await join(hub, "ann"), await join(hub, "bob")];
  using clock = stopClock();
  for (let sign = 0; sign < 3; sign++) {
    ann.subscription.typing(true);
    clock.tick(1500);
  }
  clock.tick(1499);
  assertEquals(typingTexts(bob.member), [TRUE]);
  clock.tick(1);
  assertEquals(typingTexts(bob.member), [TRUE, FALSE]);
});

Deno.test("Typing is over before the message that ends it is shown", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const [ann, bob] = [await join(hub, "ann"), await join(hub, "bob")];
  ann.subscription.typing(true);
  ann.subscription.publish({ text: "hi" });
  assertEquals(typingTexts(bob.member), [TRUE, FALSE], "at once on send, not on commit");
  await bob.member.until(({ said }) => said.includes("hi"));
  const types = bob.member.envelopes.map(({ type }) => type);
  assertEquals(types, ["joined", "typing_status", "typing_status", "chat_message"]);
  await hub.drain();
});

Deno.test("Typing ends at once when the member leaves, and before that is told", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const [ann, bob] = [await join(hub, "ann"), await join(hub, "bob")];
  ann.subscription.typing(true);
  ann.subscription.leave();
  assertEquals(bob.member.envelopes.slice(1).map(({ type, payload }) => ({ type, payload })), [
    { type: "typing_status", payload: { user: "ann", status: true } },
    { type: "typing_status", payload: { user: "ann", status: false } },
    { type: "presence", payload: { user: "ann", status: "left" } },
  ]);
});

Deno.test("Typing in two tabs lasts while either types; neither tab hears of it", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const [left, right, bob] = [
    await join(hub, "ann"),
    await join(hub, "ann"),
    await join(hub, "bob"),
  ];
  left.subscription.typing(true);
  right.subscription.typing(true);
  left.subscription.publish({ text: "from the left" });
  await bob.member.until(({ said }) => said.length > 0);
  assertEquals(typingTexts(bob.member), [TRUE]);
  left.subscription.leave();
  assertEquals(typingTexts(bob.member), [TRUE]);
  right.subscription.leave();
  assertEquals(typingTexts(bob.member), [TRUE, FALSE]);
  assertEquals([typingTexts(left.member), typingTexts(right.member)], [[], []]);
});

Deno.test("Typing for 3 s of real time", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const [ann, bob] = [await join(hub, "ann"), await join(hub, "bob")];
  using watch = new Stopwatch();
  ann.subscription.typing(true);
  await bob.member.until((member) => typingTexts(member).length === 2);
  const [elapsedMs, ms] = [watch.elapsedMs, watch.ms];
  assertEquals(typingTexts(bob.member), [TRUE, FALSE]);
  assertEquals(elapsedMs >= 2990 && ms < 4500, true, `it took ${elapsedMs}, ${ms} ms`);
});

Deno.test("Presence tells a user's first tab and the last, and nobody of themselves", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const bob = await join(hub, "bob");
  const tabs = [await join(hub, "ann"), await join(hub, "ann"), await join(hub, "ann")];
  assertEquals(bob.member.of("presence"), [{ user: "ann", status: "joined" }]);
  tabs[0].subscription.leave();
  tabs[2].subscription.leave();
  assertEquals(bob.member.of("presence").length, 1);
  tabs[1].subscription.leave();
  assertEquals(bob.member.of("presence").at(-1), { user: "ann", status: "left" });
  assertEquals(tabs[1].member.of("presence"), []);
});

Deno.test("Presence in a large room is gathered, and nobody misses or doubles any of it", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  using clock = stopClock();
  const people: { member: TestMember; subscription: Subscription }[] = [];
  for (const number of numbers(60)) {
    people.push(await join(hub, `user ${number.padStart(2, "0")}`));
    if (Number(number) % 10 === 9) clock.tick(50);
  }
  for (const { subscription } of people.slice(50)) subscription.leave();
  clock.tick(1000);
  for (const { member } of people.slice(0, 50)) {
    // Whom it met in `joined`, and then whoever came and went, is who is here.
    const here = new Set(member.joined.users);
    for (const { user, status } of member.of("presence")) {
      assertEquals(here.has(user), status === "left", `${member.user} hears of ${user} twice`);
      if (status === "joined") here.add(user);
      else here.delete(user);
    }
    assertEquals([...here].toSorted(), (await hub.roomState("lobby")).users);
  }
  const frames = people[0].member.frames.filter(([{ type }]) => type === "presence").length;
  assertEquals(frames < 40, true, `${frames} frames of presence`);
  for (const { subscription } of people) subscription.leave();
  clock.tick(10_000);
  assertEquals(hub.roomCount, 0);
});

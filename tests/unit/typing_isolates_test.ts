import type { Hub } from "@hubbub/hub";
import { killHub } from "../../src/hub/hub.ts";
import { assert, assertEquals } from "@std/assert";
import type { Subscription } from "@hubbub/hub";
import type { TestHub } from "../helpers/test_hub.ts";
import { pause, TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";
import { eventually } from "../helpers/patience.ts";
import { Stopwatch } from "../helpers/stopwatch.ts";

/** Milliseconds that typing on another isolate outlasts its time there. */
const GRACE_MS = 2_000;

/** Joins the lobby, and resolves when the member is live. */
async function join(to: TestHub, user: string): Promise<[TestMember, Subscription]> {
  const member = new TestMember(user);
  const subscription = to.hub.join("lobby", member);
  await subscription.joined;
  return [member, subscription];
}

/** What a member was told of typing: "ann true" and so on. */
function told(member: TestMember): string[] {
  return member.of("typing_status").map(({ user, status }) => `${user} ${status}`);
}

Deno.test("typing is told on other isolates when it starts, when it stops, and not in between", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b, c] = isolates.startAll(3);
  const [ann, subscription] = await join(a, "ann");
  const [tab, second] = await join(b, "ann");
  const [bob] = await join(b, "bob");
  const [cid] = await join(c, "cid");
  for (let sign = 0; sign < 5; sign++) subscription.typing(true);
  second.typing(true);
  for (const member of [bob, cid]) await member.until((member) => told(member).length === 1);
  subscription.typing(false);
  await pause(20);
  second.typing(false);
  for (const member of [bob, cid]) await member.until((member) => told(member).length === 2);
  for (const member of [bob, cid]) assertEquals(told(member), ["ann true", "ann false"]);
  for (const member of [ann, tab]) assertEquals(told(member), []);
  assertEquals(isolates.of("typing").map(({ status }) => status), [true, true, false, false]);
});

Deno.test("typing ends by itself on every isolate", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, { limits: { typing_timeout_ms: 100 } });
  const [, subscription] = await join(a, "ann");
  const [bob] = await join(b, "bob");
  using watch = new Stopwatch();
  subscription.typing(true);
  await bob.until((member) => told(member).length === 2);
  assert(watch.ms < 100 + GRACE_MS, "the stop was told");
});

Deno.test("typing whose stop was lost ends 2 s after its time", async () => {
  await using isolates = await TestIsolates.open();
  isolates.loses = (message) => message.kind === "typing" && !message.status;
  const [a, b] = isolates.startAll(2, { limits: { typing_timeout_ms: 100 } });
  const [, subscription] = await join(a, "ann");
  const [bob] = await join(b, "bob");
  subscription.typing(true);
  await bob.until((member) => told(member).length === 1);
  using watch = new Stopwatch();
  subscription.typing(false);
  await bob.until((member) => told(member).length === 2);
  assert(watch.elapsedMs > 1_900 && watch.ms < 4_000, `${watch.elapsedMs}, ${watch.ms} ms`);
  assertEquals(told(bob), ["ann true", "ann false"]);
});

Deno.test("typing that lasts is repeated, so that an isolate that missed its start shows it", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2);
  const [, subscription] = await join(a, "ann");
  const [bob] = await join(b, "bob");
  isolates.loses = (message) => message.kind === "typing";
  subscription.typing(true);
  isolates.loses = () => false;
  using watch = new Stopwatch();
  while (told(bob).length === 0) {
    await pause(100);
    subscription.typing(true);
  }
  assert(watch.elapsedMs >= 1_400 && watch.ms < 3_000, `${watch.elapsedMs}, ${watch.ms} ms`);
  assertEquals(told(bob), ["ann true"]);
  assertEquals(isolates.of("typing").length, 2);
});

for (const [end, stop] of [["dies", killHub], ["drains", (hub: Hub) => hub.drain()]] as const) {
  Deno.test(`typing ends when the isolate it is on ${end}`, async () => {
    await using isolates = await TestIsolates.open();
    const [a, b] = isolates.startAll(2, {
      heartbeatMs: 50,
      expiryMs: 1_000,
      limits: { typing_timeout_ms: 60_000 },
    });
    const [, subscription] = await join(a, "ann");
    const [bob] = await join(b, "bob");
    // Ann's coming may be known before or after bob's.
    await eventually(async () => (await b.hub.roomState("lobby")).users.includes("ann"), "ann");
    subscription.typing(true);
    await bob.until((member) => told(member).length === 1);
    await stop(a.hub);
    await bob.until((member) => member.of("presence").at(-1)?.status === "left");
    assertEquals(told(bob), ["ann true", "ann false"]);
    assertEquals(bob.envelopes.at(-1)?.type, "presence");
  });
}

Deno.test("a joiner on another isolate gets who is typing, also the first one in the room", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, { limits: { typing_timeout_ms: 400 } });
  const [, ann] = await join(a, "ann");
  const [, bob] = await join(a, "bob");
  ann.typing(true);
  bob.typing(true);
  await eventually(async () => (await b.hub.roomState("lobby")).typing.length === 2, "two to type");
  const [cid] = await join(b, "cid");
  assertEquals(cid.joined.typing, ["ann", "bob"]);
  assertEquals(told(cid), []);
  const [tab] = await join(b, "ann");
  assertEquals(tab.joined.typing, ["bob"]);
  await cid.until((member) => told(member).length === 2);
  assertEquals(told(cid).sort(), ["ann false", "bob false"]);
});

Deno.test("who opens a room is told who is typing and who is here on other isolates", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, { limits: { typing_timeout_ms: 60_000 } });
  const [, ann] = await join(a, "ann");
  ann.typing(true);
  assertEquals(b.hub.roomCount, 0);
  const { typing, users } = await b.hub.roomState("lobby");
  assertEquals([typing, users], [["ann"], ["ann"]]);
  const [bob] = await join(b, "bob");
  assertEquals([bob.joined.typing, bob.joined.users], [["ann"], ["ann", "bob"]]);
});

Deno.test("the end of typing comes before the message that ends it, on every isolate", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2);
  const [, ann] = await join(a, "ann");
  const [here] = await join(a, "here");
  const [there, dan] = await join(b, "there");
  for (let turn = 0; turn < 20; turn++) {
    ann.typing(true);
    await there.until((member) => told(member).length === 2 * turn + 1);
    ann.publish({ text: `${turn}` });
    // What the other isolate reads after its own commit may hold the message already.
    if (turn % 2 === 1) dan.publish({ text: `${turn} too` });
    const isSaid = ({ said }: TestMember) => said.includes(`${turn}`);
    await Promise.all([here.until(isSaid), there.until(isSaid)]);
    for (const { envelopes } of [here, there]) {
      const said = envelopes.findIndex(({ type, payload }) => {
        return type === "chat_message" && payload.text === `${turn}`;
      });
      const before = envelopes.slice(0, said).filter(({ type }) => type === "typing_status");
      assertEquals(before.at(-1)?.payload, { user: "ann", status: false }, `turn ${turn}`);
    }
  }
});

Deno.test("who talks in one tab and types in another is shown as typing on every isolate", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b, c] = isolates.startAll(3);
  const [, ann] = await join(a, "ann");
  const [, tab] = await join(a, "ann");
  const [, far] = await join(b, "ann");
  const watchers = await Promise.all([a, b, c].map((to, i) => join(to, `watcher${i}`)));
  for (const typist of [tab, far]) {
    ann.typing(true);
    typist.typing(true);
    for (const [watcher] of watchers) {
      await watcher.until((member) => told(member).at(-1) === "ann true");
    }
    const text = String(typist === tab);
    ann.publish({ text });
    for (const [watcher] of watchers) await watcher.until(({ said }) => said.includes(text));
    await pause(20);
    for (const [watcher] of watchers) assertEquals(told(watcher).at(-1), "ann true");
    typist.typing(false);
    for (const [watcher] of watchers) {
      await watcher.until((member) => told(member).at(-1) === "ann false");
    }
  }
});

import { assert, assertEquals } from "@std/assert";
import type { Subscription } from "@hubbub/hub";
import { holdOnce, injectFaults } from "../helpers/kv_faults.ts";
import { readLog } from "../helpers/log_run.ts";
import { fill, numbers } from "../helpers/stored_lines.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";

const USERS = ["ann", "bob", "cid", "dan", "eve"];

/** A room where everybody is live, nobody said anything, and two tell each frame that they get. */
async function createRoom(kv: Deno.Kv) {
  const { hub, log, events } = createTestHub(kv);
  const members = new Map<string, TestMember>();
  const subscriptions = new Map<string, Subscription>();
  for (const user of USERS) {
    const member = new TestMember(user);
    members.set(user, member);
    const subscription = hub.join("lobby", member);
    subscriptions.set(user, subscription);
    await subscription.joined;
  }
  const member = (user: string) => members.get(user)!;
  return { hub, log, events, member, subscription: (user: string) => subscriptions.get(user)! };
}

Deno.test("Hub shows a message to nobody before its commit", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  const { hub, subscription, member } = await createRoom(kv);
  const held = holdOnce(faults);
  subscription("ann").publish({ text: "hi", ref: "1" });
  await held.reached;
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve));
  for (const user of USERS) assertEquals(member(user).messages, []);
  assertEquals(hub.metrics.messagesDelivered, 0);
  held.release();
  await member("eve").until(({ said }) => said.length > 0);
  for (const user of USERS) assertEquals(member(user).said, ["hi"]);
});

Deno.test("Hub gives everybody the same messages in the log's order, to the byte", async () => {
  using kv = await Deno.openKv(":memory:");
  const { log, subscription, member } = await createRoom(kv);
  for (const text of numbers(100)) {
    subscription(USERS[Number(text) % 5]).publish({ text, ref: text });
    if (Number(text) % 9 === 0) await member("bob").until(({ said }) => said.includes(text));
  }
  await member("eve").until(({ said }) => said.length === 100);
  const all = await readLog(log, "lobby");
  for (const user of USERS) {
    assertEquals(member(user).messages, all);
    const chat = (text: string) => text.startsWith('{"type":"chat_message"');
    assertEquals(member(user).texts.filter(chat), member("ann").texts.filter(chat));
  }
});

Deno.test("A member whose send() makes another leave costs nobody else anything", async () => {
  using kv = await Deno.openKv(":memory:");
  const { subscription, member } = await createRoom(kv);
  member("bob").onFrame = ([{ type }]) => {
    if (type !== "chat_message") return;
    subscription("cid").leave();
    subscription("ann").leave();
  };
  for (const text of ["1", "2"]) {
    subscription("eve").publish({ text });
    await member("eve").until(({ said }) => said.includes(text));
  }
  assertEquals(member("ann").said, ["1"], "ann was served before bob");
  assertEquals(member("cid").said, [], "cid would have come after bob");
  for (const user of ["bob", "dan", "eve"]) assertEquals(member(user).said, ["1", "2"]);
});

Deno.test("A member whose send() leaves gets nothing more, also out of the same delivery", async () => {
  using kv = await Deno.openKv(":memory:");
  const { subscription, member } = await createRoom(kv);
  member("bob").onFrame = () => subscription("bob").leave();
  subscription("bob").typing(true);
  for (const text of numbers(5)) subscription("ann").publish({ text });
  await member("eve").until(({ said }) => said.length === 5);
  assertEquals(member("bob").said, numbers(5), "it is one frame");
  subscription("ann").publish({ text: "more" });
  await member("eve").until(({ said }) => said.includes("more"));
  assertEquals(member("bob").said, numbers(5));
  assertEquals(member("eve").of("presence").at(-1), { user: "bob", status: "left" });
  assertEquals(member("eve").of("typing_status"), [
    { user: "bob", status: true },
    { user: "bob", status: false },
  ]);
});

Deno.test("A member that joins during a delivery gets what is delivered, once", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log, subscription, member } = await createRoom(kv);
  const late: TestMember[] = [];
  for (const user of ["ann", "cid", "eve"]) {
    member(user).onFrame = ([{ type }]) => {
      if (type !== "chat_message") return;
      late.push(new TestMember(`friend ${late.length} of ${user}`));
      hub.join("lobby", late[late.length - 1], { history: 100 });
    };
  }
  for (const text of numbers(4)) {
    subscription("bob").publish({ text });
    await member("bob").until(({ said }) => said.includes(text));
  }
  const all = await readLog(log, "lobby");
  assertEquals(late.length, 12);
  for (const one of late) assertEquals(one.messages, all, one.user);
  await hub.drain();
});

Deno.test("A member whose send() publishes is heard after what is being delivered", async () => {
  using kv = await Deno.openKv(":memory:");
  const { subscription, member } = await createRoom(kv);
  member("ann").onFrame = (envelopes) => {
    for (const { type, payload } of envelopes) {
      if (type === "chat_message" && payload.user !== "ann") {
        subscription("ann").publish({ text: `ann heard ${payload.text}`, ref: payload.text });
      }
    }
  };
  for (const text of ["1", "2"]) subscription("bob").publish({ text });
  await member("eve").until(({ said }) => said.length === 4);
  assertEquals(member("eve").said, ["1", "2", "ann heard 1", "ann heard 2"]);
});

Deno.test("A member whose send() throws leaves; the others get everything", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, events, subscription, member } = await createRoom(kv);
  member("bob").onFrame = ([{ type }]) => {
    if (type === "chat_message") throw new Error("broken pipe");
  };
  for (const text of numbers(3)) {
    subscription("ann").publish({ text });
    await member("eve").until(({ said }) => said.includes(text));
  }
  for (const user of ["ann", "cid", "dan", "eve"]) assertEquals(member(user).said, numbers(3));
  assertEquals(member("bob").closes, [{ code: 1011, reason: "Sending failed" }]);
  assertEquals(subscription("bob").state, "left");
  assertEquals(events.map(({ event, fields }) => [event, fields?.user]), [[
    "member_failed",
    "bob",
  ]]);
  assertEquals(hub.metrics.memberFailures, 1);
  assertEquals(member("eve").of("presence").at(-1), { user: "bob", status: "left" });
});

Deno.test("A member whose send() and close() throw is gone all the same", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, events } = createTestHub(kv);
  const bad = new TestMember("bad", () => {
    throw new Error("broken pipe");
  });
  bad.close = () => {
    throw new Error("already closed");
  };
  const subscription = hub.join("lobby", bad);
  await subscription.joined;
  await Promise.resolve();
  assertEquals(subscription.state, "left");
  assertEquals(events.map(({ event }) => event), ["member_failed", "member_close_failed"]);
  assertEquals(hub.roomCount, 0);
});

Deno.test("A member that leaves while it is sent its history is not kept", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  await fill(log, "lobby", { texts: ["old"], perEntry: 1 });
  const [ann, bob] = [new TestMember("ann"), new TestMember("bob")];
  const annsSeat = hub.join("lobby", ann);
  const bobsSeat = hub.join("lobby", bob);
  bob.onFrame = () => bobsSeat.leave();
  await Promise.all([annsSeat.joined, bobsSeat.joined]);
  const { users } = await hub.roomState("lobby");
  assertEquals(users, ["ann"]);
  assertEquals(ann.of("presence"), []);
  assertEquals(bob.frames.length, 1);
  annsSeat.leave();
  assertEquals(hub.roomCount, 0);
});

Deno.test("What a member did before it was live ends where it leaves", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log } = createTestHub(kv);
  const ann = new TestMember("ann");
  const annsSeat = hub.join("lobby", ann);
  await hub.publish("lobby", "bob", { text: "first", ref: "1" });
  const restarted = createTestHub(kv).hub;
  const bob = new TestMember("bob");
  const subscription = restarted.join("lobby", bob);
  // All of it waits until the room is open; the answer to the repeat makes bob leave.
  subscription.publish({ text: "first", ref: "1" });
  subscription.typing(true);
  subscription.publish({ text: "never said" });
  bob.onFrame = (envelopes) => {
    if (envelopes.every(({ type }) => type === "chat_message")) subscription.leave();
  };
  await subscription.joined;
  assertEquals(subscription.state, "left");
  assertEquals(restarted.roomCount, 0);
  assertEquals((await readLog(log, "lobby")).map(({ text }) => text), ["first"]);
  annsSeat.leave();
});

Deno.test("Subscription.leave() may be called again, and before the member is live", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, subscription, member } = await createRoom(kv);
  for (let time = 0; time < 3; time++) subscription("bob").leave();
  assertEquals(member("eve").of("presence").filter(({ status }) => status === "left").length, 1);
  const hasty = new TestMember("hasty");
  const hastySeat = hub.join("elsewhere", hasty);
  hastySeat.publish({ text: "never said" });
  hastySeat.leave();
  await hastySeat.joined;
  assertEquals(hasty.frames, []);
  assertEquals((await hub.roomState("elsewhere")).cursor, "0".repeat(20));
  assertEquals(hub.roomCount, 1);
});

Deno.test("Subscription.publish() after leaving says nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log, subscription } = await createRoom(kv);
  subscription("bob").leave();
  subscription("bob").publish({ text: "ghost" });
  subscription("bob").typing(true);
  await hub.drain();
  assertEquals(await readLog(log, "lobby"), []);
});

Deno.test("Subscription.publish() before the member is live waits, up to 256 messages", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub } = createTestHub(kv);
  const ann = new TestMember("ann");
  const subscription = hub.join("lobby", ann);
  for (const text of numbers(258)) subscription.publish({ text, ref: text });
  const problems = ann.of("error");
  assertEquals(problems.map(({ code, ref }) => [code, ref]), [
    ["rate_limited", "256"],
    ["rate_limited", "257"],
  ]);
  assert(problems.every(({ retry_after_ms }) => retry_after_ms! > 0));
  await ann.until(({ said }) => said.length === 256);
  assertEquals(ann.said, numbers(256));
});

import { assert, assertEquals } from "@std/assert";
import type { Message, Stay } from "@hubbub/hub";
import { eventually } from "../helpers/patience.ts";
import { createTestHub } from "../helpers/test_hub.ts";
import { TestMember } from "../helpers/test_member.ts";

Deno.test("onMessage, onJoin and onLeave are called after the fact, once", async () => {
  using kv = await Deno.openKv(":memory:");
  const told: unknown[] = [];
  const stays = (event: string) => (stay: Stay) => void told.push([event, stay]);
  const { hub, log } = createTestHub(kv, {
    onMessage: (message: Message) => void told.push(["message", message.text, message.name]),
    onJoin: stays("join"),
    onLeave: stays("leave"),
  });
  const ann = Object.assign(new TestMember("ann"), { name: "Ann Lee" });
  const subscription = hub.join("lobby", ann, { role: "moderator" });
  await subscription.joined;
  const ghost = hub.join("lobby", new TestMember("ghost"), { presence: false });
  const reader = hub.join("lobby", { send() {}, close() {} });
  await Promise.all([ghost.joined, reader.joined]);
  subscription.publish({ text: "hello", ref: "1" });
  await ann.until(({ said }) => said.length === 1);
  subscription.publish({ text: "hello", ref: "1" });
  await ann.until(({ said }) => said.length === 2);
  await hub.publish("elsewhere", "bob", { text: "hi" });
  assertEquals((await log.last("elsewhere", { limit: 10 })).length, 1);
  ghost.leave();
  reader.leave();
  subscription.leave();
  subscription.leave();
  const stay = { room: "lobby", user: "ann", role: "moderator", name: "Ann Lee" };
  assertEquals(told, [
    ["join", stay],
    ["message", "hello", "Ann Lee"],
    ["message", "hi", undefined],
    ["leave", stay],
  ]);
  const other = hub.join("lobby", new TestMember("bob"));
  await other.joined;
  await hub.drain();
  assertEquals(told.slice(4).map((entry) => (entry as unknown[])[0]), ["join", "leave"]);
});

Deno.test("A hook that throws or rejects harms nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, events } = createTestHub(kv, {
    onMessage: () => Promise.reject(new Error("no answer")),
    onJoin: () => {
      throw new Error("out of order");
    },
  });
  const [ann, bob] = [new TestMember("ann"), new TestMember("bob")];
  const subscriptions = [ann, bob].map((member) => hub.join("lobby", member));
  await Promise.all(subscriptions.map(({ joined }) => joined));
  for (const text of ["1", "2"]) subscriptions[0].publish({ text });
  await bob.until(({ said }) => said.length === 2);
  await eventually(() => hub.metrics.hookFailures === 4, "four failures");
  assert(events.every(({ event }) => event === "hook_failed"));
  assert(subscriptions.every(({ state }) => state === "live"));
  await hub.drain();
});

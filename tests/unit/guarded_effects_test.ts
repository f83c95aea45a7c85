import { assert, assertEquals } from "@std/assert";
import { type Fanout, Hub, KvRoomLog, type Member, Metrics } from "@hubbub/hub";
import { Guard } from "../../src/telemetry/guard.ts";
import { injectFaults } from "../helpers/kv_faults.ts";
import { within } from "../helpers/patience.ts";
import { readLog } from "../helpers/log_run.ts";
import { numbers } from "../helpers/stored_lines.ts";
import { createTestHub, type LoggedEvent } from "../helpers/test_hub.ts";
import { TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";

async function join(hub: Hub, user: string) {
  const member = new TestMember(user);
  const subscription = hub.join("lobby", member);
  await within(subscription.joined, `${user} to join`);
  return { member, subscription };
}

/** A fan-out that reaches nobody, and throws where it is told to. */
function throwingFanout(throws: (method: "publish" | "subscribe" | "close") => boolean): Fanout {
  const call = (method: "publish" | "subscribe" | "close") => {
    if (throws(method)) throw new Error(`${method} failed`);
  };
  return {
    publish: () => call("publish"),
    subscribe: () => call("subscribe"),
    close: () => call("close"),
  };
}

function eventsOf(events: readonly LoggedEvent[]): string[] {
  return events.map(({ event, fields }) => `${event}: ${fields?.error}`);
}

Deno.test("Hub shows and acknowledges a message although its fan-out throws once", async () => {
  using kv = await Deno.openKv(":memory:");
  let isBroken = false;
  const fanout = throwingFanout((method) => {
    if (!isBroken || method !== "publish") return false;
    isBroken = false;
    return true;
  });
  const { hub, log, events } = createTestHub(kv, { fanout });
  await using _hub = hub;
  const { member, subscription } = await join(hub, "ann");
  isBroken = true;
  const result = await within(hub.publish("lobby", "bob", { text: "0" }), "the result");
  assertEquals(result.status, "stored");
  subscription.publish({ text: "1", ref: "1" });
  await member.until(({ said }) => said.includes("1"));
  assertEquals(member.messages, await readLog(log, "lobby"));
  assertEquals(eventsOf(events), ["fanout_failed: Error: publish failed"]);
  assertEquals(hub.metrics.hookFailures, 1);
});

Deno.test("Hub works over a fan-out of which everything throws, and logs it once", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log, events } = createTestHub(kv, {
    fanout: throwingFanout(() => true),
    heartbeatMs: 5,
    expiryMs: 1_000,
  });
  const { member, subscription } = await join(hub, "ann");
  for (const text of numbers(20)) subscription.publish({ text });
  subscription.typing(true);
  await member.until(({ said }) => said.length === 20);
  assertEquals(member.messages, await readLog(log, "lobby"));
  await within(hub.drain(), "the drain");
  assertEquals(member.closes.length, 1);
  assertEquals(eventsOf(events), ["fanout_failed: Error: subscribe failed"]);
  assert(hub.metrics.hookFailures > 5, `${hub.metrics.hookFailures} failures`);
});

Deno.test("Hub works with a logger that throws", async () => {
  using kv = await Deno.openKv(":memory:");
  const faults = injectFaults(kv);
  let calls = 0;
  const hub = new Hub(new KvRoomLog(kv), {
    alone: true,
    logger() {
      calls++;
      throw new Error("No space left on device");
    },
  });
  const { member, subscription } = await join(hub, "ann");
  let fails = 1;
  faults.commit = (commit) => {
    return fails-- > 0 ? Promise.reject(new Error("disk I/O error")) : commit();
  };
  subscription.publish({ text: "lost", ref: "1" });
  await member.until((member) => member.of("error").length === 1);
  subscription.publish({ text: "kept", ref: "2" });
  await member.until(({ said }) => said.length === 1);
  assertEquals([member.said, calls], [["kept"], 1]);
  await within(hub.drain(), "the drain");
});

Deno.test("a member of which everything throws leaves, and the others miss nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const { hub, log, events } = createTestHub(kv);
  const { member: ann } = await join(hub, "ann");
  let isBroken = false;
  const fail = () => {
    if (isBroken) throw new Error("a broken member");
  };
  const broken: Member = {
    user: "broken",
    send: fail,
    close: fail,
    get waitingBytes() {
      fail();
      return 0;
    },
  };
  await hub.join("lobby", broken).joined;
  const { member: cid, subscription } = await join(hub, "cid");
  isBroken = true;
  subscription.publish({ text: "0" });
  for (const member of [ann, cid]) await member.until(({ said }) => said.length === 1);
  await ann.until((member) => member.of("presence").at(-1)?.status === "left");
  assertEquals([ann.messages, cid.messages], [ann.messages, await readLog(log, "lobby")]);
  assertEquals((await hub.roomState("lobby")).users, ["ann", "cid"]);
  assertEquals(events.map(({ event }) => event), ["member_failed", "member_close_failed"]);
});

Deno.test("Guard logs what fails once in a row, and counts it each time", () => {
  const logged: string[] = [];
  const metrics = new Metrics();
  const guard = new Guard({ logger: (_level, event) => void logged.push(event), metrics });
  const fail = () => {
    throw new Error("as expected");
  };
  for (const event of ["a", "a", "b", "a"]) assertEquals(guard.run(event, fail), false);
  assertEquals([logged, metrics.hookFailures], [["a", "b"], 4]);
  assertEquals(guard.run("a", () => {}), true);
  guard.run("a", fail);
  guard.run("b", fail);
  assertEquals([logged, metrics.hookFailures], [["a", "b", "a"], 6]);
});

Deno.test("a room sees what another isolate wrote although telling of it failed", async () => {
  await using isolates = await TestIsolates.open();
  const whole = isolates.connect();
  let throws = 0;
  const fanout: Fanout = {
    ...whole,
    publish(message) {
      if ((message as { kind: string }).kind === "messages" && throws++ % 2 === 0) {
        throw new Error("not now");
      }
      whole.publish(message);
    },
  };
  const [a, b] = [isolates.start({ fanout }), isolates.start()];
  const { subscription } = await join(a.hub, "ann");
  const { member: bob } = await join(b.hub, "bob");
  for (const text of numbers(6)) {
    subscription.publish({ text });
    await bob.until(({ said }) => said.includes(text));
  }
  assertEquals(bob.messages, await readLog(isolates.logs, "lobby"));
  assert(throws > 3, `${throws} messages`);
});

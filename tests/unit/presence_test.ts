import { assert, assertEquals } from "@std/assert";
import type { HubOptions, Subscription } from "@hubbub/hub";
import { killHub } from "../../src/hub/hub.ts";
import { mock } from "node:test";
import { Random } from "../helpers/random.ts";
import type { TestHub } from "../helpers/test_hub.ts";
import { pause, TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";
import { eventually } from "../helpers/patience.ts";
import { Stopwatch } from "../helpers/stopwatch.ts";

/** Signs of life go faster than in real life, so that tests are short. */
const FAST: HubOptions = { heartbeatMs: 50, expiryMs: 1_000 };

/** Joins a room, and resolves when the member is live. */
async function join(
  to: TestHub,
  user: string,
  room = "lobby",
): Promise<[TestMember, Subscription]> {
  const member = new TestMember(user);
  const subscription = to.hub.join(room, member);
  await subscription.joined;
  return [member, subscription];
}

/** What a member was told of others: "ann joined" and so on. */
function news(member: TestMember): string[] {
  return member.of("presence").map(({ user, status }) => `${user} ${status}`);
}

/** Resolves when a hub knows just these users in a room. */
async function untilHere(to: TestHub, users: readonly string[], room = "lobby"): Promise<void> {
  let here: readonly string[] = [];
  await eventually(async () => {
    here = (await to.hub.roomState(room)).users;
    return here.join() === users.join();
  }, () => `${users} to be here, not ${here}`);
}

Deno.test("joined lists the users of all isolates", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b, c] = isolates.startAll(3, FAST);
  await join(a, "ann");
  await join(b, "bob");
  await join(b, "bea", "other");
  for (const to of [a, b, c]) await untilHere(to, ["ann", "bob"]);
  const [cid] = await join(c, "cid");
  assertEquals(cid.joined.users, ["ann", "bob", "cid"]);
  const [again] = await join(a, "bob");
  await untilHere(a, ["ann", "bob", "cid"]);
  assertEquals(again.joined.users.includes("bob"), true);
});

Deno.test("presence is told on a user's first and last connection anywhere", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b, c] = isolates.startAll(3, FAST);
  const [watcher] = await join(a, "watcher");
  await untilHere(b, ["watcher"]);
  const here = ["ann", "watcher"];
  const [, tab1] = await join(b, "ann");
  await untilHere(a, here);
  await untilHere(c, here);
  const [, tab2] = await join(b, "ann");
  const [, tab3] = await join(c, "ann");
  const [, tab4] = await join(a, "ann");
  for (const subscription of [tab1, tab2, tab4]) subscription.leave();
  // Another user's coming shows that all of it went round.
  const [, marker1] = await join(b, "marker1");
  await watcher.until((member) => news(member).includes("marker1 joined"));
  assertEquals(news(watcher), ["ann joined", "marker1 joined"]);
  tab3.leave();
  await watcher.until((member) => news(member).includes("ann left"));
  marker1.leave();
  await watcher.until((member) => news(member).includes("marker1 left"));
  assertEquals(news(watcher), ["ann joined", "marker1 joined", "ann left", "marker1 left"]);
  for (const to of [a, b, c]) await untilHere(to, ["watcher"]);
});

Deno.test("whoever leaves a room last, and while typing, leaves for the other isolates too", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, FAST);
  const [watcher] = await join(a, "watcher");
  const [, ann] = await join(b, "ann");
  await untilHere(a, ["ann", "watcher"]);
  ann.typing(true);
  await watcher.until((member) => member.of("typing_status").length === 1);
  ann.leave();
  await watcher.until((member) => news(member).length === 2);
  assertEquals(news(watcher), ["ann joined", "ann left"]);
  assertEquals(watcher.of("typing_status").map(({ status }) => status), [true, false]);
  await untilHere(b, ["watcher"]);
  assertEquals(b.hub.roomCount, 0);
});

Deno.test("presence tells nobody of their own tabs on other isolates", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, FAST);
  const [ann] = await join(a, "ann");
  const [second, subscription] = await join(b, "ann");
  await join(b, "bob");
  await ann.until((member) => news(member).length === 1);
  subscription.leave();
  await join(b, "cid");
  await ann.until((member) => news(member).length === 2);
  assertEquals(news(ann), ["bob joined", "cid joined"]);
  assertEquals(news(second), ["bob joined"]);
});

Deno.test("the users of an isolate that dies leave once, when it has not been heard for a while", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b, c] = isolates.startAll(3, FAST);
  const [watcher] = await join(a, "watcher");
  for (const user of ["ann", "ann", "bob"]) await join(b, user);
  const [, both] = await join(c, "bob");
  await untilHere(a, ["ann", "bob", "watcher"]);
  await watcher.until((member) => news(member).length === 2);
  using watch = new Stopwatch();
  killHub(b.hub);
  await watcher.until((member) => news(member).length === 3);
  assert(watch.elapsedMs > 800 && watch.ms < 4_000, `${watch.elapsedMs}, ${watch.ms} ms`);
  // Who has a connection to another isolate stays.
  assertEquals(news(watcher).slice(2), ["ann left"]);
  assertEquals(a.hub.peerCount, 1);
  await untilHere(c, ["bob", "watcher"]);
  both.leave();
  await watcher.until((member) => news(member).length === 4);
  await pause(500);
  assertEquals(news(watcher).slice(2), ["ann left", "bob left"]);
});

Deno.test("the users of an isolate that drains leave at once", async () => {
  await using isolates = await TestIsolates.open();
  // An expiry that would take longer than the test.
  const [a, b] = isolates.startAll(2, { heartbeatMs: 50, expiryMs: 60_000 });
  const [watcher] = await join(a, "watcher");
  await join(b, "ann");
  await join(b, "bob");
  await untilHere(a, ["ann", "bob", "watcher"]);
  using watch = new Stopwatch();
  await b.hub.drain();
  await watcher.until((member) => news(member).length === 4);
  assert(watch.ms < 1_000, `${watch.ms} ms`);
  assertEquals(news(watcher).slice(2).sort(), ["ann left", "bob left"]);
  assertEquals(a.hub.peerCount, 0);
  // What was still under way does not bring them back.
  const late = isolates.connect();
  for (const message of isolates.packets.filter(({ kind }) => kind !== "shutdown")) {
    late.publish(message);
  }
  await pause(200);
  assertEquals([news(watcher).length, a.hub.peerCount], [4, 0]);
  late.close();
});

Deno.test("an isolate that starts later knows who is there", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, { heartbeatMs: 60_000, expiryMs: 120_000 });
  await join(a, "ann");
  await join(b, "bob");
  await join(b, "bea", "attic");
  const late = isolates.start();
  await untilHere(late, ["ann", "bob"]);
  await untilHere(late, ["bea"], "attic");
  const [cid] = await join(late, "cid");
  assertEquals(cid.joined.users, ["ann", "bob", "cid"]);
  assertEquals(news(cid), []);
  assertEquals(late.hub.peerCount, 2);
});

Deno.test("what presence lost is asked for", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, FAST);
  const [watcher] = await join(a, "watcher");
  await untilHere(b, ["watcher"]);
  isolates.loses = (message) => message.kind === "presence";
  const [, ann] = await join(b, "ann");
  await join(b, "bob");
  await watcher.until((member) => news(member).length === 2);
  ann.leave();
  await watcher.until((member) => news(member).length === 3);
  assertEquals(news(watcher).sort(), ["ann joined", "ann left", "bob joined"]);
  // Also where the answer gets lost.
  let lost = 0;
  isolates.loses = ({ kind }) =>
    kind === "presence" || (kind === "presence_snapshot" && lost++ < 2);
  await join(b, "cid");
  await watcher.until((member) => news(member).includes("cid joined"));
  assertEquals([lost, news(watcher).length], [3, 4]);
});

Deno.test("a change of presence behind one that was lost makes an isolate ask at once", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, { heartbeatMs: 60_000, expiryMs: 120_000 });
  const [watcher] = await join(a, "watcher");
  const [, ann] = await join(b, "ann");
  await untilHere(a, ["ann", "watcher"]);
  isolates.loses = ({ kind }) => kind === "presence";
  ann.leave();
  await join(b, "bob");
  isolates.loses = () => false;
  await pause(300);
  await join(b, "cid");
  await untilHere(a, ["bob", "cid", "watcher"]);
  await watcher.until((member) => news(member).length === 4);
  assertEquals(news(watcher).sort(), ["ann joined", "ann left", "bob joined", "cid joined"]);
});

Deno.test("presence packets that come twice, late or behind others change nothing", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, FAST);
  const [watcher] = await join(a, "watcher");
  const [, ann] = await join(b, "ann");
  await untilHere(a, ["ann", "watcher"]);
  ann.leave();
  await untilHere(a, ["watcher"]);
  const stranger = isolates.connect();
  for (const message of isolates.packets.filter(({ kind }) => kind !== "shutdown")) {
    stranger.publish(message);
    stranger.publish(message);
  }
  await join(b, "bob");
  await watcher.until((member) => news(member).includes("bob joined"));
  assertEquals(news(watcher), ["ann joined", "ann left", "bob joined"]);
  stranger.close();
});

Deno.test("an isolate that was not heard for a while comes back with its users", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, FAST);
  const [watcher] = await join(a, "watcher");
  await join(b, "ann");
  await untilHere(a, ["ann", "watcher"]);
  isolates.loses = () => true;
  await untilHere(a, ["watcher"]);
  assertEquals(a.hub.peerCount, 0);
  isolates.loses = () => false;
  await untilHere(a, ["ann", "watcher"]);
  assertEquals(news(watcher), ["ann joined", "ann left", "ann joined"]);
  assertEquals(a.hub.peerCount, 1);
});

Deno.test("presence ends in the truth on every isolate, whatever gets lost", async () => {
  await using isolates = await TestIsolates.open();
  const random = new Random(7);
  isolates.loses = () => random.chance(0.3);
  const hubs = isolates.startAll(3, FAST);
  const watchers = await Promise.all(hubs.map((to, index) => join(to, `watcher${index}`)));
  const present: [string, Subscription][] = [];
  for (let step = 0; step < 300; step++) {
    if (present.length === 0 || random.chance(0.55)) {
      const user = `user${random.below(8)}`;
      present.push([user, (await join(random.pick(hubs), user))[1]]);
    } else present.splice(random.below(present.length), 1)[0][1].leave();
    if (step % 50 === 0) await pause(20);
  }
  const users = new Set([
    ...present.map(([user]) => user),
    ...hubs.keys().map((i) => `watcher${i}`),
  ]);
  const here = [...users].sort();
  for (const to of hubs) await untilHere(to, here);
  for (const [watcher] of watchers) {
    const seen = new Set(watcher.joined.users);
    for (const { user, status } of watcher.of("presence")) {
      assertEquals(seen.has(user), status === "left", `${user} ${status} twice`);
      if (status === "joined") seen.add(user);
      else seen.delete(user);
    }
    assertEquals([...seen].sort(), here);
  }
});

Deno.test("presence and typing write nothing to the database", async () => {
  await using isolates = await TestIsolates.open();
  const atomic = mock.method(isolates.kv, "atomic");
  const set = mock.method(isolates.kv, "set");
  const remove = mock.method(isolates.kv, "delete");
  const [a, b] = isolates.startAll(2, { ...FAST, limits: { typing_timeout_ms: 50 } });
  const [watcher] = await join(a, "watcher");
  const [, ann] = await join(b, "ann");
  ann.typing(true);
  await watcher.until((member) => member.of("typing_status").length === 2);
  ann.typing(true);
  ann.leave();
  await watcher.until((member) => news(member).length === 2);
  await join(b, "bob");
  killHub(b.hub);
  await watcher.until((member) => news(member).length === 4);
  assertEquals([atomic, set, remove].map((spied) => spied.mock.callCount()), [0, 0, 0]);
  assertEquals((await Array.fromAsync(isolates.kv.list({ prefix: [] }))).length, 0);
});

Deno.test("a moderator is put out by no other, whichever isolate is asked", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b, c] = isolates.startAll(3, FAST);
  const ban = (to: TestHub) =>
    to.hub.sanctions.impose("lobby", { user: "bob", kind: "ban" }, "ann");
  const kick = async (to: TestHub) => {
    const body = { user: "bob", kind: "kick" } as const;
    return (await to.hub.sanctions.impose("lobby", body, "ann"))?.code;
  };
  const [, first] = await join(a, "bob");
  first.setRole("moderator");
  await untilHere(b, ["bob"]);
  // The second has the room open and was told; the third opens it by being asked.
  await eventually(async () => await kick(b) === "forbidden", "the second to know");
  assertEquals([await kick(a), await kick(b), await kick(c)], Array(3).fill("forbidden"));
  assertEquals((await ban(c))?.code, "forbidden");

  // He is one for as long as one of his connections is, wherever.
  const [, second] = await join(b, "bob");
  second.setRole("moderator");
  await eventually(() =>
    isolates.of("presence").some(({ from, isModerator }) => {
      return isModerator && from !== isolates.of("presence")[0].from;
    }), "the second connection to be told of");
  first.setRole("member");
  await eventually(async () => await kick(c) === "forbidden", "the third to know");
  assertEquals([await kick(a), await kick(b), await kick(c)], Array(3).fill("forbidden"));
  second.setRole("member");
  await eventually(async () => await kick(c) === undefined, "the third to know of it");
});

Deno.test("who is a moderator is asked for where it got lost", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2, FAST);
  await join(b, "eve");
  const [, bob] = await join(a, "bob");
  await untilHere(b, ["bob", "eve"]);
  isolates.loses = ({ kind }) => kind === "presence";
  bob.setRole("moderator");
  const mute = async (to: TestHub) => {
    const body = { user: "bob", kind: "mute", seconds: 1 } as const;
    return (await to.hub.sanctions.impose("lobby", body, "ann"))?.code;
  };
  await eventually(async () => await mute(b) === "forbidden", "the other to know");
  assert(isolates.of("presence_snapshot").some(({ moderators }) => moderators?.includes(true)));
});

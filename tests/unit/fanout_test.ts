import { assert, assertEquals } from "@std/assert";
import { BroadcastChannelFanout, type Fanout } from "@hubbub/hub";
import type { ClusterMessage } from "../../src/cluster/cluster_message.ts";
import { mock } from "node:test";
import { decodeClusterMessage } from "../../src/cluster/cluster_message.ts";
import { FaultyChannel } from "../helpers/faulty_fanout.ts";
import { Random } from "../helpers/random.ts";

/** Packets that a burst is made of: more than Deno keeps for a receiver (256). */
const BURST = 5_000;

/** An end of a fan-out, and what came in at it. */
class End {
  readonly fanout: Fanout;
  readonly got: unknown[] = [];
  #waiting: (() => void) | undefined;

  constructor(fanout: Fanout) {
    this.fanout = fanout;
    fanout.subscribe((message) => {
      this.got.push(message);
      this.#waiting?.();
    });
  }

  /** Publishes packets that carry these numbers. */
  publish(...revisions: number[]): void {
    for (const revision of revisions) this.fanout.publish(alive(revision));
  }

  /** Resolves when so many packets came in. */
  async until(count: number): Promise<void> {
    while (this.got.length < count) {
      await new Promise<void>((resolve) => this.#waiting = resolve);
    }
  }
}

function alive(revision: number): ClusterMessage {
  return { kind: "heartbeat", from: "test", revision };
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** What every fan-out keeps while nothing disturbs it. */
function testContract(name: string, connect: (count: number) => Fanout[]): void {
  const open = (count: number) => connect(count).map((fanout) => new End(fanout));
  const close = (ends: readonly End[]) => ends.forEach(({ fanout }) => fanout.close());

  Deno.test(`${name}: a packet reaches everybody else, as it was, and in order`, async () => {
    const ends = open(4);
    const packets: ClusterMessage[] = [
      {
        kind: "messages",
        from: "a",
        room: "lobby",
        prev: "1",
        cursor: "2",
        lines: ["{}", "é🙂\n"],
      },
      { kind: "typing", from: "a", room: "lobby", user: "Ann Ünwin", status: true },
      {
        kind: "presence_snapshot",
        from: "a",
        revision: 3,
        rooms: [["lobby", ["ann", "bob"]], ["attic", []]],
      },
      { kind: "presence_request", from: "a", of: "b" },
      { kind: "shutdown", from: "a" },
    ];
    for (const message of packets) ends[0].fanout.publish(message);
    for (const end of ends.slice(1)) {
      await end.until(packets.length);
      assertEquals(end.got, packets);
    }
    close(ends);
  });

  Deno.test(`${name}: nobody hears its own packets`, async () => {
    const [a, b] = open(2);
    a.publish(1);
    await b.until(1);
    b.publish(2);
    await a.until(1);
    assertEquals([a.got, b.got], [[alive(2)], [alive(1)]]);
    close([a, b]);
  });

  Deno.test(`${name}: publish() calls nobody back before it returns`, async () => {
    const [a, b] = open(2);
    a.publish(1, 2, 3);
    const gotWithin = [...a.got, ...b.got];
    await b.until(3);
    assertEquals(gotWithin, []);
    close([a, b]);
  });

  Deno.test(`${name}: a listener may publish`, async () => {
    const [fanout, other] = connect(2);
    const answers = new End(other);
    fanout.subscribe(() => fanout.publish(alive(2)));
    answers.publish(1);
    await answers.until(1);
    assertEquals(answers.got, [alive(2)]);
    fanout.close();
    other.close();
  });

  Deno.test(`${name}: ${BURST} packets of one turn all arrive`, async () => {
    const [a, b] = open(2);
    a.publish(...numbers(0, BURST));
    await b.until(BURST);
    assertEquals(b.got, numbers(0, BURST).map(alive));
    close([a, b]);
  });

  Deno.test(`${name}: close() sends what waits, and stops`, async () => {
    const [a, b, c] = open(3);
    b.fanout.close();
    a.publish(1);
    a.fanout.close();
    a.publish(2);
    await c.until(1);
    // What comes after shows that nothing else was under way.
    const [d] = open(1);
    d.publish(3);
    await c.until(2);
    assertEquals([a.got, b.got, c.got], [[], [], [alive(1), alive(3)]]);
    a.fanout.close();
    close([c, d]);
  });
}

testContract("BroadcastChannelFanout", (count) => {
  return Array.from({ length: count }, () => new BroadcastChannelFanout("contract"));
});

{
  const none = { drop: 0, repeat: 0, delay: 0, delayMaxMs: 0 };
  const channel = new FaultyChannel(none, new Random(1));
  testContract("FaultyChannel", (count) => Array.from({ length: count }, () => channel.connect()));
}

Deno.test("BroadcastChannelFanout posts once for everything of one turn", async () => {
  using posts = spyOnPosts();
  const [a, b] = [0, 1].map(() => new End(new BroadcastChannelFanout("turns")));
  a.publish(...numbers(0, 100));
  await Promise.resolve();
  a.publish(...numbers(100, 200));
  await b.until(200);
  assertEquals(posts.count, 1);
  a.publish(200);
  await b.until(201);
  assertEquals(posts.count, 2);
  for (const { fanout } of [a, b]) fanout.close();
  assertEquals(posts.count, 2, "nothing waited");
});

Deno.test(`BroadcastChannelFanout loses nothing of ${BURST} packets of 50 turns`, async () => {
  using posts = spyOnPosts();
  const [a, b] = [0, 1].map(() => new End(new BroadcastChannelFanout("bursts")));
  const scheduler = 50;
  const perTurn = BURST / scheduler;
  for (let turn = 0; turn < scheduler; turn++) {
    a.publish(...numbers(turn * perTurn, (turn + 1) * perTurn));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await b.until(BURST);
  assertEquals(b.got, numbers(0, BURST).map(alive));
  assert(posts.count <= scheduler, `${posts.count} posts`);
  for (const { fanout } of [a, b]) fanout.close();
});

Deno.test("BroadcastChannelFanout ignores what others post on its channel", async () => {
  const end = new End(new BroadcastChannelFanout("junk"));
  const stranger = new BroadcastChannel("junk");
  const junk: unknown[] = [
    ...["", "x", "{", "null", "1", '"text"', "{}", '{"kind":"heartbeat"}', "[", "[]"],
    ...[null, undefined, 7, {}, [], new Map(), new Uint8Array(8), { toString: 1, valueOf: 1 }],
  ];
  for (const value of junk) stranger.postMessage(value);
  stranger.postMessage(JSON.stringify([alive(1)]));
  await end.until(1);
  assertEquals(end.got, [alive(1)]);
  stranger.close();
  end.fanout.close();
});

const GOOD: readonly ClusterMessage[] = [
  { kind: "messages", from: "a", room: "lobby", prev: "1", cursor: "2", lines: [] },
  { kind: "messages", from: "a", room: "lobby", prev: "1", cursor: "2", lines: ["x", "y"] },
  { kind: "typing", from: "a", room: "lobby", user: "ann", status: false },
  { kind: "presence", from: "a", revision: 1, room: "lobby", user: "ann", status: true },
  { kind: "presence_snapshot", from: "a", revision: 0, rooms: [] },
  { kind: "presence_snapshot", from: "a", revision: 7, rooms: [["lobby", []], ["attic", ["ann"]]] },
  { kind: "heartbeat", from: "a", revision: 0 },
  { kind: "presence_request", from: "a" },
  { kind: "presence_request", from: "a", of: "b" },
  { kind: "shutdown", from: "a" },
];

Deno.test("decodePacket() takes every kind of packet as it is, and with what it does not know", () => {
  for (const message of GOOD) {
    assertEquals(decodeClusterMessage(message), message);
    const newer = { ...message, newer: { than: "this" } };
    assertEquals<unknown>(decodeClusterMessage(newer), newer);
  }
});

const NO_TEXT = [undefined, null, 1, true, {}, [], ["x"]];

/** By field, what must not stand there. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  kind: [...NO_TEXT, "", "x"],
  from: NO_TEXT,
  room: NO_TEXT,
  user: NO_TEXT,
  prev: NO_TEXT,
  cursor: NO_TEXT,
  of: NO_TEXT.filter((value) => value !== undefined),
  status: [undefined, null, 0, 1, "", "true", {}, []],
  revision: [undefined, null, "1", -1, 1.5, NaN, Infinity, 2 ** 53, [1], true],
  lines: [undefined, null, "x", {}, [1], ["x", null], [["x"]]],
  rooms: [undefined, null, "x", {}, ["x"], [[]], [["x"]], [["x", "y"]], [[1, []]], [["x", [1]]]],
};

Deno.test("decodePacket() refuses a packet with any field missing or of another type", () => {
  for (const message of GOOD) {
    for (const field of Object.keys(message)) {
      for (const value of WRONG[field]) {
        const changed = { ...message, [field]: value };
        assertEquals(decodeClusterMessage(changed), undefined, Deno.inspect(changed));
      }
    }
  }
});

Deno.test("decodePacket() refuses whatever else may come in", () => {
  // The names of what every object has are no kinds of packet.
  const kinds = ["Alive", ...Object.getOwnPropertyNames(Object.prototype)];
  const fields = { from: "a", revision: 1, room: "lobby", user: "ann", status: true, lines: [] };
  const values: unknown[] = [
    ...[
      undefined,
      null,
      0,
      "heartbeat",
      true,
      [],
      ["heartbeat"],
      () => {},
      new Map(),
      {},
      new Date(),
    ],
    ...kinds.map((kind) => ({ ...fields, kind })),
    ...[["heartbeat"], [["shutdown"]], { toString: () => "shutdown" }, 1].map((kind) => ({
      ...fields,
      kind,
    })),
    { kind: "shutdown" },
  ];
  for (const value of values) {
    assertEquals(decodeClusterMessage(value), undefined, Deno.inspect(value));
  }
});

/** Counts what goes out over all channels. */
function spyOnPosts() {
  const spy = mock.method(BroadcastChannel.prototype, "postMessage");
  return {
    get count() {
      return spy.mock.callCount();
    },
    [Symbol.dispose]: () => spy.mock.restore(),
  };
}

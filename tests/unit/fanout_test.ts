import { assert, assertEquals } from "@std/assert";
import { BroadcastChannelFanout } from "@hubbub/hub";
import { mock } from "node:test";
import { decodeClusterMessage } from "../../src/cluster/cluster_message.ts";
import { fittingMessages } from "../../src/cluster/fitting_messages.ts";
import { BURST, End, GOOD, heartbeat, numbers, testFanout } from "../helpers/fanout_contract.ts";
import { FaultyChannel } from "../helpers/faulty_fanout.ts";
import { Random } from "../helpers/random.ts";

testFanout("BroadcastChannelFanout", () => ({
  connect: () => new BroadcastChannelFanout("contract"),
  [Symbol.asyncDispose]: () => Promise.resolve(),
}));

testFanout("FaultyChannel", () => {
  const none = { drop: 0, repeat: 0, delay: 0, delayMaxMs: 0 };
  const channel = new FaultyChannel(none, new Random(1));
  return {
    connect: () => channel.connect(),
    [Symbol.asyncDispose]: () => Promise.resolve(channel.close()),
  };
});

Deno.test("BroadcastChannelFanout posts once for everything of one turn", async () => {
  using posts = spyOnPosts();
  const [a, b] = await Promise.all(
    [0, 1].map(() => End.open(new BroadcastChannelFanout("turns"))),
  );
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
  const [a, b] = await Promise.all(
    [0, 1].map(() => End.open(new BroadcastChannelFanout("bursts"))),
  );
  const scheduler = 50;
  const perTurn = BURST / scheduler;
  for (let turn = 0; turn < scheduler; turn++) {
    a.publish(...numbers(turn * perTurn, (turn + 1) * perTurn));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await b.until(BURST);
  assertEquals(b.got, numbers(0, BURST).map(heartbeat));
  assert(posts.count <= scheduler, `${posts.count} posts`);
  for (const { fanout } of [a, b]) fanout.close();
});

Deno.test("BroadcastChannelFanout ignores what others post on its channel", async () => {
  const end = await End.open(new BroadcastChannelFanout("junk"));
  const stranger = new BroadcastChannel("junk");
  const junk: unknown[] = [
    ...["", "x", "{", "null", "1", '"text"', "{}", '{"kind":"heartbeat"}', "[", "[]"],
    ...[null, undefined, 7, {}, [], new Map(), new Uint8Array(8), { toString: 1, valueOf: 1 }],
  ];
  for (const value of junk) stranger.postMessage(value);
  stranger.postMessage(JSON.stringify([heartbeat(1)]));
  await end.until(1);
  assertEquals(end.got, [heartbeat(1)]);
  stranger.close();
  end.fanout.close();
});

Deno.test("decodeClusterMessage() takes every kind of message as it is, and with what it does not know", () => {
  for (const message of GOOD) {
    assertEquals(decodeClusterMessage(message), message);
    const newer = { ...message, newer: { than: "this" } };
    assertEquals<unknown>(decodeClusterMessage(newer), newer);
  }
});

const NO_TEXT = [undefined, null, 1, true, {}, [], ["x"]];

const NO_REVISIONS = [undefined, null, "x", {}, ["x"], [[]], [["x"]], [["x", "y"]], [[1, 1]]];

/** By field, what must not stand there. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  kind: [...NO_TEXT, "", "x"],
  from: NO_TEXT,
  room: NO_TEXT,
  user: NO_TEXT,
  cursor: NO_TEXT,
  of: NO_TEXT.filter((value) => value !== undefined),
  status: [undefined, null, 0, 1, "", "true", {}, []],
  revision: [undefined, null, "1", -1, 1.5, NaN, Infinity, 2 ** 53, [1], true],
  lines: [undefined, null, "x", {}, [1], ["x", null], [["x"]]],
  rooms: NO_REVISIONS,
  known: NO_REVISIONS,
  users: [undefined, null, "x", {}, [1], ["x", null], [["x"]]],
  asks: [undefined, null, 0, "true"],
  isOpening: [undefined, null, 0, "true"],
  prev: [undefined, null, 1.5, -1, true, {}],
  part: [undefined, null, "0", -1, 9],
  parts: [undefined, null, "1", 0, true],
};

Deno.test("decodeClusterMessage() refuses a message with any field missing or of another type", () => {
  for (const message of GOOD) {
    for (const field of Object.keys(message)) {
      for (const value of WRONG[field]) {
        const changed = { ...message, [field]: value };
        assertEquals(decodeClusterMessage(changed), undefined, Deno.inspect(changed));
      }
    }
  }
});

Deno.test("decodeClusterMessage() refuses whatever else may come in", () => {
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

Deno.test("fittingMessages() cuts a snapshot into pieces that fit, and loses nobody", () => {
  const users = Array.from({ length: 500 }, (_, index) => `user ${index} "é🙂\u0001"`).sort();
  const message = { kind: "presence_snapshot", from: "a", room: "x", revision: 3, users } as const;
  for (const max of [300, 1_000, 7_999, 1_000_000]) {
    const pieces = fittingMessages({ ...message, part: 0, parts: 1 }, max);
    for (const piece of pieces) {
      const size = new TextEncoder().encode(JSON.stringify(piece)).length;
      assert(size <= max, `${size} of ${max}`);
      assertEquals(decodeClusterMessage(piece), piece);
    }
    assertEquals(pieces.flatMap((piece) => "users" in piece ? piece.users : []), users);
    assertEquals(pieces.length === 1, max === 1_000_000);
  }
  const said = {
    names: users.map((user, index) => index % 3 ? user : null),
    moderators: users.map((_, index) => index % 2 === 0),
  };
  const pieces = fittingMessages({ ...message, ...said, part: 0, parts: 1 }, 1_000);
  for (const piece of pieces) {
    assert(new TextEncoder().encode(JSON.stringify(piece)).length <= 1_000);
    assertEquals(decodeClusterMessage(piece), piece);
  }
  for (const row of ["names", "moderators"] as const) {
    assertEquals(pieces.flatMap((piece) => row in piece ? piece[row as never] : []), said[row]);
  }
});

Deno.test("fittingMessages() leaves out what the others find out by themselves", () => {
  const lines = Array.from({ length: 20 }, () => "\u0000é".repeat(100));
  const long = { kind: "messages", from: "a", room: "x", prev: "1", cursor: "2", lines } as const;
  assertEquals(fittingMessages(long, 100_000), [long]);
  assertEquals(fittingMessages(long, 7_999), [{ ...long, lines: [], hashes: [] }]);
  const known = Array.from({ length: 300 }, (_, index) => [`isolate ${index}`, index] as const);
  const request = { kind: "presence_request", from: "a", room: "x", revision: 1, known } as const;
  assertEquals(fittingMessages({ ...request, isOpening: false }, 1_000), [
    { ...request, isOpening: false, known: [] },
  ]);
  const beat = { kind: "heartbeat", from: "a", revision: 1, rooms: known, asks: true } as const;
  assertEquals(fittingMessages(beat, 1_000), [{ ...beat, rooms: [] }]);
  for (const message of GOOD) assertEquals(fittingMessages(message, 1_000), [message]);
});

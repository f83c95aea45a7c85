// What every fan-out does while nothing disturbs it, whatever medium it uses: see `Fanout`. One is
// held to it by a test file that calls testFanout() with a way to connect.

import { assert, assertEquals } from "@std/assert";
import type { Fanout } from "@hubbub/hub";
import type { ClusterMessage } from "../../src/cluster/cluster_message.ts";
import { within } from "./patience.ts";

/** Messages that a burst is made of: more than Deno keeps for a receiver (256). */
export const BURST = 5_000;

/** A medium that one test has to itself. */
export interface TestMedium extends AsyncDisposable {
  /** Makes one more end, not subscribed yet. */
  connect(): Fanout;
}

/** An end of a fan-out, and what came in at it. */
export class End {
  readonly fanout: Fanout;
  readonly got: unknown[] = [];
  #waiting: (() => void) | undefined;

  private constructor(fanout: Fanout) {
    this.fanout = fanout;
  }

  /** Subscribes, and waits until it is connected. */
  static async open(
    fanout: Fanout,
    options: { databaseId?: string; joins?: readonly string[] } = {},
  ): Promise<End> {
    const { databaseId = "contract", joins = [] } = options;
    const end = new End(fanout);
    const connecting = fanout.subscribe((message) => {
      end.got.push(message);
      end.#waiting?.();
    }, { databaseId: () => Promise.resolve(databaseId) });
    for (const room of joins) fanout.join?.(room);
    if (connecting) await within(connecting, "the fan-out to connect");
    return end;
  }

  /** Publishes heartbeats that carry these numbers. */
  publish(...revisions: number[]): void {
    for (const revision of revisions) this.fanout.publish(heartbeat(revision));
  }

  /** Resolves when so many messages came in. */
  async until(count: number): Promise<void> {
    const all = async () => {
      while (this.got.length < count) {
        await new Promise<void>((resolve) => this.#waiting = resolve);
      }
    };
    await within(all(), () => `${count} messages, of which ${this.got.length} came`);
  }
}

export function heartbeat(revision: number): ClusterMessage {
  return { kind: "heartbeat", from: "test", revision, rooms: [], asks: false };
}

function typing(room: string, user = "ann"): ClusterMessage {
  return { kind: "typing", from: "test", room, user, status: true };
}

export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** One cluster message of each kind, or several. */
export const GOOD: readonly ClusterMessage[] = [
  { kind: "messages", from: "a", room: "lobby", prev: "1", cursor: "2", lines: [] },
  { kind: "messages", from: "a", room: "lobby", prev: "1", cursor: "2", lines: ["{}", "é🙂\n"] },
  { kind: "typing", from: "a", room: "lobby", user: "Ann Ünwin", status: false },
  ...[true, false].map((status) =>
    ({ kind: "presence", from: "a", prev: 0, revision: 1, room: "x", user: "ann", status }) as const
  ),
  { kind: "presence_snapshot", from: "a", room: "x", revision: 0, users: [], part: 0, parts: 1 },
  { kind: "presence_snapshot", from: "a", room: "x", revision: 7, users: ["a"], part: 1, parts: 2 },
  { kind: "heartbeat", from: "a", revision: 0, rooms: [], asks: true },
  { kind: "heartbeat", from: "a", revision: 9, rooms: [["lobby", 9]], asks: false },
  { kind: "presence_request", from: "a", room: "x", revision: 0, known: [], isOpening: true },
  {
    kind: "presence_request",
    from: "a",
    room: "x",
    revision: 0,
    known: [["b", 1]],
    isOpening: false,
    of: "b",
  },
  { kind: "shutdown", from: "a" },
];

/** Names of rooms that mean something else to a medium, or might. */
const ROOMS = ["lobby", "Lobby", "a..b", ".x", "x.", "a-b_c", "r".repeat(64)];

/**
 * Registers the tests of the contract for one fan-out.
 *
 * @param name What the tests are called after.
 * @param create Makes a medium on which nobody is.
 * @param permissions What the tests need. @default {{}}
 */
export function testFanout(
  name: string,
  create: () => TestMedium | Promise<TestMedium>,
  permissions: { ignore?: boolean; timeout?: number } = {},
): void {
  type Open = (count: number, joins?: readonly string[]) => Promise<End[]>;
  const test = (what: string, fn: (medium: TestMedium, open: Open) => Promise<void>) => {
    Deno.test({
      name: `${name}: ${what}`,
      ...permissions,
      async fn() {
        await using medium = await create();
        const ends: End[] = [];
        await fn(medium, async (count, joins) => {
          const opened = numbers(0, count).map(() => End.open(medium.connect(), { joins }));
          const all = await Promise.all(opened);
          ends.push(...all);
          return all;
        });
        await Promise.all(ends.map(({ fanout }) => fanout.close()));
      },
    });
  };

  test("a message reaches everybody else, as it was, and in order", async (_, open) => {
    const ends = await open(4);
    for (const message of GOOD) ends[0].fanout.publish(message);
    for (const end of ends.slice(1)) {
      await end.until(GOOD.length);
      assertEquals(end.got, [...GOOD]);
    }
    assert(ends.every(({ fanout }) => fanout.isConnected ?? true));
  });

  test("nobody hears its own messages", async (_, open) => {
    const [a, b] = await open(2, ["lobby"]);
    a.publish(1);
    a.fanout.publish(typing("lobby"), "lobby");
    await b.until(2);
    b.publish(2);
    await a.until(1);
    assertEquals([a.got, b.got], [[heartbeat(2)], [heartbeat(1), typing("lobby")]]);
  });

  test("publish() calls nobody back before it returns", async (_, open) => {
    const [a, b] = await open(2);
    a.publish(1, 2, 3);
    const gotWithin = [...a.got, ...b.got];
    await b.until(3);
    assertEquals(gotWithin, []);
  });

  test("a listener may publish", async (medium, open) => {
    const fanout = medium.connect();
    const hub = { databaseId: () => Promise.resolve("contract") };
    await fanout.subscribe(() => fanout.publish(heartbeat(2)), hub);
    const [answers] = await open(1);
    answers.publish(1);
    await answers.until(1);
    assertEquals(answers.got, [heartbeat(2)]);
    await fanout.close();
  });

  test(`${BURST} messages of one turn all arrive`, async (_, open) => {
    const [a, b] = await open(2);
    a.publish(...numbers(0, BURST));
    await b.until(BURST);
    assertEquals(b.got, numbers(0, BURST).map(heartbeat));
  });

  test("a room's messages reach those that joined it, whatever it is called", async (_, open) => {
    const [[a], [member], [stranger]] = [await open(1), await open(1, ROOMS), await open(1)];
    const sent = ROOMS.map((room) => typing(room));
    for (const room of ROOMS) a.fanout.publish(typing(room), room);
    await member.until(ROOMS.length);
    assertEquals(member.got, sent);
    // What comes after shows that nothing else was under way.
    a.publish(1);
    await stranger.until(1);
    if (stranger.fanout.join) assertEquals(stranger.got, [heartbeat(1)]);
  });

  test("a room that was left, and joined again", async (_, open) => {
    const [a, b] = await open(2);
    const rounds = 3;
    for (let round = 0; round < rounds; round++) {
      b.fanout.join?.("lobby");
      // An answer shows that the other end has got this far.
      b.publish(round);
      await a.until(round + 1);
      a.fanout.publish(typing("lobby", `${round}`), "lobby");
      await b.until(round + 1);
      b.fanout.leave?.("lobby");
    }
    assertEquals(b.got, numbers(0, rounds).map((round) => typing("lobby", `${round}`)));
  });

  test("a message may be as long as it says", async (_, open) => {
    const [a, b] = await open(2, ["lobby"]);
    const max = a.fanout.messageMaxBytes ?? Infinity;
    const size = Math.min(max, 200_000);
    const bare = new TextEncoder().encode(JSON.stringify(typing("lobby", ""))).length;
    const message = typing("lobby", "x".repeat(size - bare));
    a.fanout.publish(message, "lobby");
    await b.until(1);
    assertEquals(b.got, [message]);
  });

  test("close() sends what waits, and stops", async (_, open) => {
    const [a, b, c] = await open(3);
    await b.fanout.close();
    a.publish(1);
    const closed = a.fanout.close();
    a.publish(2);
    await closed;
    await c.until(1);
    const [d] = await open(1);
    d.publish(3);
    await c.until(2);
    assertEquals([a.got, b.got, c.got], [[], [], [heartbeat(1), heartbeat(3)]]);
  });
}

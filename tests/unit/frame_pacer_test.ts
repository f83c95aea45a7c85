import { assertEquals } from "@std/assert";
import { FramePacer } from "../../src/connection/frame_pacer.ts";
import { TurnScheduler } from "../../src/connection/turn_scheduler.ts";
import { eventually } from "../helpers/patience.ts";

/** A pacer for an address that has its share, or has not. */
function pace({ isOver = false } = {}) {
  const address = { isOver };
  const taken: unknown[] = [];
  const ends: string[] = [];
  const turns = new TurnScheduler({ atOnce: 2, isOver: () => address.isOver });
  const pacer = new FramePacer({
    processor: { charge() {}, isOver: () => address.isOver },
    turns,
    key: "192.0.2.1",
    receive: (data) => taken.push(data),
    end: (name) => ends.push(name),
  });
  return { address, taken, ends, pacer, turns };
}

Deno.test("FramePacer.take() hands frames on at once where there is time for them", () => {
  const { pacer, taken } = pace();
  pacer.take("one");
  pacer.take("two");
  assertEquals(taken, ["one", "two"]);
});

Deno.test("FramePacer.take() keeps the order of frames that wait, and of those behind them", async () => {
  const { address, pacer, taken } = pace({ isOver: true });
  for (const frame of ["one", "two", "three"]) pacer.take(frame);
  assertEquals([taken, pacer.heldLength], [[], 11]);
  address.isOver = false;
  pacer.take("four");
  assertEquals(taken, [], "nor does one overtake that comes when there is time");
  await eventually(() => taken.length === 4, () => `${taken}`);
  assertEquals([taken, pacer.heldLength], [["one", "two", "three", "four"], 0]);
  pacer.take("five");
  assertEquals(taken.at(-1), "five");
});

Deno.test("FramePacer ends a connection that goes on sending, and drops what waits", async () => {
  for (
    const { frame, count } of [{ frame: "x", count: 257 }, { frame: "x".repeat(20_000), count: 7 }]
  ) {
    const { address, pacer, taken, ends, turns } = pace({ isOver: true });
    for (let i = 1; i < count; i++) pacer.take(frame);
    assertEquals(ends, []);
    pacer.take(frame);
    pacer.take(frame);
    assertEquals([ends, pacer.heldLength], [["tooManyBadFrames"], 0]);
    address.isOver = false;
    await eventually(() => turns.waiting === 0, () => `${turns.waiting} wait`);
    assertEquals(taken, []);
  }
});

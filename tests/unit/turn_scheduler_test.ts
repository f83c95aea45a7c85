import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { setImmediate } from "node:timers";
import { TurnScheduler } from "../../src/connection/turn_scheduler.ts";
import { eventually } from "../helpers/patience.ts";
import { serveAlone } from "../helpers/test_server.ts";

/** The next turn of the event loop, after what is due in this one. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("TurnScheduler.turn() lets few begin in a turn, in rounds over those who ask", async () => {
  const scheduler = new TurnScheduler({ atOnce: 2 });
  const begun: string[] = [];
  const ask = (key: string, name: string) => {
    const turn = scheduler.turn(key);
    if (turn) void turn.begun.then(() => begun.push(name));
    else begun.push(name);
  };
  for (let i = 0; i < 6; i++) ask("busy", `busy ${i}`);
  ask("quiet", "quiet");
  assertEquals(begun, ["busy 0", "busy 1"], "at once where nothing waits");
  assertEquals(scheduler.waiting, 5);
  await nextTurn();
  assertEquals(begun.slice(2), ["busy 2", "quiet"], "the other one does not wait behind all");
  ask("late", "late");
  assertEquals(begun.length, 4, "nor does somebody who comes overtake");
  await nextTurn();
  assertEquals(begun.slice(4), ["busy 3", "late"]);
  await nextTurn();
  assertEquals([scheduler.waiting, ...begun.slice(6)], [0, "busy 4", "busy 5"]);
  await nextTurn();
  await nextTurn();
  ask("busy", "busy 6");
  assertEquals(begun.at(-1), "busy 6", "at once again");
  await nextTurn();
});

Deno.test("TurnScheduler passes over those who have their share, and counts them", async () => {
  const over = new Set(["busy"]);
  const held: string[] = [];
  const scheduler = new TurnScheduler({
    atOnce: 2,
    isOver: (key) => over.has(key),
    onHeld: (key) => held.push(key),
  });
  const begun: string[] = [];
  for (let i = 0; i < 3; i++) {
    void scheduler.turn("busy")?.begun.then(() => begun.push(`busy ${i}`));
  }
  assertEquals(held, ["busy", "busy", "busy"]);
  await nextTurn();
  await nextTurn();
  assertEquals([begun, scheduler.waiting], [[], 3]);
  assertEquals(scheduler.turn("quiet"), undefined, "nobody waits for them");
  over.delete("busy");
  await eventually(() => scheduler.waiting === 0, () => `${scheduler.waiting} wait`);
  await nextTurn();
  assertEquals(begun, ["busy 0", "busy 1", "busy 2"]);
  // The scheduler's last turn.
  await eventually(() => scheduler.turn("quiet") === undefined, () => "no turn");
  await nextTurn();
  await nextTurn();
});

Deno.test("createServer() begins few requests in a turn, however many come at once", async () => {
  const turns: number[] = [];
  let thisTurn = 0;
  let isOver = false;
  const count = () => {
    turns.push(thisTurn);
    thisTurn = 0;
    if (!isOver) setImmediate(count);
  };
  await using server = await serveAlone({
    authorize: () => {
      thisTurn++;
      return { user: "ann" };
    },
  });
  setImmediate(count);
  const statuses = await Promise.all(Array.from({ length: 200 }, async () => {
    const response = await fetch(`${server.url}/rooms/lobby`);
    await response.body?.cancel();
    return response.status;
  }));
  isOver = true;
  await nextTurn();
  await nextTurn();
  assertEquals(new Set(statuses), new Set([200]));
  assertLessOrEqual(Math.max(...turns), 4, "two a turn, where turns of both are not in step");
});

Deno.test("TurnScheduler leaves the runtime time for others while many wait", async () => {
  const scheduler = new TurnScheduler({ atOnce: 2 });
  const startedAt = performance.now();
  const turns = Array.from({ length: 100 }, () => scheduler.turn("a")?.begun);
  await Promise.all(turns);
  // Some 30 pauses of 3 ms; without them all is over within a few milliseconds.
  assert(performance.now() - startedAt >= 50, "no pauses");
  await nextTurn();
  await nextTurn();
});

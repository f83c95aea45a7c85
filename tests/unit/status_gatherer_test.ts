import { assert, assertEquals } from "@std/assert";
import { StatusGatherer, type StatusGathererOptions } from "../../src/hub/status_gatherer.ts";
import { MockClock } from "../helpers/mock_clock.ts";
import { Random } from "../helpers/random.ts";
import { numbers } from "../helpers/stored_lines.ts";

/** A gatherer on a clock of its own: what it sends, each time with when it was. */
function createGatherer(options: Partial<StatusGathererOptions> = {}) {
  const clock = new MockClock();
  const sends: { at: number; changes: string[] }[] = [];
  const pending: boolean[] = [];
  const gatherer = new StatusGatherer({
    send: (changes) =>
      void sends.push({
        at: clock.now,
        changes: changes.map(([user, status]) => `${user} ${status}`),
      }),
    onPending: (isPending) => void pending.push(isPending),
    ...options,
  });
  return {
    gatherer,
    sends,
    pending,
    tick(ms: number) {
      for (let i = 0; i < ms; i++) clock.tick(1);
    },
    [Symbol.dispose]: () => clock[Symbol.dispose](),
  };
}

Deno.test("StatusGatherer sends few changes at once", () => {
  using clock = createGatherer();
  const { gatherer, sends, pending } = clock;
  for (const user of numbers(10)) gatherer.set(user, true);
  gatherer.set("0", true);
  for (const user of numbers(10)) gatherer.set(user, false);
  assertEquals(sends.length, 20);
  assertEquals([sends[0], sends[19]], [
    { at: 0, changes: ["0 true"] },
    { at: 0, changes: ["9 false"] },
  ]);
  assertEquals([pending, gatherer.sent.size], [[], 0]);
});

Deno.test("StatusGatherer sends more than 20 changes in a second after 250 ms, the net ones alone", () => {
  using clock = createGatherer();
  const { gatherer, sends, pending, tick } = clock;
  for (const user of numbers(50)) gatherer.set(user, true);
  assertEquals(sends.length, 20);
  assertEquals(pending, [true]);
  for (const user of ["30", "31"]) gatherer.set(user, false); // as they were: nothing to send
  gatherer.set("0", false);
  gatherer.set("1", false);
  gatherer.set("1", true); // as it was
  tick(249);
  assertEquals(sends.length, 20);
  tick(1);
  const expected = numbers(50).slice(20).filter((user) => user !== "30" && user !== "31");
  assertEquals(sends.slice(20), [
    { at: 250, changes: [...expected.map((user) => `${user} true`), "0 false"] },
  ]);
  assertEquals(pending, [true, false]);
  tick(2_000);
  gatherer.set("0", true);
  assertEquals(sends.at(-1), { at: 2_250, changes: ["0 true"] }, "it is calm again");
});

Deno.test("StatusGatherer slows a user down that changes all the time, and sends its last status", () => {
  using clock = createGatherer();
  const { gatherer, sends, tick } = clock;
  for (let i = 0; i < 1_001; i++) {
    gatherer.set("zoe", i % 2 === 0);
    tick(10);
  }
  tick(1_000);
  // Ten at once, two a second for the 10 s that it took, and the last one.
  assert(sends.length > 20 && sends.length <= 33, `${sends.length} changes`);
  assertEquals(sends.at(-1)?.changes, ["zoe true"]);
  assert(gatherer.sent.has("zoe"));
});

Deno.test("StatusGatherer sends a bounded number of frequent changes at a time, the others before", () => {
  using clock = createGatherer({ frequentMax: () => 5 });
  const { gatherer, sends, tick } = clock;
  const frequent = numbers(40);
  let status = false;
  const storm = (ms: number) => {
    for (let i = 0; i < ms; i += 50) {
      status = !status;
      for (const user of frequent) gatherer.set(user, status);
      tick(50);
    }
  };
  storm(5_000);
  const before = sends.length;
  gatherer.set("ann", true);
  storm(300);
  const about = sends.slice(before).find(({ changes }) => changes.includes("ann true"));
  assert(about && about.at <= 5_250, "who changes now and then does not wait for the others");
  const [least, most] = [Math.min, Math.max].map((of) => {
    return of(...sends.slice(before - 4).map(({ changes }) => changes.length));
  });
  assert(least >= 0 && most <= 6, `${least} to ${most} changes at a time`);
});

Deno.test("StatusGatherer.flush() sends what waits of a user at once, and nothing else", () => {
  using clock = createGatherer();
  const { gatherer, sends, pending, tick } = clock;
  for (const user of numbers(23)) gatherer.set(user, true);
  gatherer.flush("21");
  gatherer.flush("0");
  gatherer.flush("nobody");
  assertEquals(sends.slice(20), [{ at: 0, changes: ["21 true"] }]);
  gatherer.flushAll();
  assertEquals(sends.at(-1), { at: 0, changes: ["20 true", "22 true"] });
  assertEquals(pending, [true, false]);
  tick(1_000);
  assertEquals(sends.length, 22);
});

Deno.test("StatusGatherer waits for what is on its way out, but not longer than two seconds", () => {
  let isBusy = true;
  using clock = createGatherer({ isBusy: () => isBusy });
  const { gatherer, sends, tick } = clock;
  for (const user of numbers(22)) gatherer.set(user, true);
  tick(2_249);
  assertEquals(sends.length, 20);
  tick(50);
  assertEquals(sends.length, 21);
  gatherer.set("0", false);
  tick(400);
  isBusy = false;
  tick(50);
  assertEquals(sends.at(-1)?.changes, ["0 false"]);
});

Deno.test("StatusGatherer ends in the truth, whatever happened", () => {
  for (let seed = 1; seed <= 30; seed++) {
    using clock = createGatherer({ frequentMax: () => 2 });
    const { gatherer, sends, tick } = clock;
    const random = new Random(seed);
    const statuses = new Map<string, boolean>();
    for (let step = 0; step < 500; step++) {
      const user = `user${random.below(12)}`;
      const status = random.chance(0.5);
      statuses.set(user, status);
      gatherer.set(user, status);
      if (random.chance(0.05)) gatherer.flush(user);
      tick(random.below(12));
    }
    tick(10_000);
    const shown = new Map<string, boolean>();
    for (const change of sends.flatMap(({ changes }) => changes)) {
      const [user, status] = change.split(" ");
      assertEquals(shown.get(user) ?? false, status === "false", `seed ${seed}: ${change} twice`);
      shown.set(user, status === "true");
    }
    for (const [user, status] of statuses) assertEquals(shown.get(user) ?? false, status);
  }
});

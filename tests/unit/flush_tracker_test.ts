import { assert, assertEquals, assertFalse } from "@std/assert";
import { FlushTracker, lastInTime } from "../../src/hub/flush_tracker.ts";

Deno.test("FlushTracker.drained() waits until the last one who was sent something has it", async () => {
  const flushes = new FlushTracker(() => 0);
  const last = { isBehind: true };
  flushes.sent([last]);
  assert(flushes.isBusy);
  let isOut = false;
  const drained = flushes.drained().then(() => isOut = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertFalse(isOut);
  last.isBehind = false;
  await drained;
  assertFalse(flushes.isBusy);
});

Deno.test("FlushTracker.drained() waits 25 ms at most, and not again for the same member", async () => {
  let now = 0;
  let asked = 0;
  const flushes = new FlushTracker(() => now);
  const stuck = {
    get isBehind() {
      now += 6;
      asked++;
      return true;
    },
  };
  flushes.sent([stuck]);
  await flushes.drained();
  assertEquals(asked, 5);
  await flushes.drained();
  assertEquals(asked, 5);
});

Deno.test("FlushTracker.sent() keeps the last one where nobody was sent anything in time", async () => {
  const flushes = new FlushTracker();
  assertFalse(flushes.isBusy);
  await flushes.drained();
  const last = { isBehind: true };
  flushes.sent([last]);
  flushes.sent([]);
  assert(flushes.isBusy);
  last.isBehind = false;
  await flushes.drained();
});

Deno.test("FlushTracker.drained() waits for nobody who is slower than the others", async () => {
  const flushes = new FlushTracker(() => 0);
  flushes.sent([{ isBehind: true }, { isBehind: true }, { isBehind: false }]);
  assertFalse(flushes.isBusy);
  await flushes.drained();
});

Deno.test("lastInTime() finds the last few for whom nothing waits", () => {
  const recipients = [...Array(20).keys()].map((number) => ({ number, isBehind: false }));
  const found = () => lastInTime(recipients).map(({ number }) => number);
  assertEquals(found(), [19, 18, 17]);
  for (const behind of [19, 17]) recipients[behind].isBehind = true;
  assertEquals(found(), [18, 16, 15]);
  for (const recipient of recipients.slice(-8)) recipient.isBehind = true;
  assertEquals(found(), [8, 10, 11]);
  assertEquals(lastInTime([]), []);
});

Deno.test("lastInTime() finds some where all wait for the runtime, but for a few who may be slow", async () => {
  const all = Array.from({ length: 500 }, () => ({ isBehind: true }));
  const flushes = new FlushTracker();
  flushes.sent(lastInTime(all));
  assert(flushes.isBusy);
  for (const recipient of all) recipient.isBehind = false;
  await flushes.drained();
  assertFalse(flushes.isBusy);
  assertEquals(lastInTime(all.slice(0, 8).map(() => ({ isBehind: true }))), []);
});

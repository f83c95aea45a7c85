import { assert, assertEquals, assertFalse } from "@std/assert";
import { lastInTime, Outflow } from "../src/outflow.ts";

Deno.test("Outflow.drained() waits until the last one who was sent something has it", async () => {
  const outflow = new Outflow(() => 0);
  const last = { isBehind: true };
  outflow.sent([last]);
  assert(outflow.isBusy);
  let isOut = false;
  const drained = outflow.drained().then(() => isOut = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertFalse(isOut);
  last.isBehind = false;
  await drained;
  assertFalse(outflow.isBusy);
});

Deno.test("Outflow.drained() waits 25 ms at most, and not again for the same member", async () => {
  let now = 0;
  let asked = 0;
  const outflow = new Outflow(() => now);
  const stuck = {
    get isBehind() {
      now += 6;
      asked++;
      return true;
    },
  };
  outflow.sent([stuck]);
  await outflow.drained();
  assertEquals(asked, 5);
  await outflow.drained();
  assertEquals(asked, 5);
});

Deno.test("Outflow.sent() keeps the last one where nobody was sent anything in time", async () => {
  const outflow = new Outflow();
  assertFalse(outflow.isBusy);
  await outflow.drained();
  const last = { isBehind: true };
  outflow.sent([last]);
  outflow.sent([]);
  assert(outflow.isBusy);
  last.isBehind = false;
  await outflow.drained();
});

Deno.test("Outflow.drained() waits for nobody who is slower than the others", async () => {
  const outflow = new Outflow(() => 0);
  outflow.sent([{ isBehind: true }, { isBehind: true }, { isBehind: false }]);
  assertFalse(outflow.isBusy);
  await outflow.drained();
});

Deno.test("lastInTime() finds the last few for whom nothing waits", () => {
  const recipients = [...Array(20).keys()].map((number) => ({ number, isBehind: false }));
  const found = () => lastInTime(recipients).map(({ number }) => number);
  assertEquals(found(), [19, 18, 17]);
  for (const behind of [19, 17]) recipients[behind].isBehind = true;
  assertEquals(found(), [18, 16, 15]);
  for (const recipient of recipients.slice(-8)) recipient.isBehind = true;
  assertEquals(found(), []);
  assertEquals(lastInTime([]), []);
});

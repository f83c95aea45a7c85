import { assert, assertEquals, assertFalse } from "@std/assert";
import { Outflow } from "../src/outflow.ts";

Deno.test("Outflow.drained() waits until the last one who was sent something has it", async () => {
  const outflow = new Outflow(() => 0);
  const last = { isBehind: true };
  outflow.sent(last);
  assert(outflow.isBusy);
  let isOut = false;
  const drained = outflow.drained().then(() => isOut = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertFalse(isOut);
  last.isBehind = false;
  await drained;
  assertFalse(outflow.isBusy);
});

Deno.test("Outflow.drained() waits 10 ms at most, and not again for the same member", async () => {
  let now = 0;
  let asked = 0;
  const outflow = new Outflow(() => now);
  const stuck = {
    get isBehind() {
      now += 3;
      asked++;
      return true;
    },
  };
  outflow.sent(stuck);
  await outflow.drained();
  assertEquals(asked, 4);
  await outflow.drained();
  assertEquals(asked, 4);
});

Deno.test("Outflow.sent() keeps the last one where nobody was sent anything in time", async () => {
  const outflow = new Outflow();
  assertFalse(outflow.isBusy);
  await outflow.drained();
  const last = { isBehind: true };
  outflow.sent(last);
  outflow.sent(undefined);
  assert(outflow.isBusy);
  last.isBehind = false;
  await outflow.drained();
});

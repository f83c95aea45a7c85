import { assertEquals, assertRejects } from "@std/assert";
import { withDeadline } from "../../src/store/deadline.ts";

const TIMEOUT_MS = 300;

/** Keeps the processor, so that nothing else happens in this isolate. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

Deno.test("withDeadline() does not count time in which no answer could have been heard", async () => {
  const call = async () => {
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      block(2 * TIMEOUT_MS);
    }
    return "stored";
  };
  assertEquals(await withDeadline(TIMEOUT_MS, call, () => new Error("too slow")), "stored");
});

Deno.test("withDeadline() fails a call that is not answered, and begins anew where it goes on", async () => {
  const never = new Promise<never>(() => {});
  await assertRejects(
    () => withDeadline(TIMEOUT_MS, () => never, () => new Error("too slow")),
    Error,
    "too slow",
  );
  const steps = async (progress: () => void) => {
    for (let step = 0; step < 4; step++) {
      await new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS / 2));
      progress();
    }
    return "read";
  };
  assertEquals(await withDeadline(TIMEOUT_MS, steps, () => new Error("too slow")), "read");
});

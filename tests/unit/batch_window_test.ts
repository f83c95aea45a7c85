import { mock } from "node:test";
import { assertEquals } from "@std/assert";
import { BatchWindow } from "../../src/store/batch_window.ts";

/** A gathering whose batches take as long to go out as the test says. */
function createGathering() {
  let now = 0;
  let outMs = 0;
  const drained = () => {
    now += outMs;
    return Promise.resolve();
  };
  const batchWindow = new BatchWindow(drained, () => now);
  return {
    batchWindow,
    /** Lets a batch of so many go out in so many milliseconds. */
    async batch(count: number, ms: number) {
      for (let i = 0; i < count; i++) batchWindow.add();
      batchWindow.take(count);
      outMs = ms;
      await batchWindow.sent();
    },
    wait(ms: number) {
      now += ms;
    },
  };
}

/** Whether something has settled after some turns of the event loop, without any time. */
async function hasSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => settled = true);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  return settled;
}

Deno.test("BatchWindow.enough() waits until as many have come as were in the last batch", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { batchWindow, batch } = createGathering();
    await batch(3, 4);
    batchWindow.add();
    const enough = batchWindow.enough();
    batchWindow.add();
    assertEquals(await hasSettled(enough), false);
    batchWindow.add();
    assertEquals(await hasSettled(enough), true);
  } finally {
    mock.timers.reset();
  }
});

Deno.test("BatchWindow.enough() waits as long as the last batch took, and 10 ms at most", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    for (const [tookMs, waitMs] of [[4, 4], [1000, 10]]) {
      const { batchWindow, batch } = createGathering();
      await batch(3, tookMs);
      batchWindow.add();
      const enough = batchWindow.enough();
      mock.timers.tick(waitMs - 1);
      assertEquals(await hasSettled(enough), false);
      mock.timers.tick(1);
      assertEquals(await hasSettled(enough), true);
    }
  } finally {
    mock.timers.reset();
  }
});

Deno.test("BatchWindow.enough() waits for nothing in a quiet room", async () => {
  const { batchWindow, batch, wait } = createGathering();
  batchWindow.add();
  assertEquals(await hasSettled(batchWindow.enough()), true, "nothing went out yet");
  batchWindow.take(1);
  await batch(3, 4);
  wait(4);
  batchWindow.add();
  assertEquals(await hasSettled(batchWindow.enough()), true, "the last batch was a while ago");
  batchWindow.take(1);
  await batch(3, 0.4);
  batchWindow.add();
  assertEquals(await hasSettled(batchWindow.enough()), true, "sending costs next to nothing");
});

Deno.test("BatchWindow.enough() tries now and then whether more would come", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { batchWindow, batch } = createGathering();
    let tries = 0;
    for (let i = 0; i < 32; i++) {
      await batch(4, 8);
      for (let n = 0; n < 4; n++) batchWindow.add();
      const enough = batchWindow.enough();
      if (!await hasSettled(enough)) {
        tries++;
        mock.timers.tick(2);
        assertEquals(await hasSettled(enough), true);
      }
      batchWindow.take(4);
    }
    assertEquals(tries, 2);
  } finally {
    mock.timers.reset();
  }
});

import { assertEquals, assertRejects } from "@std/assert";
import { FairSemaphore } from "../../src/hub/fair_semaphore.ts";

Deno.test("FairSemaphore runs so many at the same time, and those of all keys in turn", async () => {
  const semaphore = new FairSemaphore(2);
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const run = (name: string) =>
    semaphore.run(name[0], async () => {
      started.push(name);
      await new Promise<void>((resolve) => ends.push(resolve));
    });
  const runs = ["a1", "a2", "a3", "a4", "b1", "c1", "b2"].map(run);
  const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
  await settled();
  assertEquals(started, ["a1", "a2"]);
  while (ends.length > 0) {
    ends.shift()!();
    await settled();
  }
  await Promise.all(runs);
  assertEquals(started, ["a1", "a2", "a3", "b1", "c1", "a4", "b2"]);
});

Deno.test("FairSemaphore gives the turn on where an action fails", async () => {
  const semaphore = new FairSemaphore(1);
  const failed = semaphore.run("a", () => Promise.reject(new Error("no")));
  const done = semaphore.run("a", () => Promise.resolve("done"));
  await assertRejects(() => failed, Error, "no");
  assertEquals(await done, "done");
});

import { assertEquals } from "@std/assert";
import { openAgain } from "../../src/store/kv/reopening.ts";
import { eventually } from "../helpers/patience.ts";

/** Tries that a test settles. */
class Tries {
  readonly begun: PromiseWithResolvers<string>[] = [];
  readonly discarded: string[] = [];
  readonly failures: string[] = [];
  readonly closing = new AbortController();

  run(): Promise<string | undefined> {
    return openAgain({
      open: () => {
        const attempt = Promise.withResolvers<string>();
        this.begun.push(attempt);
        return attempt.promise;
      },
      discard: (opened) => void this.discarded.push(opened),
      onFailure: (error) => void this.failures.push(String(error)),
      signal: this.closing.signal,
    });
  }
}

Deno.test("openAgain() begins another try beside one that hangs, and discards what comes late", async () => {
  const tries = new Tries();
  const opened = tries.run();
  await eventually(() => tries.begun.length === 3, "three tries");
  tries.begun[1].resolve("second");
  assertEquals(await opened, "second");
  tries.begun[0].resolve("first");
  tries.begun[2].reject(new Error("too late"));
  await eventually(() => tries.discarded.length === 1, "the first one to be discarded");
  assertEquals([tries.discarded, tries.failures], [["first"], []]);
});

Deno.test("openAgain() tries again after a failure, which it reports once", async () => {
  const tries = new Tries();
  const opened = tries.run();
  for (const index of [0, 1]) {
    await eventually(() => tries.begun.length > index, "a try");
    tries.begun[index].reject(new Error(`refused ${index}`));
  }
  await eventually(() => tries.begun.length > 2, "a third try");
  tries.begun[2].resolve("third");
  assertEquals(await opened, "third");
  assertEquals(tries.failures, ["Error: refused 0"]);
});

Deno.test("openAgain() ends when it is not needed any more", async () => {
  const tries = new Tries();
  const opened = tries.run();
  tries.closing.abort();
  assertEquals(await opened, undefined);
  tries.begun[0].resolve("late");
  await eventually(() => tries.discarded.length === 1, "what came late to be discarded");
  assertEquals(await tries.run(), undefined);
  assertEquals(tries.begun.length, 1);
});

import { assert } from "@std/assert";
import { mock } from "node:test";
import { eventually } from "../helpers/patience.ts";
import { numbers } from "../helpers/stored_lines.ts";
import type { TestHub } from "../helpers/test_hub.ts";
import { pause, TestIsolates } from "../helpers/test_isolates.ts";
import { TestMember } from "../helpers/test_member.ts";

/** Holds each commit of a hub until it is released. */
function holdCommits({ log }: TestHub) {
  const append = log.append.bind(log);
  let release: (() => void) | undefined;
  mock.method(log, "append", async (...given: Parameters<typeof append>) => {
    await new Promise<void>((resolve) => release = resolve);
    release = undefined;
    return await append(...given);
  });
  return {
    reached: () => eventually(() => release !== undefined, "a commit"),
    release: () => release?.(),
  };
}

Deno.test("What another isolate stores in bulk goes out together with what this one is storing", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2);
  const [ann, bob] = [new TestMember("ann"), new TestMember("bob")];
  await Promise.all([a.hub.join("lobby", ann).joined, b.hub.join("lobby", bob).joined]);
  const held = holdCommits(b);
  const isTogether = () => {
    return bob.frames.some((frame) => {
      return frame.filter(({ type }) => type === "chat_message").length === 21;
    });
  };
  // It waits for a moment alone, and the machine may be busy for longer.
  for (let round = 1; round <= 30 && !isTogether(); round++) {
    const own = b.hub.publish("lobby", "bob", { text: "own" });
    await held.reached();
    await Promise.all(numbers(20).map((text) => a.hub.publish("lobby", "ann", { text })));
    await pause(3);
    held.release();
    await own;
    await bob.until(({ said }) => said.length === round * 21);
  }
  assert(isTogether(), "they never did");
});

Deno.test("The few messages that another isolate stores wait for nothing", async () => {
  await using isolates = await TestIsolates.open();
  const [a, b] = isolates.startAll(2);
  const [ann, bob] = [new TestMember("ann"), new TestMember("bob")];
  await Promise.all([a.hub.join("lobby", ann).joined, b.hub.join("lobby", bob).joined]);
  const reads = mock.method(b.log, "after");
  const held = holdCommits(b);
  const own = b.hub.publish("lobby", "bob", { text: "own" });
  await held.reached();
  await Promise.all(numbers(3).map((text) => a.hub.publish("lobby", "ann", { text })));
  await bob.until(({ said }) => said.length === 3);
  assert(reads.mock.callCount() === 0, "they are sent as they came");
  held.release();
  await own;
});

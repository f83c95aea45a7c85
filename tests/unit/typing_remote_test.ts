import { assertEquals } from "@std/assert";
import { Typing } from "../../src/hub/typing.ts";
import { MockClock } from "../helpers/mock_clock.ts";

/** Milliseconds that typing on another isolate outlasts its time there. */
const GRACE_MS = 2_000;

/** Typing on a clock of its own, and what it told the other isolates. */
function createTyping(timeoutMs?: number) {
  const clock = new MockClock();
  const changes: string[] = [];
  const posts: string[] = [];
  const typing = new Typing({
    timeoutMs,
    onChange: (user, status) => void changes.push(`${user} ${status}`),
    onLocalChange: (user, status) => void posts.push(`${clock.now}: ${user} ${status}`),
    onLocalRefresh: (user) => void posts.push(`${clock.now}: ${user} true`),
  });
  return {
    typing,
    changes,
    posts,
    tick: (ms: number) => clock.tick(ms),
    [Symbol.dispose]: () => clock[Symbol.dispose](),
  };
}

Deno.test("Typing.start() tells other isolates at once, and again after 1.5 s at the earliest", () => {
  using clock = createTyping();
  const { typing, changes, posts, tick } = clock;
  const tab = {};
  for (let sign = 0; sign < 60; sign++) {
    typing.start(tab, "ann");
    tick(100);
  }
  const starts = [0, 1500, 3000, 4500].map((at) => `${at}: ann true`);
  assertEquals(posts, starts);
  tick(2_900);
  assertEquals(posts, [...starts, "8900: ann false"]);
  assertEquals(changes, ["ann true", "ann false"]);
});

Deno.test("Typing.start() in two tabs is told to other isolates as one", () => {
  using clock = createTyping();
  const { typing, posts, tick } = clock;
  const [tab1, tab2] = [{}, {}];
  typing.start(tab1, "ann");
  typing.start(tab2, "ann");
  tick(1_499);
  typing.start(tab2, "ann");
  typing.stop(tab1, "ann");
  assertEquals(posts, ["0: ann true"]);
  tick(1);
  typing.start(tab2, "ann");
  typing.stop(tab2, "ann");
  // Who begins anew is not told as a repetition: others may have heard the end.
  typing.start(tab1, "ann");
  typing.stop(tab1, "ann");
  assertEquals(posts.slice(1), [
    "1500: ann true",
    "1500: ann false",
    "1500: ann true",
    "1500: ann false",
  ]);
});

Deno.test("Typing.elsewhere() ends 2 s after the timeout where the stop was lost, not before", () => {
  for (const timeoutMs of [3_000, 100]) {
    using clock = createTyping(timeoutMs);
    const { typing, changes, posts, tick } = clock;
    typing.setRemote("b", "ann", true);
    tick(1_500);
    typing.setRemote("b", "ann", true);
    tick(timeoutMs + GRACE_MS - 1);
    assertEquals(changes, ["ann true"]);
    tick(1);
    assertEquals(changes, ["ann true", "ann false"]);
    assertEquals(typing.users(), []);
    assertEquals(posts, [], "what others told is not told on");
  }
});

Deno.test("Typing shows a user who types here and on other isolates until the last of it ends", () => {
  using clock = createTyping();
  const { typing, changes, posts, tick } = clock;
  const tab = {};
  typing.setRemote("b", "ann", true);
  typing.setRemote("c", "ann", true);
  typing.start(tab, "ann");
  typing.setRemote("b", "ann", false);
  typing.setRemote("b", "ann", false);
  typing.setRemote("d", "ann", false);
  typing.stop(tab, "ann");
  assertEquals(changes, ["ann true"]);
  assertEquals(posts, ["0: ann true", "0: ann false"]);
  tick(5_000);
  assertEquals(changes, ["ann true", "ann false"]);
});

Deno.test("Typing.endByMessage() ends what other isolates told, and tells anew what goes on here", () => {
  using clock = createTyping();
  const { typing, changes, posts, tick } = clock;
  typing.setRemote("b", "ann", true);
  typing.setRemote("c", "ann", true);
  typing.endByMessage("bob", false);
  typing.endByMessage("ann", true);
  assertEquals(changes, ["ann true"]);
  typing.endByMessage("ann", false);
  assertEquals(changes, ["ann true", "ann false"]);
  typing.start({}, "ann");
  typing.setRemote("b", "ann", true);
  typing.endByMessage("ann", false);
  typing.endByMessage("ann", true);
  typing.start({}, "ann");
  assertEquals(changes, ["ann true", "ann false", "ann true"]);
  assertEquals(posts, ["0: ann true", "0: ann true", "0: ann true"]);
  tick(10_000);
  assertEquals(changes.length, 4);
});

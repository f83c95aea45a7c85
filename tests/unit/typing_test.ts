import { assertEquals } from "@std/assert";
import { mock } from "node:test";
import { Typing } from "../../src/hub/typing.ts";

/** Typing on a clock of its own, and what it told: "ann true" and so on. */
function createTyping(timeoutMs?: number) {
  mock.timers.enable({ apis: ["setTimeout"] });
  const told: string[] = [];
  const onChange = (user: string, status: boolean) => void told.push(`${user} ${status}`);
  return {
    told,
    typing: new Typing({ onChange, timeoutMs }),
    tick: (ms: number) => mock.timers.tick(ms),
    [Symbol.dispose]: () => mock.timers.reset(),
  };
}

Deno.test("Typing.start() ends by itself after 3,000 ms, not 2,999", () => {
  using clock = createTyping();
  const { typing, told, tick } = clock;
  typing.start({}, "ann");
  assertEquals(told, ["ann true"]);
  tick(2999);
  assertEquals(told, ["ann true"]);
  assertEquals(typing.users(), ["ann"]);
  tick(1);
  assertEquals(told, ["ann true", "ann false"]);
  assertEquals(typing.users(), []);
  tick(10_000);
  assertEquals(told.length, 2);
});

Deno.test("Typing.start() begins the time anew with each sign, and tells nobody again", () => {
  using clock = createTyping();
  const { typing, told, tick } = clock;
  const tab = {};
  for (let sign = 0; sign < 5; sign++) {
    typing.start(tab, "ann");
    tick(2999);
  }
  assertEquals(told, ["ann true"]);
  tick(1);
  assertEquals(told, ["ann true", "ann false"]);
});

Deno.test("Typing.stop() ends it at once, and no timer says so again", () => {
  using clock = createTyping();
  const { typing, told, tick } = clock;
  const tab = {};
  typing.start(tab, "ann");
  tick(10);
  typing.stop(tab, "ann");
  typing.stop(tab, "ann");
  assertEquals(told, ["ann true", "ann false"]);
  tick(10_000);
  assertEquals(told, ["ann true", "ann false"]);
});

Deno.test("Typing.stop() of a connection that is not typing does nothing", () => {
  using clock = createTyping();
  clock.typing.stop({}, "ann");
  assertEquals(clock.told, []);
});

Deno.test("Typing starts anew after it ended", () => {
  using clock = createTyping();
  const { typing, told, tick } = clock;
  const tab = {};
  typing.start(tab, "ann");
  tick(3000);
  typing.start(tab, "ann");
  tick(2999);
  assertEquals(told, ["ann true", "ann false", "ann true"]);
  tick(1);
  assertEquals(told.at(-1), "ann false");
});

Deno.test("Typing takes a user with two tabs for typing while either is", () => {
  using clock = createTyping();
  const { typing, told, tick } = clock;
  const [left, right] = [{}, {}];
  typing.start(left, "ann");
  tick(2000);
  typing.start(right, "ann");
  tick(1000);
  assertEquals(told, ["ann true"], "the left tab's time is up, the right one's is not");
  typing.start(left, "ann");
  typing.stop(right, "ann");
  assertEquals(told, ["ann true"]);
  tick(3000);
  assertEquals(told, ["ann true", "ann false"]);
});

Deno.test("Typing keeps users apart", () => {
  using clock = createTyping();
  const { typing, told, tick } = clock;
  const [hers, his] = [{}, {}];
  typing.start(his, "bob");
  tick(1);
  typing.start(hers, "ann");
  assertEquals(typing.users(), ["ann", "bob"]);
  tick(2999);
  assertEquals(told, ["bob true", "ann true", "bob false"]);
  tick(1);
  assertEquals(told.at(-1), "ann false");
});

Deno.test("Typing takes another time", () => {
  using clock = createTyping(500);
  clock.typing.start({}, "ann");
  clock.tick(499);
  assertEquals(clock.told, ["ann true"]);
  clock.tick(1);
  assertEquals(clock.told, ["ann true", "ann false"]);
});

Deno.test("Typing.clear() forgets everybody, tells nobody and stops all timers", () => {
  using clock = createTyping();
  const { typing, told, tick } = clock;
  typing.start({}, "ann");
  typing.start({}, "bob");
  typing.clear();
  tick(10_000);
  assertEquals(typing.users(), []);
  assertEquals(told, ["ann true", "bob true"]);
});

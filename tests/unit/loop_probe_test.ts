import { assert, assertEquals } from "@std/assert";
import { LoopProbe } from "../../src/connection/loop_probe.ts";
import { eventually } from "../helpers/patience.ts";

Deno.test("LoopProbe tells how long an answer took, until it is stopped", async () => {
  const delays: number[] = [];
  const answer = Promise.withResolvers<void>();
  let asked = 0;
  let starts = 0;
  const probe = new LoopProbe({
    onDelay: (ms) => delays.push(ms),
    onStart: () => starts++,
    ask: () => ++asked === 1 ? answer.promise : Promise.resolve(),
  });
  assertEquals(asked, 0, "not before somebody wants to know");
  probe.poke();
  probe.poke();
  assertEquals([asked, delays], [1, []]);
  setTimeout(answer.resolve, 20);
  await eventually(() => delays.length === 3, () => `${delays.length} answers`);
  assert(delays[0] >= 15, `${delays[0]} ms`);
  probe.stop();
  probe.poke();
  assertEquals([asked, starts], [3, 1]);
});

import { assert, assertEquals } from "@std/assert";
import { ProcessorShares } from "../../src/access/processor_shares.ts";

/** Shares of which all is to share: answers have been fast for a while. */
function sharesOf(now: () => number = () => 0): ProcessorShares {
  const shares = new ProcessorShares({ totalMs: 400, now });
  for (let i = 0; i < 100; i++) shares.adapt(1);
  return shares;
}

Deno.test("ProcessorShares.isOver() is even, leaves one share to others, and everybody a little", () => {
  let now = 0;
  const shares = sharesOf(() => now);
  assertEquals(shares.isOver("a"), false);
  shares.charge("a", 201);
  assert(shares.isOver("a"), "more than half");
  assertEquals(shares.isOver("b"), false, "others do not wait for it");
  shares.charge("b", 180);
  now = 100;
  assert(shares.isOver("b"), "more than a third");
  shares.charge("quiet", 9);
  for (let i = 0; i < 20; i++) shares.charge(`c ${i}`, 40);
  now = 200;
  assertEquals(shares.isOver("quiet"), false, "however many there are");
  assert(shares.isOver("c 0"));
  now = 5_000;
  assertEquals(shares.isOver("a"), false, "it is forgotten");
});

Deno.test("ProcessorShares lets an address go on at the rate of its share", () => {
  let now = 0;
  const shares = sharesOf(() => now);
  let spentMs = 0;
  for (; now < 20_000; now++) {
    for (; !shares.isOver("busy"); spentMs++) shares.charge("busy", 1);
  }
  assert(Math.abs(spentMs / 20 - 200) < 20, `${spentMs / 20} ms a second`);
});

Deno.test("ProcessorShares keeps nothing of addresses that have long been quiet", () => {
  let now = 0;
  const shares = new ProcessorShares({ now: () => now });
  for (let i = 0; i < 5_000; i++, now += 100) shares.charge(`192.0.2.${i}`, 1);
  assert(shares.size <= 2_000, `${shares.size} accounts`);
});

Deno.test("ProcessorShares.adapt() leaves less to share while answers are slow", () => {
  const shares = sharesOf();
  shares.charge("192.0.2.1", 150);
  assertEquals(shares.isOver("192.0.2.1"), false);
  for (let i = 0; i < 20; i++) shares.adapt(500);
  assert(shares.isOver("192.0.2.1"));
  shares.charge("192.0.2.2", 9);
  assertEquals(shares.isOver("192.0.2.2"), false, "everybody a little");
  for (let i = 0; i < 100; i++) shares.adapt(12);
  assert(shares.isOver("192.0.2.1"), "neither slow nor fast");
  for (let i = 0; i < 100; i++) shares.adapt(1);
  assertEquals(shares.isOver("192.0.2.1"), false);
});

Deno.test("ProcessorShares.isOver() is even where somebody takes more than there is", () => {
  const shares = sharesOf();
  shares.charge("attacker", 2_000);
  for (let i = 0; i < 20; i++) shares.adapt(500);
  shares.charge("office", 60);
  assertEquals([shares.isOver("attacker"), shares.isOver("office")], [true, false]);
});

Deno.test("ProcessorShares has half to share at first, and where all was calm for a while", () => {
  const shares = new ProcessorShares({ totalMs: 400, now: () => 0 });
  shares.charge("192.0.2.1", 150);
  assert(shares.isOver("192.0.2.1"));
  for (let i = 0; i < 30; i++) shares.adapt(1);
  assertEquals(shares.isOver("192.0.2.1"), false, "answers are fast");
  shares.calm();
  assert(shares.isOver("192.0.2.1"));
});

Deno.test("ProcessorShares.adapt() leaves the less the slower answers are", () => {
  const looks = (delayMs: number) => {
    const shares = sharesOf();
    shares.charge("192.0.2.1", 60);
    let count = 0;
    for (; !shares.isOver("192.0.2.1"); count++) shares.adapt(delayMs);
    return count;
  };
  // From 200 ms to 60.
  assertEquals([looks(21), looks(400)], [6, 1 + 1]);
});

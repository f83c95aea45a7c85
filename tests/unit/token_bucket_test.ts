import { assertEquals } from "@std/assert";
import { TokenBucket } from "../../src/access/token_bucket.ts";

Deno.test("TokenBucket.take() lets a burst through, then says how long to wait", () => {
  let now = 0;
  const bucket = new TokenBucket({ perSecond: 10, burst: 3, now: () => now });
  assertEquals([bucket.take(), bucket.take(), bucket.take()], [0, 0, 0]);
  assertEquals(bucket.take(), 100);
  now = 40;
  assertEquals(bucket.take(), 60);
  now = 101;
  assertEquals(bucket.take(), 0);
  assertEquals(bucket.take(), 99);
});

Deno.test("TokenBucket.take() limits the long run", () => {
  let now = 1_000_000;
  const bucket = new TokenBucket({ perSecond: 20, burst: 40, now: () => now });
  let taken = 0;
  for (const end = now + 60_000; now < end; now++) if (bucket.take() === 0) taken++;
  assertEquals(taken, 40 + 60 * 20 - 1);
});

Deno.test("TokenBucket never holds more than a burst", () => {
  let now = 0;
  const bucket = new TokenBucket({ perSecond: 1000, burst: 2, now: () => now });
  now = 3_600_000;
  assertEquals([bucket.take(), bucket.take(), bucket.take()], [0, 0, 1]);
});

Deno.test("TokenBucket.take() tells a wait after which there is a token, at slow rates too", () => {
  let now = 0;
  const bucket = new TokenBucket({ perSecond: 0.3, burst: 1, now: () => now });
  assertEquals(bucket.take(), 0);
  const wait = bucket.take();
  assertEquals(wait, 3334);
  now += wait;
  assertEquals(bucket.take(), 0);
});

import { assert, assertEquals } from "@std/assert";
import { AddressRates } from "../../src/access/shared_rates.ts";

Deno.test("AddressRates counts envelopes and refusals of each address by themselves", () => {
  let now = 0;
  const reached: string[] = [];
  const onReached = (limit: string, address: string) => reached.push(`${limit} ${address}`);
  const rates = new AddressRates({ now: () => now, onReached });
  for (let i = 0; i < 4_000; i++) assertEquals(rates.takeEnvelope("192.0.2.1"), 0);
  assert(rates.takeEnvelope("192.0.2.1") > 0);
  assertEquals(reached, ["address_envelope_rate 192.0.2.1"]);
  assertEquals(rates.takeEnvelope("192.0.2.2"), 0, "another address");
  for (let i = 0; i < 2_000; i++) assertEquals(rates.takeRefusal("192.0.2.1"), 0);
  assert(rates.takeRefusal("192.0.2.1") > 0);
  now += 1_000;
  assertEquals([rates.takeEnvelope("192.0.2.1"), rates.takeRefusal("192.0.2.1")], [0, 0]);
});

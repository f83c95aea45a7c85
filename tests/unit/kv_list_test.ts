import { assert, assertEquals } from "@std/assert";
import { listLong, nextStep } from "../../src/store/kv/kv_list.ts";
import { numbers } from "../helpers/stored_lines.ts";

Deno.test("nextStep() asks for few values where they are long, and for no more than are wanted", () => {
  assertEquals([nextStep(100), nextStep(1), nextStep(500)], [10, 1, 10]);
  assertEquals(nextStep(100, { count: 10, bytes: 655_360 }), 2);
  assertEquals(nextStep(100, { count: 1, bytes: 65_536_000 }), 1);
  assertEquals(nextStep(100, { count: 10, bytes: 0 }), 100);
});

Deno.test("listLong() lists all values once, in either order, in steps that are short in bytes", async () => {
  using kv = await Deno.openKv(":memory:");
  const names = numbers(75).map((number) => number.padStart(2, "0"));
  for (const [index, name] of names.entries()) {
    await kv.set(["log", name], new Uint8Array(index % 3 === 0 ? 60_000 : 50));
  }
  await kv.set(["other"], new Uint8Array(1));
  const steps: number[] = [];
  const watched = new Proxy(kv, {
    get(target, name) {
      if (name !== "list") return Reflect.get(target, name);
      return (selector: Deno.KvListSelector, options: Deno.KvListOptions) => {
        steps.push(options.limit!);
        return target.list(selector, options);
      };
    },
  });
  for (const reverse of [false, true]) {
    steps.length = 0;
    const found: string[] = [];
    for await (const { key } of listLong(watched, { prefix: ["log"] }, { reverse, wanted: 100 })) {
      found.push(String(key[1]));
    }
    assertEquals(found, reverse ? names.toReversed() : names);
    assert(steps.length > 5 && steps.slice(1).every((step) => step < 100), String(steps));
  }
  for await (const _ of listLong(watched, { prefix: ["none"] }, { wanted: 100 })) assert(false);
  steps.length = 0;
  for await (const _ of listLong(watched, { prefix: ["log"] }, { wanted: 1 })) break;
  assertEquals(steps, [1]);
  // Who wants one, and passes over what comes, does not read the rest one by one.
  steps.length = 0;
  for await (const _ of listLong(watched, { prefix: ["log"] }, { wanted: 1 })) continue;
  assert(steps[0] === 1 && steps.length < 40, String(steps));
});

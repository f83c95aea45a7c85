import { assert, assertEquals, assertRejects } from "@std/assert";
import { OpeningGate } from "../../src/hub/opening_gate.ts";

Deno.test("OpeningGate.run() runs eight at a time, in order, also after a failure", async () => {
  const gate = new OpeningGate({ commit: () => undefined });
  const started: number[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const runs = Array.from({ length: 20 }, (_, i) => {
    const end = Promise.withResolvers<void>();
    ends.push(end);
    return gate.run("a", () => {
      started.push(i);
      return end.promise;
    });
  });
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  await turn();
  assertEquals(started, [0, 1, 2, 3, 4, 5, 6, 7]);
  ends[3].reject(new Error("no"));
  ends[5].resolve();
  await assertRejects(() => runs[3], Error, "no");
  await turn();
  assertEquals(started, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const { resolve } of ends) resolve();
  await Promise.allSettled(runs);
  assertEquals(started.length, 20);
});

Deno.test("OpeningGate.run() waits for the commit in flight, and not for one that hangs", async () => {
  const commit = Promise.withResolvers<void>();
  let current: Promise<void> | undefined = commit.promise;
  const gate = new OpeningGate({ commit: () => current });
  const order: string[] = [];
  const run = gate.run("a", () => Promise.resolve(order.push("opened")));
  await Promise.resolve();
  order.push("committed");
  commit.resolve();
  await run;
  assertEquals(order, ["committed", "opened"]);
  current = new Promise(() => {});
  assertEquals(await gate.run("a", () => Promise.resolve("opened")), "opened");
});

Deno.test("OpeningGate.run() lets nobody wait behind all that one address asks for", async () => {
  const gate = new OpeningGate({ commit: () => undefined });
  const order: string[] = [];
  const read = (key: string) => gate.run(key, () => Promise.resolve(order.push(key)));
  const attacker = Array.from({ length: 200 }, () => read("attacker"));
  const member = read("member");
  await Promise.all([...attacker, member]);
  assertEquals(order.length, 201);
  assert(order.indexOf("member") < 20, `it came as number ${order.indexOf("member")}`);
});

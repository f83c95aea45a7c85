// The attackers, in a process of their own: they are told in their environment where the hub is, abuse
// it until their input ends, and then say what they did and what they should not have seen.

import { ATTACKS } from "./attacks/mod.ts";
import { type Outcome, type Plan, Target } from "./target.ts";

const plan: Plan = JSON.parse(Deno.env.get("ATTACKERS_PLAN")!);
const target = new Target(plan);

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  target.surprise(`nobody handled ${event.reason}`);
});

const attacking = Promise.all(plan.attacks.map((name) => ATTACKS.get(name)!.run(target)));
for await (const _ of Deno.stdin.readable);
target.stop();
// Those that wait for an answer get it when the hub has time.
await Promise.race([attacking, new Promise((resolve) => setTimeout(resolve, 3_000))]);
const outcome: Outcome = { counts: target.counts, surprises: [...target.surprises] };
console.log(JSON.stringify(outcome));
Deno.exit(0);

// The attackers, in a worker of their own: told where the hub is, they abuse it until they are told
// to stop, and then say what they did and what they should not have seen.

import { ATTACKS } from "./attacks/mod.ts";
import { type Outcome, type Plan, Target } from "./target.ts";

declare function postMessage(message: Outcome): void;

let target: Target | undefined;

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  target?.surprise(`nobody handled ${event.reason}`);
});

addEventListener("message", async (event) => {
  const plan = (event as MessageEvent<Plan | "stop">).data;
  if (plan === "stop") return target?.stop();
  target = new Target(plan);
  await Promise.all(plan.attacks.map((name) => ATTACKS.get(name)!.run(target!)));
  postMessage({ counts: target.counts, surprises: [...target.surprises] });
});

// Runs of a seeded model from the command line, for as long as one likes:
//   [--seed N] [--runs N] [--steps N] [--members N] [--deliveries N] [--parallel N]
// Ends with 1 at the first run in which anything is wrong, and says which seed repeats it.

import { parseArgs } from "node:util";
import { inFolder } from "./folder.ts";

/** How large a run is. */
export interface ModelScale {
  readonly steps: number;
  readonly members: number;
}

/** What a run came to: its numbers are summed up. */
export interface ModelAccount {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly delivered: number;
}

/**
 * Runs seeds, and ends the process.
 *
 * @param run Runs one seed over a database at a path.
 * @param scale How large a run is where nothing else is said.
 */
export async function runModel(
  run: (seed: number, path: string, scale: ModelScale) => Promise<ModelAccount>,
  scale: ModelScale,
): Promise<never> {
  const number = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      seed: number,
      runs: number,
      steps: number,
      members: number,
      deliveries: number,
      parallel: number,
    },
  });
  const first = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  const runs = Number(values.runs ?? 20);
  const options = {
    steps: Number(values.steps ?? scale.steps),
    members: Number(values.members ?? scale.members),
  };
  const deliveries = Number(values.deliveries ?? Infinity);
  const sum: Record<string, number> = { delivered: 0 };
  let done = 0;
  let next = first;
  let isWrong = false;
  const tell = () => console.log(`from seed ${first}, ${done} runs: ${JSON.stringify(sum)}`);
  /** Most of a run is waiting: several at a time take no longer. */
  const work = async () => {
    while (next < first + runs && sum.delivered < deliveries && !isWrong) {
      const seed = next++;
      const account = await inFolder((folder) => run(seed, `${folder}/kv.sqlite3`, options));
      for (const [key, value] of Object.entries(account)) {
        if (typeof value === "number" && key !== "seed") sum[key] = (sum[key] ?? 0) + value;
      }
      if (++done % 25 === 0) tell();
      for (const violation of account.violations.slice(0, 12)) {
        console.error(`seed ${seed}: ${violation}`);
      }
      isWrong ||= account.violations.length > 0;
    }
  };
  await Promise.all(Array.from({ length: Number(values.parallel ?? 1) }, work));
  tell();
  Deno.exit(isWrong ? 1 : 0);
}

// Runs the model of people_agreement.ts for as long as one likes:
//   deno task agreement:people [--seed N] [--runs N] [--steps N] [--members N] [--deliveries N]
//     [--parallel N]
// Ends with 1 at the first run in which anything is wrong, and says which seed repeats it.

import { parseArgs } from "node:util";
import { runPeople } from "../helpers/people_agreement.ts";
import { inFolder } from "../helpers/folder.ts";

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
const options = { steps: Number(values.steps ?? 200), members: Number(values.members ?? 8) };
const deliveries = Number(values.deliveries ?? Infinity);
const sum = {
  delivered: 0,
  controls: 0,
  putOut: 0,
  refused: 0,
  roomsDeleted: 0,
  erased: 0,
  killed: 0,
  dropped: 0,
};
let done = 0;
let next = first;
let isWrong = false;
/** Most of a run is waiting: several at a time take no longer. */
async function work(): Promise<void> {
  while (next < first + runs && sum.delivered < deliveries && !isWrong) {
    const seed = next++;
    const account = await inFolder((folder) => runPeople(seed, `${folder}/kv.sqlite3`, options));
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += account[key];
    if (++done % 25 === 0) tell();
    for (const violation of account.violations.slice(0, 12)) {
      console.error(`seed ${seed}: ${violation}`);
    }
    isWrong ||= account.violations.length > 0;
  }
}
function tell(): void {
  console.log(`from seed ${first}, ${done} runs: ${JSON.stringify(sum)}`);
}
await Promise.all(Array.from({ length: Number(values.parallel ?? 1) }, work));
tell();
Deno.exit(isWrong ? 1 : 0);

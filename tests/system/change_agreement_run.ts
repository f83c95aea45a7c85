// Runs the model of change_agreement.ts for as long as one likes:
//   deno task agreement:changes [--seed N] [--runs N]
// Ends with 1 at the first run in which anything is wrong, and says which seed repeats it.

import { parseArgs } from "node:util";
import { runChanges } from "../helpers/change_agreement.ts";
import { inFolder } from "../helpers/folder.ts";

const { values } = parseArgs({ options: { seed: { type: "string" }, runs: { type: "string" } } });
const first = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const runs = Number(values.runs ?? 20);
const sum = { delivered: 0, changes: 0, deleted: 0, killed: 0, resumed: 0, dropped: 0 };
let done = 0;
for (let seed = first; seed < first + runs; seed++) {
  const account = await inFolder((folder) => runChanges(seed, `${folder}/kv.sqlite3`));
  for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += account[key];
  done++;
  for (const violation of account.violations.slice(0, 12)) {
    console.error(`seed ${seed}: ${violation}`);
  }
  if (account.violations.length > 0) break;
}
console.log(`from seed ${first}, ${done} runs: ${JSON.stringify(sum)}`);
Deno.exit(done < runs ? 1 : 0);

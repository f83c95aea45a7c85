// Runs the model of change_agreement.ts for as long as one likes:
//   deno task agreement:changes [--seed N] [--runs N] [--steps N] [--members N] [--deliveries N]
//     [--parallel N]

import { runChanges } from "../helpers/change_agreement.ts";
import { runModel } from "../helpers/model_runs.ts";

await runModel(runChanges, { steps: 250, members: 5 });

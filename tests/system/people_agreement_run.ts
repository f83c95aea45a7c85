// Runs the model of people_agreement.ts for as long as one likes:
//   deno task agreement:people [--seed N] [--runs N] [--steps N] [--members N] [--deliveries N]
//     [--parallel N]

import { runModel } from "../helpers/model_runs.ts";
import { runPeople } from "../helpers/people_agreement.ts";

await runModel(runPeople, { steps: 200, members: 8 });

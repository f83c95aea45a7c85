// How cost grows: with the members of a room, with rooms, with messages in flight, with isolates,
// with the length of a log.
//
//   deno task curves [members] [rooms] [flight] [isolates] [log] [plot]
//       [--rounds 3] [--seconds 2]
//
// Without names it measures everything, which takes some minutes. What was measured goes into
// curves.json, and what was not stays there as it was; curves.svg is then drawn from it by gnuplot,
// which `plot` alone does too. Needs two processors, cc, setsid and taskset.

import { parseArgs } from "node:util";
import { type Curve, type CurveName, Curves } from "./curve_file.ts";
import { runIsolates } from "./isolates_sweep.ts";
import { Load } from "./load.ts";
import { runLogSizes } from "./log_sweep.ts";
import { describeMachine } from "./machine.ts";
import { drawCurves } from "./plot.ts";
import { runSweep, type StepOptions } from "./sweeps.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "2" },
  },
});
const names = Curves.namesOf(positionals);
const options: StepOptions = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
if (!(options.rounds >= 1 && options.seconds > 0)) {
  throw new RangeError("--rounds must be 1 or more, --seconds above 0");
}

const folder = await Deno.makeTempDir({ prefix: "hubbub-bench-" });
try {
  const curves = await Curves.read();
  const machine = await describeMachine();
  for (const name of names) {
    const command = `deno task curves ${name} --rounds ${options.rounds} ` +
      `--seconds ${options.seconds}`;
    const points = await measure(name);
    await curves.put(name, { date: new Date().toISOString(), machine, command, points });
  }
  await drawCurves(curves, folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function measure(name: CurveName): Promise<Curve["points"]> {
  switch (name) {
    case "members":
    case "rooms":
    case "flight":
      return await runSweep(await Load.compile(folder), name, options);
    case "isolates":
      return await runIsolates(await Load.compile(folder), options);
    case "log":
      return await runLogSizes(options);
  }
}

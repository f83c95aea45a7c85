import { parseArgs } from "node:util";
import { runStorm } from "../helpers/client_storm.ts";
import { runRoomsStorm } from "../helpers/rooms_storm.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "10" },
    messages: { type: "string", default: "10000" },
    faults: { type: "string", default: "200" },
    kills: { type: "string", default: "3" },
    rooms: { type: "string", default: "0" },
  },
});
const folder = await Deno.makeTempDir({ prefix: "hubbub-" });
try {
  const first = Number(values.seed);
  for (let seed = first; seed < first + Number(values.runs); seed++) {
    const options = {
      seed,
      messages: Number(values.messages),
      faults: Number(values.faults),
      kills: Number(values.kills),
      folder,
    };
    const rooms = Number(values.rooms);
    const report = rooms > 0 ? await runRoomsStorm({ ...options, rooms }) : await runStorm(options);
    console.log(`seed ${seed}: ${JSON.stringify(report)}`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}

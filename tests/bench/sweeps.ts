import { PROTOCOL_V1, PROTOCOL_V1_LINES } from "@hubbub/hub/protocol";
import type { Figures, Load } from "./load.ts";
import { LoadedServer } from "./loaded_server.ts";

/** What one step of a sweep measured, and what of. */
export type LoadPoint = Figures & {
  /** The subprotocol. */
  readonly protocol: string;
  /** The options of wsload. */
  readonly load: string;
  /** What the sweep varies. */
  readonly x: number;
};

/** How each step is measured. */
export interface StepOptions {
  /** Seconds of sending. */
  readonly seconds: number;
  /** Runs, of which the median counts. */
  readonly rounds: number;
}

/** What is varied, and what wsload is told for it. */
interface Sweep {
  readonly values: readonly number[];
  readonly load: (value: number) => string;
}

/** Under each of them the server is a different one: it may put messages together, or not. */
const PROTOCOLS = [PROTOCOL_V1, PROTOCOL_V1_LINES];
const SERVER_PROCESSORS = "0";
const LOAD_PROCESSORS = "1";

/** What can be swept, by name. */
export const SWEEPS: Readonly<Record<"members" | "rooms" | "flight", Sweep>> = {
  /** One room, ever fuller. */
  members: {
    values: [10, 30, 100, 300, 900],
    load: (members) => `-n ${members} -s 4 -w 64`,
  },
  /** 1,000 members over ever more rooms, two of each room's members sending. */
  rooms: {
    values: [1, 5, 20, 100, 500],
    load: (rooms) => `-n 1000 -r ${rooms} -s ${2 * rooms} -w 8`,
  },
  /** One room of 500, with ever more messages on their way. */
  flight: {
    values: [1, 2, 4, 8, 16, 32, 64],
    load: (inFlight) => `-n 500 -s 4 -w ${inFlight}`,
  },
};

/**
 * Runs one sweep under both subprotocols; the server has processor 0, the load processor 1.
 *
 * @param load What makes the load.
 * @param name Which sweep.
 * @param options How each step is measured.
 * @returns The points, protocol by protocol.
 * @throws {Error} Where the hub loses anything.
 */
export async function runSweep(
  load: Load,
  name: keyof typeof SWEEPS,
  { seconds, rounds }: StepOptions,
): Promise<LoadPoint[]> {
  const points: LoadPoint[] = [];
  for (const protocol of PROTOCOLS) {
    for (const x of SWEEPS[name].values) {
      await using server = await LoadedServer.startHub({ processors: SERVER_PROCESSORS });
      const options = `${SWEEPS[name].load(x)} -d ${seconds}`;
      const figures = await load.median(server, rounds, {
        options,
        protocol,
        processors: LOAD_PROCESSORS,
      });
      points.push({ x, protocol, load: options, ...figures });
      console.log(`${name} ${x}, ${protocol}: ${figures.out_per_s} deliveries a second`);
    }
  }
  return points;
}

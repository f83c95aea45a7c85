import { PROTOCOL_V1, PROTOCOL_V1_LINES } from "@hubbub/hub/protocol";
import type { Load } from "./load.ts";
import { LoadedServer } from "./loaded_server.ts";
import type { LoadPoint, StepOptions } from "./sweeps.ts";

/**
 * Server and load share both processors, and two isolates gain what the load leaves: where it takes
 * `L` µs for each delivery and one isolate `S`, two that need no more are `2S / (S + L)` times one.
 * The load is made cheap: it reads some of the connections and lets the kernel drop what the others
 * get (wsload's `-k`), and with lines many messages come in a frame.
 */
const PROCESSORS = "0,1";

/** By what is loaded: the subprotocol, and what wsload is told. */
const LOADS: readonly {
  readonly rooms: string;
  readonly protocol: string;
  readonly load: string;
}[] = [
  { rooms: "one room", protocol: PROTOCOL_V1_LINES, load: "-n 900 -s 16 -w 64 -k 30" },
  { rooms: "20 rooms", protocol: PROTOCOL_V1_LINES, load: "-n 1000 -r 20 -s 100 -w 64 -k 10" },
  { rooms: "one room", protocol: PROTOCOL_V1, load: "-n 500 -s 16 -w 16 -k 10" },
  { rooms: "20 rooms", protocol: PROTOCOL_V1, load: "-n 500 -r 20 -s 100 -w 8 -k 5" },
];

/** What one or two isolates did under a load. */
export type IsolatesPoint = LoadPoint & {
  /** Over how many rooms the members are spread. */
  readonly rooms_text: string;
  /** Deliveries a second as a multiple of those of one isolate under this load. */
  readonly ratio: number;
  /** What it would be if two isolates took as much CPU for a delivery as one. */
  readonly ratio_expected: number;
};

/**
 * Measures one isolate (`main.ts`) and two (`parallel.ts`) under the same loads.
 *
 * @param load What makes the load.
 * @param options How each step is measured.
 * @returns The points; `x` is the number of isolates.
 * @throws {Error} Where the hub loses anything.
 */
export async function runIsolates(
  load: Load,
  { seconds, rounds }: StepOptions,
): Promise<IsolatesPoint[]> {
  const points: IsolatesPoint[] = [];
  for (const { rooms, protocol, load: text } of LOADS) {
    const options = `${text} -d ${seconds}`;
    const measure = async (isolates: number): Promise<LoadPoint> => {
      await using server = await LoadedServer.startHub({ processors: PROCESSORS, isolates });
      const loadOptions = { options, protocol, processors: PROCESSORS };
      const figures = await load.median(server, rounds, loadOptions);
      return { x: isolates, protocol, load: options, ...figures };
    };
    const one = await measure(1);
    const two = await measure(2);
    const { cpu_us_per_delivery: server, load_us_per_delivery: own } = one;
    const ratio_expected = round(2 * server / (server + own));
    for (const point of [one, two]) {
      const ratio = round(point.out_per_s / one.out_per_s);
      points.push({ ...point, rooms_text: rooms, ratio, ratio_expected });
    }
    console.log(
      `isolates, ${rooms}, ${protocol}: two are ${points.at(-1)?.ratio} times one, ` +
        `${ratio_expected} were expected; the server's CPU for a delivery is ` +
        `${round(two.cpu_us_per_delivery / server)} times as much, ` +
        `with ${two.messages_per_frame} messages in a frame instead of ${one.messages_per_frame}`,
    );
  }
  return points;
}

function round(value: number): number {
  return Number(value.toFixed(2));
}

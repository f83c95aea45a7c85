// The hub and its peers in turn under the same load: medians, and how they compare.
//
//   deno task compare [--peers bun,deno_raw,node_ws,socketio,gorilla] [--rounds 3]
//       [--load='-n 500 -w 64 -d 3'] [--protocol hubbub.v1,hubbub.v1.lines,hubbub.v2]
//       [--hub COMMAND] [--port PORT]
//
// The server gets processor 0, the load processor 1. The hub is this checkout's main.ts with a new
// database file, ten messages in room0 and no limit on messages; COMMAND starts another one, which is told PORT,
// HUBBUB_KV and HUBBUB_MESSAGES_PER_SECOND, or listens at --port. Peers store nothing. They go into
// the folder PEERS_HOME, by default one under the system's temporary folder; gorilla needs Go. What
// cannot be installed is left out, and said so. Ends with 1 where the hub loses anything.

import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { PROTOCOL_V1, PROTOCOL_V1_LINES, PROTOCOL_V2 } from "@hubbub/hub/protocol";
import { type Figure, type Figures, Load, type LoadOptions } from "./load.ts";
import { loadIn, lostOf, median, medianFigures } from "./load.ts";
import { LoadedServer } from "./loaded_server.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { PEER_NAMES, Peers } from "./peers.ts";

const SERVER_PROCESSORS = "0";
const LOAD_PROCESSORS = "1";

/** Messages that the first room has from before. */
const HISTORY = 10;

/** What is printed of each server, and compared. */
const COLUMNS: readonly Figure[] = [
  "out_per_s",
  "in_per_s",
  "cpu_us_per_delivery",
  "cpu_us_per_message",
  "messages_per_frame",
  "p50_ms",
  "p99_ms",
  "kib_per_conn",
  "connect_per_s",
];

/** Who takes part. */
interface Contestant {
  readonly name: string;
  readonly isHub: boolean;
  readonly start: () => Promise<LoadedServer>;
  readonly load: Pick<LoadOptions, "path" | "message" | "init" | "protocol">;
}

/** A contestant, and what each round measured. */
interface Result {
  readonly name: string;
  readonly isHub: boolean;
  readonly rounds: Figures[];
}

const { values } = parseArgs({
  options: {
    peers: { type: "string", default: PEER_NAMES.join() },
    rounds: { type: "string", default: "3" },
    load: { type: "string", default: "-n 500 -w 64 -d 3" },
    protocol: { type: "string", default: `${PROTOCOL_V1},${PROTOCOL_V1_LINES},${PROTOCOL_V2}` },
    hub: { type: "string" },
    port: { type: "string" },
  },
});
const rounds = Number(values.rounds);
if (!(Number.isInteger(rounds) && rounds > 0)) throw new RangeError("--rounds must be 1 or more");

const home = Deno.env.get("PEERS_HOME") ?? `${tmpdir()}/hubbub-peers`;
await Deno.mkdir(home, { recursive: true });
const load = await Load.compile(home);
const peers = await Peers.install(split(values.peers), {
  home,
  onMissing: (name, error) => console.log(`left out: ${name}: ${messageOf(error)}`),
});
const contestants = [
  ...peers.names.map((name): Contestant => ({
    name,
    isHub: false,
    start: () => peers.start(name, SERVER_PROCESSORS),
    load: peers.loadOf(name),
  })),
  ...split(values.protocol).map((protocol): Contestant => ({
    name: `hub, ${protocol}`,
    isHub: true,
    start: startHub,
    load: loadIn(protocol),
  })),
];
const results = await measureAll(contestants);
console.log(machineLine(await describeMachine()));
console.log(`load: ${values.load}, median of ${rounds} rounds`);
print(results);
const lost = results.filter(({ isHub }) => isHub).flatMap(({ name, rounds }) => {
  const sum = rounds.reduce((sum, figures) => sum + lostOf(figures) + figures.closed, 0);
  return sum > 0 ? [`${name}: ${sum} deliveries or connections lost`] : [];
});
for (const line of lost) console.error(line);
Deno.exit(lost.length > 0 ? 1 : 0);

/** In turn, so that what else happens on the machine hits everybody. */
async function measureAll(contestants: readonly Contestant[]): Promise<Result[]> {
  const results = contestants.map(({ name, isHub }): Result => ({ name, isHub, rounds: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const [place, contestant] of contestants.entries()) {
      await using server = await contestant.start();
      const options = { ...contestant.load, options: values.load, processors: LOAD_PROCESSORS };
      results[place].rounds.push(await load.run(server, options));
    }
  }
  return results;
}

async function startHub(): Promise<LoadedServer> {
  const processors = SERVER_PROCESSORS;
  const port = values.port === undefined ? undefined : Number(values.port);
  const server =
    await (values.hub === undefined
      ? LoadedServer.startHub({ processors })
      : LoadedServer.startLine(values.hub, { processors, port }));
  // Whoever joins gets a history, which no peer has.
  const url = `http://127.0.0.1:${server.port}/rooms/room0/messages`;
  for (let i = 0; i < HISTORY; i++) {
    const body = JSON.stringify({ user: "earlier", text: "hello everyone in this room" });
    const response = await fetch(url, { method: "POST", body });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`POST to the room was answered with ${response.status}`);
  }
  return server;
}

function print(results: readonly Result[]): void {
  const rows = results.map(({ name, rounds }) => {
    const figures = medianFigures(rounds);
    const lost = rounds.reduce((sum, round) => sum + lostOf(round), 0);
    return [name, ...COLUMNS.map((column) => String(figures[column])), String(lost)];
  });
  printTable([["server", ...COLUMNS, "lost"], ...rows]);
  const hubs = results.filter(({ isHub }) => isHub);
  for (const hub of hubs) {
    const compared = results.filter(({ isHub }) => !isHub).map((peer) => {
      const ratios = (column: Figure) =>
        hub.rounds.map((figures, round) => figures[column] / peer.rounds[round][column]);
      const byRound = ratios("out_per_s").map((ratio) => ratio.toFixed(2)).join(" ");
      return [
        `/ ${peer.name}`,
        ...COLUMNS.map((column) => median(ratios(column)).toFixed(2)),
        byRound,
      ];
    });
    if (compared.length === 0) continue;
    console.log("");
    printTable([[hub.name, ...COLUMNS, "out_per_s by round"], ...compared]);
  }
}

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    const [first, ...others] = row.map((cell, column) => {
      return column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]);
    });
    console.log([first, ...others].join("  "));
  }
}

function split(list: string): string[] {
  return list.split(",").map((name) => name.trim()).filter(Boolean);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

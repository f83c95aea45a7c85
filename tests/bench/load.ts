import { PROTOCOL_V2 } from "@hubbub/hub/protocol";
import type { LoadedServer } from "./loaded_server.ts";

const SOURCE = new URL("wsload.c", import.meta.url).pathname;
/** The status with which wsload says that a message did not reach every member. */
const LOST = 3;

/** The text of the hub's load, with wsload's stamp in it. */
export const HUB_MESSAGE =
  '{"type":"chat_message","payload":{"text":"%t hello everyone in this room"}}';
/** Where the hub's rooms are. */
export const HUB_PATH = "/rooms/room%r/ws?user=u%c";

/**
 * Who speaks protocol 2 joins the room on a connection to the hub.
 *
 * @param protocol The subprotocol.
 * @returns What is different from a connection to a room.
 */
export function loadIn(
  protocol: string,
): Pick<LoadOptions, "path" | "message" | "init" | "protocol"> {
  if (protocol !== PROTOCOL_V2) return { protocol };
  return {
    protocol,
    path: "/ws?user=u%c",
    init: ['{"type":"join","room":"room%r"}'],
    message: HUB_MESSAGE.replace(",", ',"room":"room%r",'),
  };
}

/** What wsload measures, as its own comment explains. */
export const FIGURES = [
  "conns",
  "rooms",
  "connect_per_s",
  "kib_per_conn",
  "sent",
  "delivered",
  "expected",
  "closed",
  "in_per_s",
  "out_per_s",
  "cpu_us_per_delivery",
  "cpu_us_per_message",
  "p50_ms",
  "p99_ms",
  "bytes_per_delivery",
  "load_us_per_delivery",
  "messages_per_frame",
] as const;

/** One of them. */
export type Figure = typeof FIGURES[number];

/** What one run measured. */
export type Figures = Readonly<Record<Figure, number>>;

/** Whom to load, and how. */
export interface LoadOptions {
  /** The options of wsload: `-n 500 -w 64 -d 3`. */
  readonly options: string;
  /** The processors that it may use, as `taskset` takes them. */
  readonly processors: string;
  /** The path of the rooms, with wsload's `%r` and `%c`. @default {HUB_PATH} */
  readonly path?: string;
  /** What is sent, with wsload's `%t`. @default {HUB_MESSAGE} */
  readonly message?: string;
  /** What every connection sends first. @default {nothing} */
  readonly init?: readonly string[];
  /** The subprotocol that is asked for. @default {none} */
  readonly protocol?: string;
}

/** The load that `wsload.c` makes. */
export class Load {
  readonly #program: string;

  private constructor(program: string) {
    this.#program = program;
  }

  /**
   * Compiles it.
   *
   * @param folder Where the program goes.
   */
  static async compile(folder: string): Promise<Load> {
    const program = `${folder}/wsload`;
    const args = ["-O2", "-o", program, SOURCE];
    const { success } = await new Deno.Command("cc", { args, stdout: "inherit" }).output();
    if (!success) throw new Error("wsload.c could not be compiled");
    return new Load(program);
  }

  /**
   * Loads a server once.
   *
   * @returns What was measured, also where something was lost: see {@linkcode lostOf}.
   * @throws {Error} Where the server refuses a connection.
   */
  async run(server: LoadedServer, options: LoadOptions): Promise<Figures> {
    const { path = HUB_PATH, message = HUB_MESSAGE, init = [], protocol } = options;
    const args = ["-c", options.processors, this.#program, ...options.options.trim().split(/\s+/)];
    args.push("-p", String(server.session));
    if (protocol !== undefined) args.push("-P", protocol);
    args.push(String(server.port), path, message, ...init);
    const { code, stdout, stderr } = await new Deno.Command("taskset", { args }).output();
    if (code !== 0 && code !== LOST) {
      throw new Error(`wsload ended with ${code}: ${new TextDecoder().decode(stderr)}`);
    }
    return parseFigures(new TextDecoder().decode(stdout));
  }

  /**
   * Loads a server that must lose nothing, several times.
   *
   * @returns The median of each figure.
   * @throws {Error} Where a connection closed, or a message did not reach every member.
   */
  async median(server: LoadedServer, rounds: number, options: LoadOptions): Promise<Figures> {
    const runs: Figures[] = [];
    for (let round = 0; round < rounds; round++) {
      const figures = await this.run(server, options);
      const { closed } = figures;
      const lost = lostOf(figures);
      if (closed > 0 || lost > 0) {
        throw new Error(
          `${options.options}: ${closed} connections closed, ${lost} deliveries lost`,
        );
      }
      runs.push(figures);
    }
    return medianFigures(runs);
  }
}

/** How many deliveries were expected and did not come. */
export function lostOf({ expected, delivered }: Figures): number {
  return expected - delivered;
}

/** The median of each figure of several runs. */
export function medianFigures(runs: readonly Figures[]): Figures {
  const medians = FIGURES.map((name) => [name, median(runs.map((figures) => figures[name]))]);
  return Object.fromEntries(medians) as Figures;
}

/** The middle one of numbers; of an even count the greater of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function parseFigures(line: string): Figures {
  const pairs = line.trim().split(" ").map((pair) => pair.split("="));
  const figures = Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)]));
  const missing = FIGURES.find((name) => !Number.isFinite(figures[name]));
  if (missing) throw new Error(`wsload tells no ${missing}: "${line}"`);
  return figures as Figures;
}

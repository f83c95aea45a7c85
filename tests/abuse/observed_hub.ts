import { HubProcess } from "../helpers/hub_process.ts";
import { signWithSecret } from "../helpers/tokens.ts";
import { at, sorted } from "./numbers.ts";

/** Open files that a hub may have: as many as one kind of attacker can use up, or not all of them. */
const DESCRIPTORS = 4_096;
const DESCRIPTORS_FOR_ALL = 16_384;

/** How an {@linkcode ObservedHub} is started. */
export interface ObservedHubOptions {
  /** Who may enter. */
  readonly entry: Entry;
  /** Whether all attackers come together. @default {false} */
  readonly isForAll?: boolean;
  /** The directory for a profile of its processor time. @default {none} */
  readonly profile?: string;
}

const SECRET = "0123456789abcdef0123456789abcdef";
/** What Deno itself writes where streams of HTTP/2 are reset as soon as they are opened. */
const RUNTIME_LINE = /^recv_reset; remotely-reset/;
/** Milliseconds for which the hub's own routes must answer, whatever happens. */
const PATIENCE_MS = 30_000;

/** Who may enter a hub: everybody under any name, or who has a token. */
export type Entry = "open" | "tokens";

/** A hub on all addresses of this machine, in a process of its own, and what it tells of itself. */
export class ObservedHub implements AsyncDisposable {
  readonly entry: Entry;
  readonly #process: HubProcess;
  readonly #directory: string;
  readonly #residents: number[] = [];
  #last: ReadonlyMap<string, number> = new Map();

  private constructor(process: HubProcess, entry: Entry, directory: string) {
    this.#process = process;
    this.entry = entry;
    this.#directory = directory;
  }

  /**
   * Starts one as `deno task start` does, with few descriptors.
   *
   * @param options Who may enter, and what is done to it.
   */
  static async start(options: ObservedHubOptions): Promise<ObservedHub> {
    const { entry, isForAll = false, profile } = options;
    const descriptors = isForAll ? DESCRIPTORS_FOR_ALL : DESCRIPTORS;
    const directory = await Deno.makeTempDir();
    const kv = `${directory}/log`;
    const environment = {
      // As in the task: what was freed goes back to the system.
      MALLOC_TRIM_THRESHOLD_: "131072",
      MALLOC_MMAP_THRESHOLD_: "32768",
      HOST: "0.0.0.0",
      HUBBUB_KV: kv,
      ...(entry === "open" ? { HUBBUB_OPEN: "1" } : { HUBBUB_JWT_SECRET: SECRET }),
    };
    const args = [
      "run",
      ...(profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]),
      "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=100",
      "--no-prompt",
      "--allow-net",
      "--allow-env",
      `--allow-read=${kv},${kv}.lock`,
      `--allow-write=${kv},${kv}.lock`,
      "main.ts",
      `--descriptors=${descriptors}`,
    ];
    const script = `ulimit -n ${descriptors} && exec "$0" "$@"`;
    const process = await HubProcess.start(
      environment,
      ["-c", script, Deno.execPath(), ...args],
      "sh",
    );
    return new ObservedHub(process, entry, directory);
  }

  /** The number of its process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Its address as seen from one of this machine's. */
  urlFrom(address: string): string {
    return `http://${address}:${this.#process.port}`;
  }

  /** A token of a user; empty where the hub wants none. */
  async tokenOf(user: string): Promise<string> {
    if (this.entry === "open") return "";
    const exp = Math.floor(Date.now() / 1000) + 24 * 60 * 60;
    return await signWithSecret({ sub: user, exp }, SECRET);
  }

  /** Asks for its memory and its counters. */
  async sample(): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const text = await (await fetch(`${this.urlFrom("127.0.0.1")}/metrics`, { signal })).text();
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    this.#last = new Map(lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space))];
    }));
    this.#residents.push(this.#last.get("process_resident_memory_bytes") ?? NaN);
  }

  /** Its resident memory since the last call: median, highest, newest. */
  takeResidents(): { readonly median: number; readonly most: number; readonly last: number } {
    const all = this.#residents.splice(0);
    return { median: at(sorted(all), 0.5), most: Math.max(...all), last: all.at(-1) ?? NaN };
  }

  /** A metric, as of the last sample. */
  metric(name: string): number {
    return this.#last.get(name) ?? NaN;
  }

  /** The counters of limits and closes that moved, by name. */
  counters(): string {
    const shown = [...this.#last].filter(([name, value]) => {
      return value > 0 && /refused|limited|closed|cut|rejected|conflated|too_slow|lost/.test(name);
    });
    return shown.map(([name, value]) => `${name.replace(/^hubbub_/, "")} ${value}`).join(", ");
  }

  /** What is wrong with it; empty where it is well. */
  async ailments(): Promise<string[]> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      const answer = await fetch(`${this.urlFrom("127.0.0.1")}/health`, { signal });
      const health = await answer.json();
      return health.status === "ok" ? [] : [`health: ${JSON.stringify(health)}`];
    } catch (error) {
      return [`health: ${error}`];
    }
  }

  /** Stops it in order; returns what was wrong, in its log too. */
  async stop(mayFail: ReadonlySet<string>): Promise<string[]> {
    const problems: string[] = [];
    const { code, tookMs } = await this.#process.stop("SIGTERM");
    if (code !== 0) problems.push(`the hub ended with ${code}`);
    if (tookMs > 5_000) problems.push(`the hub took ${Math.round(tookMs)} ms to stop`);
    for (const line of this.#process.lines) {
      if (!line.startsWith("{") && !RUNTIME_LINE.test(line)) {
        problems.push(`not a line of JSON: ${line.slice(0, 200)}`);
      }
    }
    for (const event of this.#process.events) {
      if (event.level === "error" && !mayFail.has(String(event.event))) {
        problems.push(JSON.stringify(event).slice(0, 300));
      }
    }
    return problems;
  }

  /** How often it logged what, and the limits that it named, with their addresses. */
  logged(): string {
    const counts: Record<string, number> = {};
    for (const { event, limit, address } of this.#process.events) {
      const name = limit === undefined ? `${event}` : `${limit} by ${address ?? "nobody known"}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ");
  }

  /** The bytes of log lines that it wrote. */
  get loggedBytes(): number {
    return this.#process.lines.reduce((sum, line) => sum + line.length + 1, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

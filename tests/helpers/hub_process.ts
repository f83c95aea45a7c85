import { within } from "./patience.ts";
import { Stopwatch } from "./stopwatch.ts";
import { TextLineStream } from "./text_lines.ts";

/** A chat server in a process of its own, started as `deno task start` does. */
export class HubProcess implements AsyncDisposable {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** What it wrote: its log, and anything else. */
  readonly lines: string[];
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;

  private constructor(process: Deno.ChildProcess, started: Started) {
    this.#process = process;
    this.url = started.url;
    this.lines = started.lines;
    this.#reading = started.reading;
  }

  /**
   * Starts one, and waits until it listens.
   *
   * @param environment Its configuration.
   * @param args What to give deno. @default {as `deno task start` does}
   * @param command What to run with them.
   */
  static async start(
    environment: Readonly<Record<string, string>>,
    args: readonly string[] = startArgs(environment.HUBBUB_KV),
    command = Deno.execPath(),
  ): Promise<HubProcess> {
    const process = new Deno.Command(command, {
      args: [...args],
      env: { PORT: "0", ...environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new HubProcess(process, await untilStarted(process));
  }

  /** What it logged, in order. */
  get events(): Record<string, unknown>[] {
    return this.lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  /** Waits until it has logged an event. */
  async logged(event: string, patienceMs = 30_000): Promise<Record<string, unknown>> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const found = this.events.find((logged) => logged.event === event);
      if (found) return found;
      if (performance.now() > until) {
        throw new Error(`It never logged "${event}", but:\n${this.lines.join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The port it listens on. */
  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Waits for the end, and for its last line. */
  async end(): Promise<Deno.CommandStatus> {
    const status = await within(this.#process.status, () => `the end: ${this.lines.join("\n")}`);
    await this.#reading;
    return status;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Sends it a signal, which takes no permission to kill other processes. */
  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /**
   * Sends a signal, and waits for the end.
   *
   * @returns How it ended, and after how many milliseconds, those left out in which the machine was
   * busy with something else.
   */
  async stop(signal: Deno.Signal): Promise<Deno.CommandStatus & { readonly tookMs: number }> {
    using watch = new Stopwatch();
    this.#process.kill(signal);
    const status = await within(this.#process.status, () => `the end: ${this.lines.join("\n")}`);
    const tookMs = watch.ms;
    await this.#reading;
    return { ...status, tookMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.end();
  }
}

/**
 * Runs a server that is not to start, to its end.
 *
 * @returns The code that it ended with, and what it wrote.
 */
export async function failToStart(
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = startArgs(environment.HUBBUB_KV),
): Promise<{ code: number; lines: string[] }> {
  const env = { PORT: "0", ...environment };
  const command = new Deno.Command(Deno.execPath(), { args: [...args], env, stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return { code, lines: text.split("\n").filter((line) => line !== "") };
}

function startArgs(files: string): string[] {
  const allowed = [
    "--allow-net",
    "--allow-env",
    `--allow-read=${files},${files}-wal,${files}.lock`,
    `--allow-write=${files},${files}.lock`,
  ];
  return ["run", "--no-prompt", ...allowed, "main.ts"];
}

interface Started {
  readonly url: string;
  readonly lines: string[];
  readonly reading: Promise<unknown>;
}

function untilStarted(process: Deno.ChildProcess): Promise<Started> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      for await (const line of stream.pipeThrough(new TextLineStream())) {
        lines.push(line);
        if (!line.includes('"event":"started"')) continue;
        const url = String(JSON.parse(line).url).replace(/\/$/, "");
        resolve({ url, lines, reading });
      }
    };
    const reading: Promise<unknown> = Promise.all([read(process.stdout), read(process.stderr)]);
    void reading.then(
      () => reject(new Error(`The hub did not start:\n${lines.join("\n")}`)),
      reject,
    );
  });
}

import { deadline } from "@std/async/deadline";

const ROOT = new URL("../..", import.meta.url).pathname;
/** Milliseconds that a command has for whatever is expected of it; npm may have to fetch it. */
const PATIENCE_MS = 60_000;
/** Milliseconds that a command has to its end: a build, on a machine whose processors are all busy. */
const END_PATIENCE_MS = 180_000;

/** Where a {@linkcode Shell} runs. */
export interface ShellOptions {
  /** More variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder. @default {that of this project} */
  readonly folder?: string;
}

/** A command line as a person types it. */
export class Shell implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reading: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  /** What it has written. */
  output = "";

  /**
   * Starts it.
   *
   * @param line The command line; the shell becomes the command, so that a signal reaches it.
   * @param options Where it runs.
   */
  constructor(line: string, options: ShellOptions = {}) {
    const { env, folder = ROOT } = options;
    this.#child = new Deno.Command("sh", {
      args: ["-c", `exec ${line}`],
      cwd: folder,
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = Promise.all([this.#read(this.#child.stdout), this.#read(this.#child.stderr)]);
  }

  /**
   * Runs a command line to its end.
   *
   * @param line The command line.
   * @param options Where it runs.
   * @returns What it wrote, to both outputs.
   * @throws {Error} Where it fails.
   */
  static async run(line: string, options: ShellOptions = {}): Promise<string> {
    await using shell = new Shell(line, options);
    await shell.endInput();
    const { success, code } = await deadline(shell.#child.status, END_PATIENCE_MS);
    await shell.#reading;
    if (!success) throw new Error(`"${line}" ended with ${code}:\n${shell.output}`);
    return shell.output;
  }

  /** Waits until it has written something that a pattern finds. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve, reject) => {
      const check = () => {
        const match = pattern.exec(this.output);
        if (match) resolve(match);
      };
      this.#waiting.add(check);
      check();
      void this.#reading.then(() => reject(new Error("It has ended")));
    });
    try {
      return await deadline(found, PATIENCE_MS);
    } catch (cause) {
      throw new Error(`It never wrote ${pattern}, but:\n${this.output}`, { cause });
    }
  }

  /** Types a line. */
  async type(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(line + "\n"));
  }

  /** Says that nothing more is typed. */
  async endInput(): Promise<void> {
    await this.#input.close();
  }

  /** Sends a signal. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    this.#child.kill(signal);
    const status = await this.#child.status;
    await this.#reading;
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    await this.#reading;
    await this.#input.abort().catch(() => {});
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.output += text;
      for (const check of this.#waiting) check();
    }
  }
}

/** Tells whether the shell knows a command; says so where it does not. */
export async function hasCommand(name: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${name}`] }).output();
  if (!success) console.warn(`The test of ${name} is ignored: there is none here`);
  return success;
}

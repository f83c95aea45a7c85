import { TextLineStream } from "./text_lines.ts";
import { within } from "./patience.ts";

const FOLDER = new URL("../../examples/", import.meta.url);

/** One of the programs in examples, which import the package by its name, in a process. */
export class ExampleProgram implements AsyncDisposable {
  /** What it wrote so far. */
  readonly lines: string[] = [];
  /** What Deno said about it, such as where it listens. */
  readonly remarks: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  /**
   * Starts one.
   *
   * @param name The name of its file.
   * @param args What it is given.
   */
  constructor(name: string, ...args: string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net=127.0.0.1", ...filesOf(args), name, ...args],
      cwd: FOLDER,
      env: { NO_COLOR: "1", DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { stdout, stderr } = this.#process;
    const reading = [this.#read(stdout, this.lines), this.#read(stderr, this.remarks)];
    this.#reading = Promise.all(reading).then(() => {
      this.#hasEnded = true;
      this.#look();
    });
  }

  /** Waits until it listens at so many addresses, and gives them. */
  async addresses(count: number): Promise<string[]> {
    const find = () =>
      this.remarks.flatMap((line) => /^Listening on (\S+)\/ ?$/.exec(line)?.[1] ?? []);
    await this.until(() => find().length >= count);
    return find();
  }

  /** Waits until what it wrote is as it should be. */
  async until(holds: (lines: readonly string[]) => boolean): Promise<void> {
    const held = new Promise<void>((resolve, reject) => {
      const check = () => {
        const isAsItShould = holds(this.lines);
        if (!isAsItShould && !this.#hasEnded) return;
        this.#waiting.delete(check);
        if (isAsItShould) resolve();
        else reject(new Error(`The program ended: ${[...this.remarks, ...this.lines].join("\n")}`));
      };
      this.#waiting.add(check);
      check();
    });
    await within(held, () => `${holds}; it wrote ${[...this.remarks, ...this.lines].join("\n")}`);
  }

  /** Ends its input. */
  async endInput(): Promise<void> {
    await this.#process.stdin.close();
  }

  /** Waits for its end, after a signal where one is given. */
  async end(signal?: Deno.Signal): Promise<number> {
    if (signal) this.#process.kill(signal);
    const { code } = await within(this.#process.status, "the end of the program");
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.end();
    await this.#process.stdin.close().catch(() => {});
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>, into: string[]): Promise<void> {
    for await (const line of stream.pipeThrough(new TextLineStream())) {
      into.push(line);
      this.#look();
    }
  }

  #look(): void {
    for (const check of this.#waiting) check();
  }
}

/** The permission for the database among a program's arguments. */
function filesOf(args: readonly string[]): string[] {
  const file = args.find((arg) => arg.endsWith(".sqlite3"));
  const folder = args.find((arg) => arg.endsWith("/dist"));
  return [
    ...(file === undefined ? [] : [`--allow-read=${file}`, `--allow-write=${file}`]),
    ...(folder === undefined ? [] : [`--allow-read=${folder}`]),
  ];
}

/** Checks the types of all of them as their own configuration resolves the package. */
export async function checkExamples(): Promise<{ code: number; said: string }> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "."],
    cwd: FOLDER,
    env: { NO_COLOR: "1" },
  }).output();
  return { code, said: new TextDecoder().decode(stderr) };
}

/** Reads one of them, without its comments and empty lines. */
export async function codeLines(name: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(name, FOLDER));
  return text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("//"));
}

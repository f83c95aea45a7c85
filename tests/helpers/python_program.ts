import { TextLineStream } from "./text_lines.ts";
import { eventually, PATIENCE_MS, within } from "./patience.ts";

const ROOT = new URL("../../", import.meta.url);
/** Where Python may be. */
const PYTHON = "python3";

/**
 * Tells whether Python is there with a package; says so where it is not.
 *
 * @param name The package.
 * @param what What needs it.
 */
export function pythonWith(name: string, what: string): boolean {
  if (Deno.permissions.querySync({ name: "run", command: PYTHON }).state !== "granted") {
    return false;
  }
  try {
    const { success } = new Deno.Command(PYTHON, {
      args: ["-c", `import ${name}`],
      stdout: "null",
      stderr: "null",
    }).outputSync();
    if (success) return true;
  } catch {
    // There is no Python.
  }
  console.warn(`Tests of ${what} are ignored: they need Python with "pip install ${name}"`);
  return false;
}

/** A program in Python, in a process. */
export class PythonProgram implements AsyncDisposable {
  /** What it wrote so far. */
  readonly lines: string[] = [];
  /** What it complained of. */
  readonly remarks: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reading: Promise<unknown>;

  /** Starts it in the folder of this repository. */
  constructor(...args: string[]) {
    this.#process = new Deno.Command(PYTHON, {
      args,
      cwd: ROOT,
      env: { NO_COLOR: "1", PYTHONUTF8: "1", PYTHONDONTWRITEBYTECODE: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    const { stdout, stderr } = this.#process;
    const reading = [this.#read(stdout, this.lines), this.#read(stderr, this.remarks)];
    this.#reading = Promise.all(reading);
  }

  /** Waits until it wrote a line. */
  async until(line: string): Promise<void> {
    await eventually(
      () => this.lines.includes(line),
      () => `"${line}", but it wrote ${[...this.lines, ...this.remarks].join("\n")}`,
    );
  }

  /** Gives it something to read. */
  async write(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Ends its input. */
  async endInput(): Promise<void> {
    await this.#input.close();
  }

  /** Waits for its end, and gives its code. */
  async end(patienceMs = 6 * PATIENCE_MS): Promise<number> {
    const { code } = await within(this.#process.status, "the end of the program", patienceMs);
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
    await this.#input.close().catch(() => {});
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>, into: string[]): Promise<void> {
    for await (const line of stream.pipeThrough(new TextLineStream())) into.push(line);
  }
}

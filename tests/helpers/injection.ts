import { needs } from "./permissions.ts";
import { TextLineStream } from "./text_lines.ts";

/** What a test says where strace may not attach to a process. */
export const NOT_ATTACHED = "Nothing was tried: strace may not attach to a process here";

/** What strace makes of the system calls of a process, from its start to `end()`. */
export class Injection implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #attached: Promise<boolean>;
  readonly #reading: Promise<void>;

  constructor(pid: number, fault: string) {
    const [call] = fault.split(":");
    this.#process = new Deno.Command("strace", {
      args: ["-f", "-p", String(pid), "-e", `trace=${call}`, "-e", `inject=${fault}`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#attached = promise;
    const read = async () => {
      const lines = this.#process.stderr.pipeThrough(new TextLineStream());
      // The rest is read so that strace never waits for us.
      for await (const line of lines) if (line.includes(" attached")) resolve(true);
      resolve(false);
    };
    this.#reading = read();
  }

  /** Resolves when the fault is in force; false where this system does not let strace attach. */
  get attached(): Promise<boolean> {
    return this.#attached;
  }

  async end(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended already, as it does with the process.
    }
    await this.#process.status;
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** Whether a test can have strace run a program; says so where it cannot. */
export function canTrace(): boolean {
  if (!hasStrace()) return false;
  const args = ["-o", "/dev/null", "-f", "sh", "-c", ":"];
  const silent = { stdout: "null", stderr: "null" } as const;
  if (new Deno.Command("strace", { args, ...silent }).outputSync().success) return true;
  console.warn(NOT_ATTACHED);
  return false;
}

/** Whether a test can use strace; says so where it cannot. */
export function hasStrace(): boolean {
  const { ignore } = needs("run", "net", "read", "write", "env");
  if (ignore) return false;
  try {
    return new Deno.Command("strace", { args: ["-V"], stdout: "null" }).outputSync().success;
  } catch {
    console.warn("Tests that need strace are ignored: it is not there, or may not be run");
    return false;
  }
}

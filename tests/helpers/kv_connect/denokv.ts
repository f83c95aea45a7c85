// The KV server of Deno itself, for tests that are to run against it where it is there:
// DENOKV=/path/to/denokv deno test -A …

import { eventually } from "../patience.ts";
import { ACCESS_TOKEN } from "./connect_server.ts";

/** The program, where one is named; undefined where there is none, or it may not be run. */
export const DENOKV: string | undefined = findDenokv();

function findDenokv(): string | undefined {
  const mayAsk = Deno.permissions.querySync({ name: "env", variable: "DENOKV" });
  const path = mayAsk.state === "granted" ? Deno.env.get("DENOKV") : undefined;
  if (!path) return undefined;
  const mayRun = Deno.permissions.querySync({ name: "run", command: path });
  return mayRun.state === "granted" ? path : undefined;
}

/** A running KV server. */
export class Denokv implements AsyncDisposable {
  readonly #path: string;
  readonly #port: number;
  #process: Deno.ChildProcess;

  private constructor(path: string, port: number) {
    this.#path = path;
    this.#port = port;
    this.#process = spawn(path, port);
  }

  /**
   * Starts one, and waits until it listens.
   *
   * @param path The database's file.
   */
  static async start(path: string): Promise<Denokv> {
    const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = probe.addr;
    probe.close();
    const denokv = new Denokv(path, port);
    await denokv.#listening();
    return denokv;
  }

  /** Where it is. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Sends it a signal. */
  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Kills it and starts it again, over the same database and at the same port. */
  async restart(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    this.#process = spawn(this.#path, this.#port);
    await this.#listening();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  async #listening(): Promise<void> {
    await eventually(async () => {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.#port })).close();
        return true;
      } catch {
        return false;
      }
    }, "denokv to listen");
  }
}

function spawn(path: string, port: number): Deno.ChildProcess {
  const serve = ["serve", "--addr", `127.0.0.1:${port}`, "--access-token", ACCESS_TOKEN];
  return new Deno.Command(DENOKV!, {
    args: ["--sqlite-path", path, ...serve],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

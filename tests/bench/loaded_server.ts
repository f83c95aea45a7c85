import { TextLineStream } from "../helpers/text_lines.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** Milliseconds within which a server must have started. */
const START_MS = 15_000;
/** Milliseconds between two looks whether it listens. */
const LOOK_MS = 50;

/** How to start a server. */
export interface ServerOptions {
  /** The processors that it may use, as `taskset` takes them: `0`, `0,1`. */
  readonly processors: string;
  /** Where to run it. @default {the folder of this project} */
  readonly cwd?: string;
  /** More variables; `PORT` is one of them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it listens. @default {any free port} */
  readonly port?: number;
  /** What it writes once it has started. @default {undefined} its port is tried */
  readonly says?: string;
}

/** How to start this project's hub. */
export interface HubOptions {
  /** The processors that it may use. */
  readonly processors: string;
  /** More than 1 start `parallel.ts`. @default {1} */
  readonly isolates?: number;
  /** The path of its database. @default {a new one, which goes with the server} */
  readonly kv?: string;
}

/** A server that is to be put under load: a session of its own, on its own processors. */
export class LoadedServer implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #folder: string | undefined;

  private constructor(process: Deno.ChildProcess, port: number, reading: Promise<void>) {
    this.#process = process;
    this.port = port;
    this.#reading = reading;
  }

  /**
   * Starts a server, and waits until it has.
   *
   * @param command The program and its arguments.
   * @throws {Error} Where it ends, or has not started in time.
   */
  static async start(command: readonly string[], options: ServerOptions): Promise<LoadedServer> {
    const { processors, cwd = ROOT, env, port = freePort(), says } = options;
    const process = new Deno.Command("setsid", {
      args: ["taskset", "-c", processors, ...command],
      cwd,
      env: { NO_COLOR: "1", ...env, PORT: String(port) },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const started = Promise.withResolvers<void>();
    const reading = readLines(process.stdout, (line) => {
      if (says !== undefined && line.includes(says)) started.resolve();
    });
    const server = new LoadedServer(process, port, reading);
    if (says === undefined) void server.#untilItListens().then(started.resolve);
    const name = command.join(" ");
    const timer = setTimeout(() => started.reject(new Error(`Too late: ${name}`)), START_MS);
    void reading.then(() => started.reject(new Error(`It has ended: ${name}`)));
    try {
      await started.promise;
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Starts the hub of this checkout, without a limit on messages. */
  static async startHub(options: HubOptions): Promise<LoadedServer> {
    const { processors, isolates = 1 } = options;
    const folder = options.kv === undefined ? await makeFolder() : undefined;
    const server = await LoadedServer.start(hubCommand(isolates), {
      processors,
      env: hubEnvironment(options.kv ?? `${folder}/kv.sqlite3`, isolates),
      says: '"event":"started"',
    });
    server.#folder = folder;
    return server;
  }

  /**
   * Starts a hub by a command line of somebody else's.
   *
   * @param line The command line; it runs in the folder that this was started in.
   * @param port Where it listens. @default {where `PORT` says}
   */
  static async startLine(
    line: string,
    { processors, port }: { readonly processors: string; readonly port?: number },
  ): Promise<LoadedServer> {
    const folder = await makeFolder();
    const env = hubEnvironment(`${folder}/kv.sqlite3`, 1);
    const options = { processors, port, env, cwd: Deno.cwd() };
    const server = await LoadedServer.start(["sh", "-c", `exec ${line}`], options);
    server.#folder = folder;
    return server;
  }

  /** The session that all of its processes are in. */
  get session(): number {
    return this.#process.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // All of the session's processes: a command line may have started more than one.
    await new Deno.Command("kill", { args: ["-KILL", "--", `-${this.session}`], stderr: "null" })
      .output();
    await this.#process.status;
    await this.#reading;
    if (this.#folder !== undefined) await Deno.remove(this.#folder, { recursive: true });
  }

  async #untilItListens(): Promise<void> {
    for (let hasEnded = false; !hasEnded;) {
      void this.#process.status.then(() => hasEnded = true);
      try {
        using _connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    }
  }
}

function hubCommand(isolates: number): string[] {
  const allow = ["--allow-net", "--allow-env", "--allow-read", "--allow-write"];
  const module = isolates > 1 ? "parallel.ts" : "main.ts";
  // As the tasks do.
  const flags = ["--v8-flags=--max-semi-space-size=4,--heap-growing-percent=100", "--no-prompt"];
  return [Deno.execPath(), "run", ...flags, ...allow, module];
}

function hubEnvironment(kv: string, isolates: number): Record<string, string> {
  return { HUBBUB_KV: kv, HUBBUB_MESSAGES_PER_SECOND: "0", DENO_JOBS: String(isolates) };
}

function makeFolder(): Promise<string> {
  return Deno.makeTempDir({ prefix: "hubbub-bench-" });
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
): Promise<void> {
  for await (const line of stream.pipeThrough(new TextLineStream())) take(line);
}

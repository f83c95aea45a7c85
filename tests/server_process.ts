import { deadline } from "@std/async/deadline";

/** Milliseconds within which a server must have started. */
const START_MS = 20_000;

const ROOT = new URL("..", import.meta.url).pathname;

/** The server as `deno task start` runs it, in a process of its own. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  /** The lines of its log so far. */
  readonly lines: Record<string, unknown>[];
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  private constructor(
    child: Deno.ChildProcess,
    lines: Record<string, unknown>[],
    rest: { readonly url: string; readonly reading: Promise<void> },
  ) {
    this.#child = child;
    this.lines = lines;
    this.url = rest.url;
    this.#reading = rest.reading;
  }

  /**
   * Starts a server on a free port and waits until it listens.
   *
   * @param kv The path of its database.
   * @param environment More variables.
   */
  static async start(kv: string, environment: Record<string, string> = {}): Promise<ServerProcess> {
    const child = spawn(kv, environment);
    const lines: Record<string, unknown>[] = [];
    const started = Promise.withResolvers<string>();
    const reading = readLines(child.stdout, (line) => {
      lines.push(line);
      if (line.event === "started") started.resolve(String(line.url));
    }).finally(() => started.reject(new Error(`It did not start: ${JSON.stringify(lines)}`)));
    const url = await deadline(started.promise, START_MS);
    return new ServerProcess(child, lines, { url: url.replace(/\/$/, ""), reading });
  }

  /** The port it listens on. */
  get port(): number {
    return Number(new URL(this.url).port);
  }

  /**
   * Sends a signal and waits for the end.
   *
   * @returns How it ended, and after how many milliseconds.
   */
  async end(signal: Deno.Signal): Promise<{ status: Deno.CommandStatus; tookMs: number }> {
    const startedAt = performance.now();
    this.#child.kill(signal);
    const status = await this.#child.status;
    const tookMs = performance.now() - startedAt;
    await this.#reading;
    return { status, tookMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    await this.#reading;
  }
}

/** Runs the server where it is not to start, and gives what it said before it ended. */
export async function failToStart(
  environment: Record<string, string>,
): Promise<{ code: number; lines: Record<string, unknown>[] }> {
  const child = spawn(":memory:", environment);
  const lines: Record<string, unknown>[] = [];
  await readLines(child.stdout, (line) => lines.push(line));
  return { code: (await child.status).code, lines };
}

function spawn(kv: string, environment: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--allow-env", "--allow-read", "--allow-write"]
      .concat("main.ts"),
    cwd: ROOT,
    env: { PORT: "0", HOST: "127.0.0.1", HUBBUB_KV: kv, NO_COLOR: "1", ...environment },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: Record<string, unknown>) => void,
): Promise<void> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(JSON.parse(line));
  }
}

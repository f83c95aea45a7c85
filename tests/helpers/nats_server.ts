import { freePorts } from "./reverse_proxy.ts";
import { hasCommand, Shell } from "./shell.ts";

/** Whether there is a nats-server here; a file that needs one asks before it registers its tests. */
export async function hasNats(): Promise<boolean> {
  const run = await Deno.permissions.query({ name: "run", command: "sh" });
  return run.state === "granted" && await hasCommand("nats-server");
}

/** A real nats-server in a process of its own, at a free port of this machine. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #args: string;
  readonly #namespace: string | undefined;
  #shell: Shell | undefined;

  private constructor(port: number, args: string, namespace?: string) {
    this.port = port;
    this.#args = args;
    this.#namespace = namespace;
  }

  /**
   * Starts one, and waits until it listens.
   *
   * @param args More arguments.
   * @param namespace The network namespace that it listens in, at all addresses; this one by default.
   */
  static async start(args = "", namespace?: string): Promise<NatsServer> {
    const [port] = freePorts(1);
    const server = new NatsServer(port, args, namespace);
    await server.start();
    return server;
  }

  /** Its address. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts it again, at the same port. */
  async start(): Promise<void> {
    const namespace = this.#namespace;
    const run = namespace === undefined
      ? "nats-server -a 127.0.0.1"
      : `ip netns exec ${namespace} nats-server -a 0.0.0.0`;
    this.#shell = new Shell(`${run} -p ${this.port} ${this.#args}`);
    await this.#shell.until(/Server is ready/);
  }

  /** Ends it; SIGKILL ends it at once. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    await this.#shell?.stop(signal);
    await this.#shell?.[Symbol.asyncDispose]();
    this.#shell = undefined;
  }

  /** Sends it a signal, such as SIGSTOP, which freezes it with its connections open. */
  signal(signal: Deno.Signal): void {
    this.#shell?.signal(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    await this.stop();
  }
}

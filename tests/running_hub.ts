import { createServer, Hub, type HubOptions, type Logger, RoomLog } from "@hubbub/hub";
import type { Server } from "@hubbub/hub";

/** A hub behind HTTP on a free port of 127.0.0.1, for as long as a test needs it. */
export class RunningHub implements AsyncDisposable {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** The hub itself. */
  readonly hub: Hub;
  /** What it logged as a warning or worse. */
  readonly complaints: string[] = [];
  readonly #kv: Deno.Kv;
  readonly #ownsKv: boolean;
  readonly #server: Server;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  #stopping: Promise<void> | undefined;

  private constructor(kv: Deno.Kv, options: StartOptions) {
    this.#kv = kv;
    this.#ownsKv = options.kv === undefined;
    const logger: Logger = (level, event, fields) => {
      if (level !== "info") this.complaints.push(`${event} ${JSON.stringify(fields)}`);
    };
    this.hub = new Hub(new RoomLog(kv), { ...options, logger });
    this.#server = createServer(this.hub, { logger });
    const { port = 0 } = options;
    const onListen = () => {};
    const listen = { hostname: "127.0.0.1", port, onListen };
    this.#http = Deno.serve(listen, this.#server.fetch);
    this.url = `http://127.0.0.1:${this.#http.addr.port}`;
  }

  /** Starts one. */
  static async start(options: StartOptions = {}): Promise<RunningHub> {
    return new RunningHub(options.kv ?? await Deno.openKv(":memory:"), options);
  }

  /** The port it listens on. */
  get port(): number {
    return this.#http.addr.port;
  }

  /** Stops it as a signal would. */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    await this.#server.drain();
    await this.#http.shutdown();
    if (this.#ownsKv) this.#kv.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** How a hub is started. */
export interface StartOptions extends Omit<HubOptions, "logger"> {
  /** Where its log is; the test closes it. @default {a database in memory of its own} */
  readonly kv?: Deno.Kv;
  /** Where to listen: that of one that has stopped. @default {0, any} */
  readonly port?: number;
}

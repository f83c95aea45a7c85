/**
 * A listening socket that is opened again when `accept` fails.
 *
 * @module
 */

import type { Logger } from "../telemetry/logger.ts";
import { StartError } from "./start_error.ts";

/** Milliseconds after which an open listener counts as one that works. */
const STABLE_MS = 5_000;
/** Milliseconds between two tries, at most. */
const TRY_MAX_MS = 1_000;
/**
 * Milliseconds without a descriptor after which all connections are closed: most of them are then
 * connections on which nobody asks for anything, which nothing else can close. Members come back.
 */
const CLOSE_CONNECTIONS_MS = 5_000;
/** Milliseconds of failing after which there is no listener any more. */
const GIVE_UP_MS = 10_000;
/** Former servers, with connections of their own, that are kept for {@linkcode Listener.shutdown}. */
const FORMER_MAX = 100;

/** Answers a request. */
type Handler = (request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => Promise<Response>;

/** Options of {@linkcode Listener}. */
export interface ListenerOptions {
  /** A name or an address of this machine. */
  readonly hostname: string;
  /** A TCP port, 0 for any free one. */
  readonly port: number;
  /** Whether other isolates listen at the same port. */
  readonly reusePort: boolean;
  /** Receives operational events. */
  readonly logger: Logger;
  /** Called once where the listener is closed for good although nobody shut it down. */
  readonly onClosed: () => void;
  /** Called each time that it listens again. @default {none} */
  readonly onReopened?: () => void;
  /** How a server is started. @default {Deno.serve} */
  readonly serve?: (
    options: Deno.ServeTcpOptions,
    handler: Handler,
  ) => Pick<Deno.HttpServer<Deno.NetAddr>, "addr" | "finished" | "shutdown">;
  /** Milliseconds without a descriptor after which all connections are closed. @default {5000} */
  readonly closeConnectionsMs?: number;
  /** Milliseconds of failing after which it is given up. @default {10000} */
  readonly giveUpMs?: number;
}

type Http = ReturnType<NonNullable<ListenerOptions["serve"]>>;

/**
 * An HTTP listener that outlives failures of `accept`.
 *
 * `Deno.serve` closes its listener, for ever and without a word, when `accept` fails: where the
 * process is out of descriptors (EMFILE), or at once for errors of one connection (ECONNABORTED).
 * Its open connections live on. So this opens another one at the same address, waits for
 * descriptors where there are none, and says so where it cannot.
 *
 * @example
 * ```ts
 * import { Listener } from "./listener.ts";
 *
 * const listener = new Listener(() => Promise.resolve(new Response("hello")), {
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   reusePort: false,
 *   logger: console.log,
 *   onClosed: () => Deno.exit(1),
 * });
 * console.log(listener.address.port);
 * await listener.shutdown();
 * ```
 */
export class Listener {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  readonly #handler: Handler;
  readonly #options: ListenerOptions;
  readonly #former: Http[] = [];
  #http: Http;
  #openedAt = 0;
  /** Since when each listener closed soon, unused. */
  #failingSince: number | undefined;
  /** Since when nobody has got in for want of descriptors. */
  #starvingSince: number | undefined;
  /** Whether connections were closed and nobody has got in since. */
  #hasClosedConnections = false;
  #isShutDown = false;

  /**
   * Listens.
   *
   * @param handler Answers requests.
   * @param options Where to listen, and who is told when it ends.
   * @throws {StartError} Where the address cannot be listened at.
   */
  constructor(handler: Handler, options: ListenerOptions) {
    this.#handler = handler;
    this.#options = options;
    const { hostname, port } = options;
    try {
      this.#http = this.#open(port);
    } catch (cause) {
      throw new StartError("listen_failed", { host: hostname, port }, cause);
    }
    this.address = this.#http.addr;
  }

  /**
   * Stops listening, and closes connections when their answers have gone out.
   *
   * @returns Settles when all connections are closed: never, where a peer is stuck.
   */
  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    await Promise.all([...this.#former, this.#http].map((http) => http.shutdown()));
  }

  #open(port: number): Http {
    const { hostname, reusePort, serve = Deno.serve } = this.#options;
    const http: Http = serve({ hostname, port, reusePort, onListen() {} }, (request, info) => {
      if (http === this.#http) {
        this.#failingSince = this.#starvingSince = undefined;
        this.#hasClosedConnections = false;
      }
      return this.#handler(request, info);
    });
    this.#openedAt = performance.now();
    const closed = (error?: unknown) => void this.#reopen(error);
    http.finished.then(() => closed(), closed);
    return http;
  }

  async #reopen(error: unknown = "The listener closed by itself"): Promise<void> {
    const { logger, onClosed, onReopened, giveUpMs = GIVE_UP_MS } = this.#options;
    const { closeConnectionsMs = CLOSE_CONNECTIONS_MS } = this.#options;
    if (this.#isShutDown) return;
    const now = performance.now();
    if (now - this.#openedAt > STABLE_MS) this.#failingSince = undefined;
    this.#failingSince ??= now;
    this.#former.push(this.#http);
    if (this.#former.length > FORMER_MAX) this.#former.shift();
    logger("error", "accept_failed", { error });
    for (;;) {
      if (isDescriptorError(error)) this.#starvingSince ??= performance.now();
      const starvingMs = performance.now() - (this.#starvingSince ?? Infinity);
      if (starvingMs > closeConnectionsMs) this.#closeConnections();
      const failingMs = performance.now() - this.#failingSince;
      if (failingMs > giveUpMs) return onClosed();
      await new Promise((resolve) => setTimeout(resolve, Math.min(failingMs / 4, TRY_MAX_MS)));
      if (this.#isShutDown) return;
      try {
        this.#http = this.#open(this.address.port);
        logger("info", "listening_again", { port: this.address.port });
        return onReopened?.();
      } catch (failure) {
        error = failure;
      }
    }
  }

  #closeConnections(): void {
    this.#starvingSince = undefined;
    // It gets its time to help, once: on a busy machine the next try may be seconds away.
    if (!this.#hasClosedConnections) this.#failingSince = performance.now();
    this.#hasClosedConnections = true;
    this.#options.logger("error", "connections_closed", { reason: "No descriptor is left" });
    for (const http of this.#former.splice(0)) void http.shutdown().catch(() => {});
  }
}

/** Whether an error says that no descriptor is left: EMFILE (24) or ENFILE (23). */
function isDescriptorError(error: unknown): boolean {
  return /\(os error 2[34]\)/.test(String(error));
}

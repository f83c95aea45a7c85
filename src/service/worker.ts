/**
 * A worker that serves, as the main thread sees it.
 *
 * @module
 */

import type { MetricsSnapshot } from "../telemetry/prometheus.ts";
import { untilReleased } from "./process_lock.ts";
import { StartError } from "./start_error.ts";
import type { FromWorker, ToWorker } from "./worker_messages.ts";

/** Milliseconds between two pings of each worker. */
const PING_MS = 2_000;
/** Milliseconds without an answer after which a worker counts as dead. */
const PING_TIMEOUT_MS = 20_000;
/** Milliseconds that it may take until it answers for the first time: it loads its modules. */
const START_TIMEOUT_MS = 60_000;

/** Options of {@linkcode ServerWorker}. */
export interface ServerWorkerOptions {
  /** Name of the worker. */
  readonly name: string;
  /** Milliseconds between two pings. @default {2000} */
  readonly pingMs?: number;
  /** Milliseconds without an answer after which it counts as dead. @default {20000} */
  readonly pingTimeoutMs?: number;
  /** Milliseconds until its first answer after which it counts as dead. @default {60000} */
  readonly startTimeoutMs?: number;
  /** Called once where it dies after its start: an event for the log, and why. */
  readonly onDeath: (event: string, reason: string) => void;
  /** Reads the counters of the other workers. */
  readonly countOthers: () => Promise<MetricsSnapshot[]>;
}

/** A worker that serves, seen from the main thread: started, stopped, asked, and watched. */
export class ServerWorker {
  readonly #worker: Worker;
  readonly #pingMs: number;
  readonly #pingTimeoutMs: number;
  /** Milliseconds without an answer that it is granted now. */
  #patienceMs: number;
  readonly #options: ServerWorkerOptions;
  readonly #counters: ((snapshot: MetricsSnapshot | undefined) => void)[] = [];
  readonly #started = Promise.withResolvers<number>();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #lock = `hubbub worker ${crypto.randomUUID()}`;
  readonly #end = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  /** Milliseconds without an answer, those not counted in which this thread was not running. */
  #silenceMs = 0;
  #pingedAt = performance.now();
  #hasStarted = false;
  #isDead = false;

  /**
   * Starts the worker, and watches it from now on.
   *
   * @param module The URL of a module that calls {@linkcode serveAsWorker}.
   * @param options How it is watched.
   */
  constructor(module: string | URL, options: ServerWorkerOptions) {
    const { name, pingMs = PING_MS, pingTimeoutMs = PING_TIMEOUT_MS } = options;
    this.#pingMs = pingMs;
    this.#pingTimeoutMs = pingTimeoutMs;
    this.#patienceMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
    this.#options = options;
    this.#worker = new Worker(module, { type: "module", name });
    this.#worker.onmessage = ({ data }) => this.#receive(data as FromWorker);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#die("isolate_died", {}, event.message);
    };
    this.#timer = setInterval(() => this.#ping(), pingMs);
    // Nobody may be waiting when it fails.
    this.#started.promise.catch(() => {});
  }

  /**
   * Has it listen.
   *
   * @param port A TCP port, 0 for any free one.
   * @param maxConnections The connections that it may hold.
   * @returns The port at which it listens.
   * @throws {StartError} Where it cannot.
   */
  start(port: number, maxConnections: number): Promise<number> {
    this.#tell({ kind: "start", port, maxConnections, lock: this.#lock });
    return this.#started.promise;
  }

  /** Stops it in order; settles also where it has died. */
  async stop(): Promise<void> {
    this.#tell({ kind: "stop" });
    await this.#stopped.promise;
  }

  /** Ends it at once, and watches it no longer. */
  terminate(): void {
    this.#isDead = true;
    clearInterval(this.#timer);
    this.#end.abort();
    this.#worker.terminate();
    this.#stopped.resolve();
  }

  /** Reads its counters: undefined before it serves. */
  count(): Promise<MetricsSnapshot | undefined> {
    return new Promise((resolve) => {
      this.#counters.push(resolve);
      this.#tell({ kind: "count" });
    });
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #ping(): void {
    const now = performance.now();
    // A process that was stopped for a while (Ctrl+Z, docker pause) comes back to this timer first:
    // the worker was stopped too, and is asked once more.
    this.#silenceMs += Math.min(now - this.#pingedAt, 2 * this.#pingMs);
    this.#pingedAt = now;
    if (this.#silenceMs <= this.#patienceMs) return this.#tell({ kind: "ping" });
    const seconds = Math.round(this.#silenceMs / 1000);
    this.#die("isolate_died", {}, `It has not answered for ${seconds} s`);
  }

  #receive(message: FromWorker): void {
    this.#silenceMs = 0;
    this.#patienceMs = this.#pingTimeoutMs;
    switch (message.kind) {
      case "locked":
        return void this.#waitForEnd();
      case "started":
        this.#hasStarted = true;
        return this.#started.resolve(message.port);
      case "stopped":
        return this.#stopped.resolve();
      case "failed":
        return this.#die(message.event, message.fields, message.reason);
      case "alive":
        return;
      case "count":
        return this.#counters.shift()?.(message.snapshot);
      case "ask":
        return void this.#options.countOthers().then((snapshots) => {
          this.#tell({ kind: "counts", snapshots });
        });
    }
  }

  /** A worker that closes itself says nothing, but lets go of its lock. */
  async #waitForEnd(): Promise<void> {
    const hasEnded = await untilReleased(this.#lock, this.#end.signal);
    if (hasEnded) this.#die("isolate_died", {}, "It has ended by itself");
  }

  #die(event: string, fields: Readonly<Record<string, unknown>>, reason: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#stopped.resolve();
    if (this.#hasStarted) this.#options.onDeath(event, reason);
    else {
      const about = { ...fields, isolate: this.#options.name };
      this.#started.reject(new StartError(event, about, reason));
    }
  }
}

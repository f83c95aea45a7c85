/**
 * One of several isolates that serve, as the main thread sees it: told what to do, asked what it
 * has counted, and watched.
 *
 * @module
 */

import type { MetricsSnapshot } from "../telemetry/prometheus.ts";
import type { FromWorker, ToWorker } from "./worker_messages.ts";

/** Milliseconds between two questions to each isolate whether it is still there. */
const PING_MS = 2_000;
/** Milliseconds without an answer after which an isolate counts as dead. */
const PING_TIMEOUT_MS = 20_000;

/** How an {@linkcode ServerWorker} is watched, and what it needs of the others. */
export interface ServerWorkerOptions {
  /** What its worker is called. */
  readonly name: string;
  /** Milliseconds between two questions whether it is still there. @default {2000} */
  readonly pingMs?: number;
  /** Milliseconds without an answer after which it counts as dead. @default {20000} */
  readonly pingTimeoutMs?: number;
  /** Hears, once, that it serves no longer: an event for the log, and why. */
  readonly onDeath: (event: string, reason: string) => void;
  /** Gives what the other isolates have counted. */
  readonly countOthers: () => Promise<MetricsSnapshot[]>;
}

/** An isolate that serves, as the main thread sees it. */
export class ServerWorker {
  readonly #worker: Worker;
  readonly #pingTimeoutMs: number;
  readonly #options: ServerWorkerOptions;
  readonly #counters: ((snapshot: MetricsSnapshot | undefined) => void)[] = [];
  readonly #started = Promise.withResolvers<number>();
  readonly #stopped = Promise.withResolvers<void>();
  #heardAt = performance.now();
  #isDead = false;

  /** Makes the worker, and watches it from now on. */
  constructor(module: string | URL, options: ServerWorkerOptions) {
    const { name, pingMs = PING_MS, pingTimeoutMs = PING_TIMEOUT_MS } = options;
    this.#pingTimeoutMs = pingTimeoutMs;
    this.#options = options;
    this.#worker = new Worker(module, { type: "module", name });
    this.#worker.onmessage = ({ data }) => this.#heard(data as FromWorker);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#died("isolate_died", event.message);
    };
    setInterval(() => this.#ping(), pingMs);
  }

  /** Has it listen, and gives its port once it does. */
  start(port: number): Promise<number> {
    this.#tell({ kind: "start", port });
    return this.#started.promise;
  }

  /** Has it stop in order; settles also where it has died. */
  async stop(): Promise<void> {
    this.#tell({ kind: "stop" });
    await this.#stopped.promise;
  }

  /** Asks what it has counted: undefined before it serves. */
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
    const silence = performance.now() - this.#heardAt;
    if (silence > this.#pingTimeoutMs) {
      this.#died("isolate_died", `It has not answered for ${Math.round(silence / 1000)} s`);
    } else this.#tell({ kind: "ping" });
  }

  #heard(message: FromWorker): void {
    this.#heardAt = performance.now();
    switch (message.kind) {
      case "started":
        return this.#started.resolve(message.port);
      case "stopped":
        return this.#stopped.resolve();
      case "failed":
        return this.#died(message.event, message.reason);
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

  #died(event: string, reason: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#stopped.resolve();
    this.#options.onDeath(event, reason);
  }
}

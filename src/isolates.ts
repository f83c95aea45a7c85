/**
 * Several isolates of one process that serve the same rooms at one port: the main thread watches,
 * and each worker serves.
 *
 * @example One file for the main thread and for each worker
 * ```ts
 * import { jsonLogger, readConfiguration } from "@hubbub/hub";
 * import { isIsolate, serveAsIsolate, startIsolates } from "@hubbub/hub/isolates";
 *
 * if (isIsolate()) serveAsIsolate();
 * else if (import.meta.main) {
 *   const configuration = readConfiguration((name) => Deno.env.get(name));
 *   const logger = jsonLogger();
 *   await startIsolates(import.meta.url, { configuration, count: 4, logger });
 * }
 * ```
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import { type Configuration, readConfiguration } from "./configuration.ts";
import type { MetricsSnapshot } from "./exposition.ts";
import { jsonLogger, type Logger } from "./logger.ts";
import { logUncaught, stopOnSignal } from "./process.ts";
import {
  type Service,
  type ServiceOptions,
  StartError,
  startService,
  takeDatabase,
} from "./service.ts";

/** Milliseconds between two questions to each isolate whether it is still there. */
const PING_MS = 2_000;
/** Milliseconds without an answer after which an isolate counts as dead. */
const PING_TIMEOUT_MS = 20_000;

/** Milliseconds that an isolate has to say what it has counted. */
const COUNT_TIMEOUT_MS = 1_000;

/** How {@linkcode startIsolates} behaves. */
export interface IsolatesOptions {
  /** What the environment says; the isolates read it again for themselves. */
  readonly configuration: Configuration;
  /** How many isolates. */
  readonly count: number;
  /** Takes what an operator should know. */
  readonly logger: Logger;
  /** Milliseconds between two questions whether an isolate is still there. @default {2000} */
  readonly pingMs?: number;
  /** Milliseconds without an answer after which it counts as dead. @default {20000} */
  readonly pingTimeoutMs?: number;
}

type ToIsolate =
  | { kind: "start"; port: number }
  | { kind: "stop" }
  | { kind: "ping" }
  | { kind: "count" }
  | { kind: "counts"; snapshots: MetricsSnapshot[] };
type FromIsolate =
  | { kind: "started"; port: number }
  | { kind: "alive" }
  | { kind: "ask" }
  | { kind: "count"; snapshot: MetricsSnapshot | undefined }
  | { kind: "stopped" }
  | { kind: "failed"; event: string; reason: string };

declare const WorkerGlobalScope: unknown;
declare function postMessage(message: FromIsolate): void;

/**
 * Tells how many isolates there are to be.
 *
 * @param text What the environment says, such as that of `DENO_JOBS`.
 * @returns That number; where nothing is said, the number of processors.
 * @throws {RangeError} Where it is no whole number from 1 to 999.
 *
 * @example
 * ```ts
 * import { countIsolates } from "@hubbub/hub/isolates";
 *
 * console.log(countIsolates("4")); // 4
 * ```
 */
export function countIsolates(text: string | undefined): number {
  const count = text?.trim();
  if (!count) return navigator.hardwareConcurrency;
  if (/^[1-9]\d{0,2}$/.test(count)) return Number(count);
  throw new RangeError(`DENO_JOBS must be a whole number from 1 to 999, not "${count}"`);
}

/**
 * Tells whether this is an isolate that serves.
 *
 * @returns True in a worker, false in the main thread.
 *
 * @example
 * ```ts
 * import { isIsolate } from "@hubbub/hub/isolates";
 *
 * console.log(isIsolate()); // false
 * ```
 */
export function isIsolate(): boolean {
  return typeof WorkerGlobalScope !== "undefined";
}

/**
 * Starts isolates, and ends the process when one of them dies: a supervisor then starts all of it
 * again, instead of leaving half a server. Also ends it on SIGINT and SIGTERM, in order.
 *
 * @param module The URL of a module that calls {@linkcode serveAsIsolate} in a worker.
 * @param options How many isolates, and who hears of events.
 * @returns The port at which they listen, when all of them do.
 * @throws {RangeError} Where the isolates could not share the database.
 * @throws {StartError} Where the port or the database is taken.
 *
 * @example
 * ```ts
 * import { jsonLogger, readConfiguration } from "@hubbub/hub";
 * import { isIsolate, serveAsIsolate, startIsolates } from "@hubbub/hub/isolates";
 *
 * if (isIsolate()) serveAsIsolate();
 * else if (import.meta.main) {
 *   const configuration = readConfiguration((name) => Deno.env.get(name));
 *   const logger = jsonLogger();
 *   await startIsolates(import.meta.url, { configuration, count: 4, logger });
 * }
 * ```
 */
export async function startIsolates(
  module: string | URL,
  options: IsolatesOptions,
): Promise<number> {
  const { configuration: { host, kv, port: wanted }, count, logger } = options;
  if (kv === ":memory:" && count > 1) {
    throw new RangeError(
      `HUBBUB_KV must not be ":memory:" with ${count} isolates: each would have rooms of its own`,
    );
  }
  checkFree(host, wanted);
  await takeDatabase(kv, logger);
  const isolates: Isolate[] = [];
  const end = stopOnSignal(logger, async () => {
    await Promise.all(isolates.map((isolate) => isolate.stop()));
  });
  let port = wanted;
  for (let i = 0; i < count; i++) {
    const name = `isolate ${i + 1}`;
    const isolate: Isolate = new Isolate(module, name, options, {
      onDeath(event, reason) {
        logger("error", event, { isolate: name, error: reason });
        void end(1);
      },
      countOthers: () => countAll(isolates.filter((other) => other !== isolate)),
    });
    isolates.push(isolate);
    // The first one finds a port where any will do; the others share it.
    port = await isolate.start(port);
  }
  return port;
}

/**
 * Serves in a worker that {@linkcode startIsolates} started.
 *
 * @example
 * ```ts
 * import { isIsolate, serveAsIsolate } from "@hubbub/hub/isolates";
 *
 * if (isIsolate()) serveAsIsolate();
 * ```
 */
export function serveAsIsolate(): void {
  const logger = jsonLogger();
  logUncaught(logger);
  const tell = (message: FromIsolate) => postMessage(message);
  let service: Service | undefined;
  const askers: ((snapshots: MetricsSnapshot[]) => void)[] = [];
  const options: ServiceOptions = {
    logger,
    parallel: true,
    onListenerClosed: () =>
      tell({ kind: "failed", event: "listener_closed", reason: "The listener closed by itself" }),
    otherMetrics: () =>
      new Promise((resolve) => {
        askers.push(resolve);
        tell({ kind: "ask" });
      }),
  };
  const start = async (port: number) => {
    try {
      const configuration = readConfiguration((name) => Deno.env.get(name));
      service = await startService({ ...configuration, port }, options);
      tell({ kind: "started", port: service.address.port });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      tell({ kind: "failed", event: "isolate_failed", reason });
    }
  };
  addEventListener("message", async (event) => {
    const message = (event as MessageEvent<ToIsolate>).data;
    switch (message.kind) {
      case "start":
        return await start(message.port);
      case "stop":
        await service?.stop();
        return tell({ kind: "stopped" });
      case "ping":
        return tell({ kind: "alive" });
      case "count":
        return tell({ kind: "count", snapshot: service?.snapshot() });
      case "counts":
        // Each answer is for the oldest question: they come in order.
        return askers.shift()?.(message.snapshots);
    }
  });
}

/** What isolates have counted; one that does not answer in time is left out. */
async function countAll(isolates: readonly Isolate[]): Promise<MetricsSnapshot[]> {
  const counts = await Promise.allSettled(
    isolates.map((isolate) => deadline(isolate.count(), COUNT_TIMEOUT_MS)),
  );
  return counts.flatMap((count) =>
    count.status === "fulfilled" && count.value ? [count.value] : []
  );
}

/** The isolates share their port with whoever else allows it: also with another server. */
function checkFree(hostname: string, port: number): void {
  if (port === 0) return;
  try {
    Deno.listen({ hostname, port }).close();
  } catch (cause) {
    throw new StartError("listen_failed", { host: hostname, port }, cause);
  }
}

/** What an isolate needs of the main thread. */
interface Surroundings {
  readonly onDeath: (event: string, reason: string) => void;
  readonly countOthers: () => Promise<MetricsSnapshot[]>;
}

/** An isolate that serves, as the main thread sees it. */
class Isolate {
  readonly name: string;
  readonly #worker: Worker;
  readonly #pingTimeoutMs: number;
  readonly #surroundings: Surroundings;
  readonly #counters: ((snapshot: MetricsSnapshot | undefined) => void)[] = [];
  readonly #started = Promise.withResolvers<number>();
  readonly #stopped = Promise.withResolvers<void>();
  #heardAt = performance.now();
  #isDead = false;

  constructor(
    module: string | URL,
    name: string,
    options: IsolatesOptions,
    surroundings: Surroundings,
  ) {
    this.name = name;
    this.#pingTimeoutMs = options.pingTimeoutMs ?? PING_TIMEOUT_MS;
    this.#surroundings = surroundings;
    this.#worker = new Worker(module, { type: "module", name });
    this.#worker.onmessage = ({ data }) => this.#heard(data as FromIsolate);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#died("isolate_died", event.message);
    };
    setInterval(() => this.#ping(), options.pingMs ?? PING_MS);
  }

  start(port: number): Promise<number> {
    this.#tell({ kind: "start", port });
    return this.#started.promise;
  }

  async stop(): Promise<void> {
    this.#tell({ kind: "stop" });
    await this.#stopped.promise;
  }

  count(): Promise<MetricsSnapshot | undefined> {
    return new Promise((resolve) => {
      this.#counters.push(resolve);
      this.#tell({ kind: "count" });
    });
  }

  #tell(message: ToIsolate): void {
    this.#worker.postMessage(message);
  }

  #ping(): void {
    const silence = performance.now() - this.#heardAt;
    if (silence > this.#pingTimeoutMs) {
      this.#died("isolate_died", `It has not answered for ${Math.round(silence / 1000)} s`);
    } else this.#tell({ kind: "ping" });
  }

  #heard(message: FromIsolate): void {
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
        return void this.#surroundings.countOthers().then((snapshots) => {
          this.#tell({ kind: "counts", snapshots });
        });
    }
  }

  #died(event: string, reason: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#stopped.resolve();
    this.#surroundings.onDeath(event, reason);
  }
}

/**
 * Several workers of one process that serve the same rooms at one port, watched by the main thread.
 *
 * @example One file for the main thread and for each worker
 * ```ts
 * import { jsonLogger } from "@hubbub/hub";
 * import { readConfiguration } from "@hubbub/hub/service";
 * import { isWorker, serveAsWorker, startWorkers } from "@hubbub/hub/service";
 *
 * if (isWorker()) serveAsWorker();
 * else if (import.meta.main) {
 *   const configuration = readConfiguration((name) => Deno.env.get(name));
 *   const logger = jsonLogger();
 *   await startWorkers(import.meta.url, { configuration, count: 4, logger });
 * }
 * ```
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import type { Configuration } from "./configuration.ts";
import type { MetricsSnapshot } from "../telemetry/prometheus.ts";
import { ServerWorker } from "./worker.ts";
import { guardLogger, type Logger } from "../telemetry/logger.ts";
import { stopOnSignal } from "./signals.ts";
import { lockDatabase } from "./database_lock.ts";
import { StartError } from "./start_error.ts";

declare const WorkerGlobalScope: unknown;

/** Milliseconds that a worker has to tell its counters. */
const COUNT_TIMEOUT_MS = 1_000;
/** Milliseconds that workers have to stop where the start of another has failed. */
const STOP_MS = 4_000;

/** Options of {@linkcode startWorkers}. */
export interface WorkersOptions {
  /** What the environment says; the workers read it again for themselves. */
  readonly configuration: Configuration;
  /** The number of workers. */
  readonly count: number;
  /** Receives operational events. */
  readonly logger: Logger;
  /** Milliseconds between two pings of each worker. @default {2000} */
  readonly pingMs?: number;
  /** Milliseconds without an answer after which a worker counts as dead. @default {20000} */
  readonly pingTimeoutMs?: number;
  /** Milliseconds that each may take to load until it counts as dead. @default {60000} */
  readonly startTimeoutMs?: number;
}

/**
 * Reads the number of workers.
 *
 * @param text A whole number, such as that in `DENO_JOBS`.
 * @returns That number; the number of processors where there is none.
 * @throws {RangeError} Where it is no whole number from 1 to 999.
 *
 * @example
 * ```ts
 * import { workerCount } from "@hubbub/hub/service";
 *
 * console.log(workerCount("4")); // 4
 * ```
 */
export function workerCount(text: string | undefined): number {
  const count = text?.trim();
  if (!count) return navigator.hardwareConcurrency;
  if (/^[1-9]\d{0,2}$/.test(count)) return Number(count);
  throw new RangeError(`DENO_JOBS must be a whole number from 1 to 999, not "${count}"`);
}

/**
 * Whether this code runs in a worker.
 *
 * @returns True in a worker, false in the main thread.
 *
 * @example
 * ```ts
 * import { isWorker } from "@hubbub/hub/service";
 *
 * console.log(isWorker()); // false
 * ```
 */
export function isWorker(): boolean {
  return typeof WorkerGlobalScope !== "undefined";
}

/**
 * Starts workers, and ends the process when one of them dies: a supervisor then starts all of it
 * again, instead of leaving half a server. Also ends it on SIGINT and SIGTERM, in order. A start
 * that fails gives back everything that it took.
 *
 * @param module The URL of a module that calls {@linkcode serveAsWorker} in a worker.
 * @param options How many workers, and who receives events.
 * @returns The port at which they listen, when all of them do.
 * @throws {RangeError} Where the workers could not share the database.
 * @throws {StartError} Where the port or the database is taken, or a worker cannot serve.
 *
 * @example
 * ```ts
 * import { jsonLogger } from "@hubbub/hub";
 * import { readConfiguration } from "@hubbub/hub/service";
 * import { startWorkers } from "@hubbub/hub/service";
 *
 * if (import.meta.main) {
 *   const configuration = readConfiguration((name) => Deno.env.get(name));
 *   const options = { configuration, count: 4, logger: jsonLogger() };
 *   await startWorkers(import.meta.resolve("./worker.ts"), options);
 * }
 * ```
 */
export async function startWorkers(
  module: string | URL,
  options: WorkersOptions,
): Promise<number> {
  const { configuration, count, logger, pingMs, pingTimeoutMs, startTimeoutMs } = options;
  const { host, kv, port: wanted } = configuration;
  const guarded = guardLogger(logger);
  if (kv === ":memory:" && count > 1) {
    throw new RangeError(
      `HUBBUB_KV must not be ":memory:" with ${count} isolates: each would have rooms of its own`,
    );
  }
  checkFree(host, wanted);
  await using undo = new AsyncDisposableStack();
  undo.use(await lockDatabase(kv, logger));
  const workers: ServerWorker[] = [];
  undo.defer(async () => {
    await deadline(stopAll(workers), STOP_MS).catch(() => {});
    for (const worker of workers) worker.terminate();
  });
  const signals = new AbortController();
  undo.defer(() => signals.abort());
  const end = stopOnSignal(logger, () => stopAll(workers), signals);
  const maxConnections = Math.ceil(configuration.maxConnections);
  let port = wanted;
  for (let i = 0; i < count; i++) {
    const name = `isolate ${i + 1}`;
    const worker: ServerWorker = new ServerWorker(module, {
      name,
      pingMs,
      pingTimeoutMs,
      startTimeoutMs,
      onDeath(event, reason) {
        guarded("error", event, { isolate: name, error: reason });
        void end(1);
      },
      countOthers: () => countAll(workers.filter((other) => other !== worker)),
    });
    workers.push(worker);
    // The first one finds a port where any will do; the others share it.
    port = await worker.start(port, maxConnections);
  }
  undo.move();
  return port;
}

async function stopAll(workers: readonly ServerWorker[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.stop()));
}

/** Reads the counters of workers; one that does not answer in time is left out. */
async function countAll(workers: readonly ServerWorker[]): Promise<MetricsSnapshot[]> {
  const counts = await Promise.allSettled(
    workers.map((worker) => deadline(worker.count(), COUNT_TIMEOUT_MS)),
  );
  return counts.flatMap((count) =>
    count.status === "fulfilled" && count.value ? [count.value] : []
  );
}

/** Workers share their port with any process that allows it, so also with another server. */
function checkFree(hostname: string, port: number): void {
  if (port === 0) return;
  try {
    Deno.listen({ hostname, port }).close();
  } catch (cause) {
    throw new StartError("listen_failed", { host: hostname, port }, cause);
  }
}

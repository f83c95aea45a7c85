/**
 * Several isolates of one process that serve the same rooms at one port: the main thread watches,
 * and each worker serves.
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
import type { Logger } from "../telemetry/logger.ts";
import { stopOnSignal } from "./signals.ts";
import { takeDatabase } from "./database_lock.ts";
import { StartError } from "./start_error.ts";

declare const WorkerGlobalScope: unknown;

/** Milliseconds that an isolate has to say what it has counted. */
const COUNT_TIMEOUT_MS = 1_000;

/** How {@linkcode startIsolates} behaves. */
export interface WorkersOptions {
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

/**
 * Tells how many isolates there are to be.
 *
 * @param text What the environment says, such as that of `DENO_JOBS`.
 * @returns That number; where nothing is said, the number of processors.
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
 * Tells whether this is an isolate that serves.
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
  const { configuration: { host, kv, port: wanted }, count, logger } = options;
  const { pingMs, pingTimeoutMs } = options;
  if (kv === ":memory:" && count > 1) {
    throw new RangeError(
      `HUBBUB_KV must not be ":memory:" with ${count} isolates: each would have rooms of its own`,
    );
  }
  checkFree(host, wanted);
  await takeDatabase(kv, logger);
  const isolates: ServerWorker[] = [];
  const end = stopOnSignal(logger, async () => {
    await Promise.all(isolates.map((isolate) => isolate.stop()));
  });
  let port = wanted;
  for (let i = 0; i < count; i++) {
    const name = `isolate ${i + 1}`;
    const isolate: ServerWorker = new ServerWorker(module, {
      name,
      pingMs,
      pingTimeoutMs,
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

/** What isolates have counted; one that does not answer in time is left out. */
async function countAll(isolates: readonly ServerWorker[]): Promise<MetricsSnapshot[]> {
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

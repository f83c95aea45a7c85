/**
 * A chat server as a program: configuration, start, signals, and several workers in one process.
 *
 * @example A chat server, without a copy of the repository
 * ```ts
 * import { jsonLogger } from "@hubbub/hub";
 * import { failToStart, readConfiguration, startService, stopOnSignal } from "@hubbub/hub/service";
 *
 * if (import.meta.main) {
 *   const logger = jsonLogger();
 *   try {
 *     const configuration = readConfiguration((name) => Deno.env.get(name));
 *     const onListenerClosed = () => Deno.exit(1);
 *     const service = await startService(configuration, { logger, onListenerClosed });
 *     stopOnSignal(logger, () => service.stop());
 *   } catch (error) {
 *     failToStart(logger, error);
 *   }
 * }
 * ```
 *
 * @module
 */

export { describeAccess, readConfiguration, urlOf } from "./configuration.ts";
export type { Configuration } from "./configuration.ts";
export { VARIABLES } from "./environment.ts";
export { startService } from "./service.ts";
export type { Service, ServiceOptions } from "./service.ts";
export { failToStart, logUncaught, stopOnSignal } from "./signals.ts";
export { StartError } from "./start_error.ts";
export { serveAsWorker } from "./worker_main.ts";
export { isWorker, startWorkers, workerCount } from "./workers.ts";
export type { WorkersOptions } from "./workers.ts";

/**
 * A chat server as a program: configuration, start, signals, and several workers in one process.
 *
 * @example A chat server, without a copy of the repository
 * ```ts
 * import { runProgram } from "@hubbub/hub/service";
 *
 * if (import.meta.main) await runProgram();
 * ```
 *
 * @module
 */

export { describeAccess, readConfiguration, urlOf } from "./configuration.ts";
export type { Configuration } from "./configuration.ts";
export type { MachineClients, NatsModule, PostgresModule } from "./machine_clients.ts";
export type { MachineConfiguration } from "./machine_configuration.ts";
export { VARIABLES } from "./environment.ts";
export { runProgram } from "./program.ts";
export type { ProgramOptions } from "./program.ts";
export { startService } from "./service.ts";
export type { Service, ServiceOptions } from "./service.ts";
export { failToStart, logUncaught, stopOnSignal } from "./signals.ts";
export { StartError } from "./start_error.ts";
export { serveAsWorker, type WorkerOptions } from "./worker_main.ts";
export { isWorker, startWorkers, workerCount } from "./workers.ts";
export type { WorkersOptions } from "./workers.ts";

/**
 * The server as a program: command line, environment, start, signals and end.
 *
 * @module
 */

import { DEFAULT_CONNECTION_LIMITS } from "../access/connection_limit_settings.ts";
import { jsonLogger, type Logger } from "../telemetry/logger.ts";
import { fitConnections, HELP, parseArguments } from "./command_line.ts";
import { type Configuration, describeAccess, readConfiguration, urlOf } from "./configuration.ts";
import type { MachineClients } from "./machine_clients.ts";
import { startService } from "./service.ts";
import { shownAddress } from "./store.ts";
import { failToStart, logUncaught, stopOnSignal } from "./signals.ts";
import { startWorkers, workerCount } from "./workers.ts";

/** Options of {@linkcode runProgram}. */
export interface ProgramOptions extends MachineClients {
  /** Arguments of the command line. @default {Deno.args} */
  readonly args?: readonly string[];
  /**
   * The URL of a module that calls {@linkcode serveAsWorker} in a worker.
   *
   * @default {undefined} the server runs in the main thread alone
   */
  readonly workers?: string | URL;
}

/**
 * Runs the server as a program: reads arguments and environment, serves, and ends the process on
 * SIGINT and SIGTERM, and where it cannot start or serve any longer.
 *
 * @param options The arguments, and the module of the workers where there are to be some.
 *
 * @example A chat server, without a copy of the repository
 * ```ts
 * import { runProgram } from "@hubbub/hub/service";
 *
 * if (import.meta.main) await runProgram();
 * ```
 */
export async function runProgram(options: ProgramOptions = {}): Promise<void> {
  const { args = Deno.args, nats, postgres, workers } = options;
  const logger = jsonLogger();
  try {
    const { help, descriptors } = parseArguments(args);
    if (help) return console.log(HELP);
    if (workers === undefined) logUncaught(logger);
    const wanted = readConfiguration((name) => Deno.env.get(name));
    const isolates = workers === undefined ? 1 : workerCount(Deno.env.get("DENO_JOBS"));
    const maxConnections = fitConnections(wanted.maxConnections, descriptors, isolates);
    const configuration = { ...wanted, maxConnections };
    const isAsked = wanted.maxConnections !== DEFAULT_CONNECTION_LIMITS.maxConnections;
    if (isAsked && maxConnections < wanted.maxConnections) {
      const fields = {
        descriptors,
        wanted: wanted.maxConnections,
        max_connections: maxConnections,
      };
      logger("warn", "few_descriptors", fields);
    }
    const url = workers === undefined
      ? await serve(configuration, { logger, nats, postgres })
      : await serveInWorkers(workers, { configuration, count: isolates, logger });
    announce(logger, configuration, { url, isolates });
  } catch (error) {
    failToStart(logger, error);
  }
}

async function serve(
  configuration: Configuration,
  options: MachineClients & { readonly logger: Logger },
): Promise<string> {
  const { logger } = options;
  const onListenerClosed = () => {
    logger("error", "listener_closed");
    void end(1);
  };
  const service = await startService(configuration, { ...options, onListenerClosed });
  const end = stopOnSignal(logger, () => service.stop());
  return urlOf(service.address);
}

async function serveInWorkers(
  module: string | URL,
  options: { configuration: Configuration; count: number; logger: Logger },
): Promise<string> {
  const { host: hostname } = options.configuration;
  return urlOf({ hostname, port: await startWorkers(module, options) });
}

/** Says that the server has started: to people at a terminal in a sentence, else in the log. */
function announce(
  logger: Logger,
  configuration: Configuration,
  started: { readonly url: string; readonly isolates: number },
): void {
  const { url, isolates } = started;
  const { kv = "assigned", postgres } = configuration;
  const place = postgres === undefined ? { kv } : { postgres: shownAddress(postgres) };
  const entry = describeAccess(configuration);
  if (Deno.stdout.isTerminal()) {
    const where = place.postgres ?? kv;
    const store = where === ":memory:" ? "kept in memory alone" : `kept in ${where}`;
    return console.log(`Hubbub is at ${url} (${entry}). Messages are ${store}. Ctrl+C stops it.`);
  }
  const { maxConnections: max_connections } = configuration;
  logger("info", "started", { url, isolates, ...place, entry, max_connections });
}

/**
 * A process that serves: its signals, its last resort and its end.
 *
 * @example Stop in order on SIGINT and SIGTERM
 * ```ts
 * import { createServer, Hub, jsonLogger, KvRoomLog } from "@hubbub/hub";
 * import { logUncaught, stopOnSignal } from "@hubbub/hub/service";
 *
 * if (import.meta.main) {
 *   const logger = jsonLogger();
 *   logUncaught(logger);
 *   const server = createServer(new Hub(new KvRoomLog(await Deno.openKv())), { logger });
 *   Deno.serve({ port: 8000 }, server.fetch);
 *   stopOnSignal(logger, () => server.drain());
 * }
 * ```
 *
 * @module
 */

import type { Logger } from "../telemetry/logger.ts";
import { StartError } from "./start_error.ts";

/** Milliseconds after a signal when the process ends, whatever is stuck: Deno Deploy kills at 5 s. */
const STOP_MS = 4_000;

/**
 * Logs what nobody caught, and goes on: one error must not cost everybody's chat. Nothing is
 * expected to get here.
 *
 * @param logger Takes the events.
 *
 * @example
 * ```ts
 * import { jsonLogger } from "@hubbub/hub";
 * import { logUncaught } from "@hubbub/hub/service";
 *
 * if (import.meta.main) logUncaught(jsonLogger());
 * ```
 */
export function logUncaught(logger: Logger): void {
  for (const type of ["error", "unhandledrejection"]) {
    addEventListener(type, (event) => {
      event.preventDefault();
      const { error, reason } = event as Event & { error?: unknown; reason?: unknown };
      logger("error", "uncaught", { error: error ?? reason });
    });
  }
}

/**
 * Stops on SIGINT and SIGTERM, and ends the process: with 0 after a stop in order, and 4 s after
 * the signal in any case.
 *
 * @param logger Takes the events.
 * @param stop Stops in order.
 * @returns Does the same without a signal, and ends with the code that it is given.
 *
 * @example
 * ```ts
 * import { createServer, Hub, jsonLogger, KvRoomLog } from "@hubbub/hub";
 * import { stopOnSignal } from "@hubbub/hub/service";
 *
 * if (import.meta.main) {
 *   const server = createServer(new Hub(new KvRoomLog(await Deno.openKv())));
 *   Deno.serve({ port: 8000 }, server.fetch);
 *   stopOnSignal(jsonLogger(), () => server.drain());
 * }
 * ```
 */
export function stopOnSignal(
  logger: Logger,
  stop: () => Promise<void>,
): (code: number) => Promise<void> {
  let isStopping = false;
  const end = async (code: number) => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => {
      logger("warn", "stopped", { late: true });
      Deno.exit(code);
    }, STOP_MS);
    logger("info", "stopping");
    await stop();
    logger("info", "stopped");
    // The listener is not shut down first: that would wait for whoever is stuck.
    Deno.exit(code);
  };
  Deno.addSignalListener("SIGINT", () => void end(0));
  // Windows knows no SIGTERM.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => void end(0));
  return end;
}

/**
 * Says in one line why the process cannot go on, and ends it with 1.
 *
 * @param logger Takes the event.
 * @param error What was thrown while starting.
 *
 * @example
 * ```ts
 * import { jsonLogger } from "@hubbub/hub";
 * import { readConfiguration } from "@hubbub/hub/service";
 * import { failToStart } from "@hubbub/hub/service";
 *
 * try {
 *   console.log(readConfiguration(() => undefined).port); // 8000
 * } catch (error) {
 *   failToStart(jsonLogger(), error); // one line, such as of a PORT that is none
 * }
 * ```
 */
export function failToStart(logger: Logger, error: unknown): never {
  if (error instanceof StartError) logger("error", error.event, { ...error.fields, error });
  else if (error instanceof RangeError) logger("error", "bad_configuration", { error });
  else logger("error", "start_failed", { error });
  Deno.exit(1);
}

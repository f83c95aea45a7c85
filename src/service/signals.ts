/**
 * The signals and the end of a process that serves.
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

import { guardLogger, type Logger } from "../telemetry/logger.ts";
import { StartError } from "./start_error.ts";

/** Milliseconds after a signal when the process ends, whatever is stuck: Deno Deploy kills at 5 s. */
const STOP_MS = 4_000;
/**
 * Milliseconds within which several signals are one: a terminal sends Ctrl+C to all processes of a
 * task, and the one that runs the task passes it on.
 */
const SAME_SIGNAL_MS = 500;

/**
 * Logs errors and rejections that nobody caught, and goes on: one error must not cost everybody's
 * chat. None is expected to get here.
 *
 * @param logger Receives `uncaught`.
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
  const guarded = guardLogger(logger);
  for (const type of ["error", "unhandledrejection"]) {
    addEventListener(type, (event) => {
      event.preventDefault();
      const { error, reason } = event as Event & { error?: unknown; reason?: unknown };
      guarded("error", "uncaught", { error: error ?? reason });
    });
  }
}

/**
 * Stops on SIGINT and SIGTERM, and ends the process: with 0 after a stop in order, 4 s after the
 * signal in any case, and at once with 1 on a second signal.
 *
 * @param logger Receives `stopping`, `stopped` and `stop_failed`.
 * @param stop Stops in order.
 * @param options When to listen to signals no longer.
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
  options: { readonly signal?: AbortSignal } = {},
): (code: number) => Promise<void> {
  const guarded = guardLogger(logger);
  let stoppingAt: number | undefined;
  const end = async (code: number) => {
    if (stoppingAt !== undefined) return;
    stoppingAt = performance.now();
    setTimeout(() => {
      guarded("warn", "stopped", { late: true });
      Deno.exit(code);
    }, STOP_MS);
    guarded("info", "stopping");
    try {
      await stop();
    } catch (error) {
      guarded("error", "stop_failed", { error });
      Deno.exit(1);
    }
    guarded("info", "stopped");
    // The listener is not shut down first: that would wait for a peer that is stuck.
    Deno.exit(code);
  };
  const onSignal = () => {
    if (stoppingAt === undefined) return void end(0);
    if (performance.now() - stoppingAt < SAME_SIGNAL_MS) return;
    guarded("warn", "stopped", { reason: "a second signal" });
    Deno.exit(1);
  };
  // Windows knows no SIGTERM.
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  options.signal?.addEventListener("abort", () => {
    for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
  });
  return end;
}

/**
 * Says in one line why the process cannot go on, and ends it with 1.
 *
 * @param logger Receives the event.
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
  const guarded = guardLogger(logger);
  if (error instanceof StartError) guarded("error", error.event, { ...error.fields, error });
  else if (error instanceof RangeError) guarded("error", "bad_configuration", { error });
  else guarded("error", "start_failed", { error });
  Deno.exit(1);
}

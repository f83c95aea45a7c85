/**
 * The chat server inside a worker, started and stopped by the main thread.
 *
 * @module
 */

import { readConfiguration } from "./configuration.ts";
import type { MetricsSnapshot } from "../telemetry/prometheus.ts";
import type { FromWorker, ToWorker } from "./worker_messages.ts";
import { jsonLogger } from "../telemetry/logger.ts";
import { logUncaught } from "./signals.ts";
import { takeProcessLock } from "./process_lock.ts";
import { StartError } from "./start_error.ts";
import type { MachineClients } from "./machine_clients.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";

declare function postMessage(message: FromWorker): void;

/** Options of {@linkcode serveAsWorker}. */
export type WorkerOptions = MachineClients;

/**
 * Serves in a worker that {@linkcode startWorkers} started.
 *
 * @param options What the worker has at hand.
 *
 * @example
 * ```ts
 * import { isWorker, serveAsWorker } from "@hubbub/hub/service";
 *
 * if (isWorker()) serveAsWorker();
 * ```
 */
export function serveAsWorker(clients: WorkerOptions = {}): void {
  const logger = jsonLogger();
  logUncaught(logger);
  const tell = (message: FromWorker) => postMessage(message);
  let service: Service | undefined;
  const askers: ((snapshots: MetricsSnapshot[]) => void)[] = [];
  const options: ServiceOptions = {
    ...clients,
    logger,
    parallel: true,
    onListenerClosed: () =>
      tell({
        kind: "failed",
        event: "listener_closed",
        fields: {},
        reason: "The listener is closed for good",
      }),
    otherMetrics: () =>
      new Promise((resolve) => {
        askers.push(resolve);
        tell({ kind: "ask" });
      }),
  };
  const start = async ({ port, maxConnections, lock }: ToWorker & { kind: "start" }) => {
    // Held until this worker ends, however it does: that is how the main thread notices.
    await takeProcessLock(lock);
    tell({ kind: "locked" });
    try {
      const configuration = readConfiguration((name) => Deno.env.get(name));
      service = await startService({ ...configuration, port, maxConnections }, options);
      tell({ kind: "started", port: service.address.port });
    } catch (error) {
      const { event, fields } = error instanceof StartError
        ? error
        : { event: "isolate_failed", fields: {} };
      const reason = error instanceof Error ? error.message : String(error);
      tell({ kind: "failed", event, fields, reason });
    }
  };
  addEventListener("message", async (event) => {
    const message = (event as MessageEvent<ToWorker>).data;
    switch (message.kind) {
      case "start":
        return await start(message);
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

/**
 * The chat server inside an isolate: does what the main thread says.
 *
 * @module
 */

import { readConfiguration } from "./configuration.ts";
import type { MetricsSnapshot } from "../telemetry/prometheus.ts";
import type { FromWorker, ToWorker } from "./worker_messages.ts";
import { jsonLogger } from "../telemetry/logger.ts";
import { logUncaught } from "./signals.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";

declare function postMessage(message: FromWorker): void;

/**
 * Serves in a worker that {@linkcode startIsolates} started.
 *
 * @example
 * ```ts
 * import { isWorker, serveAsWorker } from "@hubbub/hub/service";
 *
 * if (isWorker()) serveAsWorker();
 * ```
 */
export function serveAsWorker(): void {
  const logger = jsonLogger();
  logUncaught(logger);
  const tell = (message: FromWorker) => postMessage(message);
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
    const message = (event as MessageEvent<ToWorker>).data;
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

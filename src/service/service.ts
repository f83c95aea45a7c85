/**
 * A chat server as the environment describes it: database, hub and listener, from start to stop.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import { tokenAuthorizer } from "../access/token_auth.ts";
import type { Configuration } from "./configuration.ts";
import type { MetricsSnapshot } from "../telemetry/prometheus.ts";
import type { MachineClients } from "./machine_clients.ts";
import { openFanout } from "./fanout.ts";
import type { HubHooks } from "../hub/hooks.ts";
import { Hub } from "../hub/hub.ts";
import type { Moderate } from "../hub/moderation.ts";
import { Listener } from "./listener.ts";
import { guardLogger, type Logger } from "../telemetry/logger.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { openStore } from "./store.ts";
import { createServer } from "../http/server.ts";
import { exportTelemetry } from "../telemetry/opentelemetry.ts";

/** Milliseconds that answers have to go out at the end. */
const FLUSH_MS = 300;

/** Options of {@linkcode startService}. */
export interface ServiceOptions extends HubHooks, MachineClients {
  /** Judges each message before it is stored. @default {undefined} all are stored as they are */
  readonly moderate?: Moderate;
  /** Receives operational events. */
  readonly logger: Logger;
  /**
   * Whether this is one of several workers of a process that serve the same rooms at one port.
   *
   * @default {false}
   */
  readonly parallel?: boolean;
  /**
   * Called once where the listener is closed for good although nobody stopped the service. The
   * process would look healthy and answer nobody: end it.
   */
  readonly onListenerClosed: () => void;
  /** Reads the counters of the other workers of this process. @default {none} */
  readonly otherMetrics?: () => Promise<readonly MetricsSnapshot[]>;
}

/** A running chat server. */
export interface Service {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  /**
   * Reads this worker's counters.
   *
   * @returns Plain data for the `otherMetrics` of another worker.
   */
  snapshot(): MetricsSnapshot;
  /**
   * Stops in order: stores what was accepted, tells the members, closes the database. A second call
   * waits for the first.
   *
   * @returns Settles within 5 s. A peer that is stuck and a database that does not answer stay open
   * beyond that: end the process then.
   */
  stop(): Promise<void>;
}

/**
 * Opens the database and serves. A start that fails gives back everything that it took.
 *
 * @param configuration What the environment says.
 * @param options Who receives events, and whether other workers do the same.
 * @returns The running service.
 * @throws {StartError} Where the database cannot be opened or the address cannot be listened at.
 *
 * @example
 * ```ts
 * import { readConfiguration } from "@hubbub/hub/service";
 * import { startService } from "@hubbub/hub/service";
 *
 * const environment = new Map([["PORT", "0"], ["HUBBUB_KV", ":memory:"]]);
 * const service = await startService(readConfiguration((name) => environment.get(name)), {
 *   logger: console.log,
 *   onListenerClosed: () => Deno.exit(1),
 * });
 * console.log(service.address.port);
 * await service.stop();
 * ```
 */
export async function startService(
  configuration: Configuration,
  options: ServiceOptions,
): Promise<Service> {
  const { parallel = false } = options;
  const { host: hostname, port } = configuration;
  const metrics = new Metrics();
  const logger = guardLogger(options.logger, metrics);
  await using undo = new AsyncDisposableStack();
  const store = await openStore(configuration, { ...options, parallel, logger });
  undo.defer(() => store.close());
  const { isShared } = store;
  const hub = new Hub(store.log, {
    ...hooksOf(options),
    moderationTimeoutMs: configuration.moderationTimeoutMs,
    moderationLate: configuration.moderationLate,
    logger,
    metrics,
    limits: {
      text_max_bytes: configuration.maxTextBytes,
      messages_per_second: configuration.messagesPerSecond,
      message_burst: Math.ceil(2 * configuration.messagesPerSecond),
    },
    // Other machines may use a shared database; a file belongs to this process.
    alone: !parallel && !isShared,
    fanout: openFanout(configuration, { ...options, parallel, logger }),
    commitInTurn: parallel && !isShared,
  });
  if (parallel && !isShared && !("locks" in navigator)) {
    const message = "No Web Locks: isolates wait for each other in SQLite, which takes longer";
    logger("warn", "no_locks", { message });
  }
  exportTelemetry(metrics);
  const { tokens } = configuration;
  const server = createServer(hub, {
    ...configuration,
    logger,
    authorize: tokens && tokenAuthorizer(tokens),
    otherMetrics: options.otherMetrics,
  });
  undo.use(server);
  const listener = new Listener((request, info) => server.fetch(request, info), {
    hostname,
    port,
    reusePort: parallel,
    logger,
    onClosed: options.onListenerClosed,
    onReopened: () => metrics.listenersReopened++,
  });
  undo.move();
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await server.drain();
    // Lets the last answers out. By itself it would wait for a peer that is stuck.
    await deadline(listener.shutdown(), FLUSH_MS).catch(() => {});
    await store.close();
  };
  return {
    address: listener.address,
    snapshot: () => server.snapshot(),
    stop: () => stopped ??= stop(),
  };
}

function hooksOf(options: ServiceOptions): HubHooks & Pick<ServiceOptions, "moderate"> {
  const { moderate, onJoin, onLeave, onMessage } = options;
  return { moderate, onJoin, onLeave, onMessage };
}

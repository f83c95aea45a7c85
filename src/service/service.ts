/**
 * A chat server as the environment describes it: database, hub and listener, from start to stop.
 *
 * @module
 */

import { tokenAuthorizer } from "../access/token_auth.ts";
import type { Configuration } from "./configuration.ts";
import type { MetricsSnapshot } from "../telemetry/prometheus.ts";
import { BroadcastChannelFanout } from "../cluster/broadcast_channel_fanout.ts";
import { takeDatabase } from "./database_lock.ts";
import { Hub } from "../hub/hub.ts";
import { KvRoomLog } from "../store/kv/kv_room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import { StartError } from "./start_error.ts";
import { createServer, type Server } from "../http/server.ts";
import { exportTelemetry } from "../telemetry/opentelemetry.ts";

/** Milliseconds that answers have to go out at the end. */
const FLUSH_MS = 300;

/** How {@linkcode startService} behaves. */
export interface ServiceOptions {
  /** Takes what an operator should know. */
  readonly logger: Logger;
  /**
   * Whether this is one of several isolates of a process that serve the same rooms at one port.
   *
   * @default {false}
   */
  readonly parallel?: boolean;
  /**
   * Hears that the listener closed although nobody stopped the service. The process would look
   * healthy and answer nobody: end it.
   */
  readonly onListenerClosed: () => void;
  /** Gives what the other isolates of this process have counted. @default {none} */
  readonly otherMetrics?: () => Promise<readonly MetricsSnapshot[]>;
}

/** A chat server that runs. */
export interface Service {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  /**
   * Takes down what this isolate has counted.
   *
   * @returns Plain data for the `otherMetrics` of another isolate.
   */
  snapshot(): MetricsSnapshot;
  /**
   * Stops in order: stores what was taken, tells the members, closes the database.
   *
   * @returns Settles within 4 s, whoever is stuck. Who is stuck stays: end the process then.
   */
  stop(): Promise<void>;
}

/**
 * Opens the database and serves.
 *
 * @param configuration What the environment says.
 * @param options Who hears of events, and whether other isolates do the same.
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
  const { logger, parallel = false } = options;
  const { kv: path, retentionMs, host: hostname, port } = configuration;
  const kv = await openKv(path);
  const lock = parallel ? undefined : await takeDatabase(path, logger);
  const isRemote = path === undefined || /^https?:/.test(path);
  const hub = new Hub(new KvRoomLog(kv, { retentionMs }), {
    logger,
    limits: {
      text_max_bytes: configuration.maxTextBytes,
      messages_per_second: configuration.messagesPerSecond,
      message_burst: Math.ceil(2 * configuration.messagesPerSecond),
    },
    // Other machines may use a remote database; a file belongs to this process.
    alone: !parallel && !isRemote,
    fanout: parallel || isRemote ? openFanout(logger) : undefined,
    commitInTurn: parallel && !isRemote,
  });
  if (parallel && !isRemote && !("locks" in navigator)) {
    const message = "No Web Locks: isolates wait for each other in SQLite, which takes longer";
    logger("warn", "no_locks", { message });
  }
  exportTelemetry(hub.metrics);
  const { tokens } = configuration;
  const server = createServer(hub, {
    ...configuration,
    logger,
    authorize: tokens && tokenAuthorizer(tokens),
    otherMetrics: options.otherMetrics,
  });
  const http = listen(server, { hostname, port, reusePort: parallel });
  let isStopping = false;
  http.finished.then(() => {
    if (!isStopping) options.onListenerClosed();
  });
  return {
    address: http.addr,
    snapshot: () => server.snapshot(),
    async stop() {
      isStopping = true;
      await server.drain();
      // Lets the last answers out. By itself it would wait for whoever is stuck.
      let timer: ReturnType<typeof setTimeout> | undefined;
      const timeout = new Promise((resolve) => timer = setTimeout(resolve, FLUSH_MS));
      await Promise.race([http.shutdown(), timeout]);
      clearTimeout(timer);
      kv.close();
      lock?.close();
    },
  };
}

async function openKv(path: string | undefined): Promise<Deno.Kv> {
  if (typeof Deno.openKv !== "function") {
    const why = "This Deno has no KV: start it with --unstable-kv, or beside a deno.json with " +
      '"unstable": ["kv"]';
    throw new StartError("no_kv", { deno: Deno.version.deno }, why);
  }
  try {
    return await Deno.openKv(path);
  } catch (cause) {
    throw new StartError("kv_failed", { kv: path }, cause);
  }
}

function openFanout(logger: Logger): BroadcastChannelFanout | undefined {
  if (typeof BroadcastChannel === "function") return new BroadcastChannelFanout();
  const message = "No BroadcastChannel: other isolates are heard through the database alone";
  logger("warn", "no_fanout", { message });
  return undefined;
}

function listen(
  server: Server,
  options: { hostname: string; port: number; reusePort: boolean },
): Deno.HttpServer<Deno.NetAddr> {
  const { hostname, port, reusePort } = options;
  try {
    return Deno.serve({ hostname, port, reusePort, onListen() {} }, server.fetch);
  } catch (cause) {
    throw new StartError("listen_failed", { host: hostname, port }, cause);
  }
}

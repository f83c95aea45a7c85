/**
 * The routes for operators: health and metrics.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import { Hono } from "hono";
import { type MetricsSnapshot, renderMetrics } from "../telemetry/prometheus.ts";
import type { Hub } from "../hub/hub.ts";
import type { HealthBody } from "../protocol/mod.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Milliseconds within which the database must answer a health check. */
const HEALTH_TIMEOUT_MS = 2_000;

/** Milliseconds within which the counts of other isolates must be there. */
const OTHERS_TIMEOUT_MS = 2_000;

/** What {@linkcode operatorRoutes} needs. */
export interface OperatorOptions {
  /** The hub. */
  readonly hub: Hub;
  /** Receives operational events. */
  readonly logger: Logger;
  /** Returns what this isolate has counted. */
  readonly snapshot: () => MetricsSnapshot;
  /** Returns what the other isolates of this process have counted. @default {none} */
  readonly otherMetrics?: () => Promise<readonly MetricsSnapshot[]>;
}

/**
 * Creates the routes that tell how a hub is: `/health` and `/metrics`.
 *
 * @param options The hub, and what it has counted.
 * @returns Routes for Hono.
 */
export function operatorRoutes(options: OperatorOptions): Hono {
  const { hub, logger, snapshot, otherMetrics } = options;
  const { metrics } = hub;
  const app = new Hono();

  /** Counts the others; where that fails or takes too long, they are left out. */
  async function countOthers(): Promise<readonly MetricsSnapshot[]> {
    if (!otherMetrics) return [];
    try {
      return await deadline(otherMetrics(), OTHERS_TIMEOUT_MS);
    } catch (error) {
      metrics.hookFailures++;
      logger("error", "other_metrics_failed", { error });
      return [];
    }
  }

  app.get("/health", async (context) => {
    const state: Omit<HealthBody, "status"> = {
      rooms: hub.roomCount,
      connections: metrics.connections,
      messages_stored: metrics.messagesStored,
      reach: hub.reach,
      peers: hub.peerCount,
      fanout: hub.isFanoutConnected === undefined
        ? undefined
        : hub.isFanoutConnected
        ? "connected"
        : "disconnected",
    };
    const body = (status: HealthBody["status"]): HealthBody => ({ status, ...state });
    if (hub.isDraining) return context.json(body("draining"), 503);
    try {
      await hub.log.probe(HEALTH_TIMEOUT_MS);
    } catch (error) {
      metrics.probeFailures++;
      logger("error", "health_failed", { error });
      return context.json(body("storage_failed"), 503);
    }
    return context.json(body("ok"));
  });

  app.get("/metrics", async (context) => {
    const text = renderMetrics([snapshot(), ...await countOthers()]);
    return context.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  });

  return app;
}

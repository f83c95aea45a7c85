/**
 * What the main thread and an isolate that serves say to each other.
 *
 * @module
 */

import type { MetricsSnapshot } from "../telemetry/prometheus.ts";

/** What an isolate is told. */
export type ToWorker =
  | { kind: "start"; port: number }
  | { kind: "stop" }
  | { kind: "ping" }
  | { kind: "count" }
  | { kind: "counts"; snapshots: MetricsSnapshot[] };

/** What an isolate says. */
export type FromWorker =
  | { kind: "started"; port: number }
  | { kind: "alive" }
  | { kind: "ask" }
  | { kind: "count"; snapshot: MetricsSnapshot | undefined }
  | { kind: "stopped" }
  | { kind: "failed"; event: string; reason: string };

/**
 * The messages between the main thread and a worker that serves.
 *
 * @module
 */

import type { MetricsSnapshot } from "../telemetry/prometheus.ts";

/** A message to a worker. */
export type ToWorker =
  /** Holds a lock of this name as long as it lives, then serves. */
  | { kind: "start"; port: number; maxConnections: number; lock: string }
  | { kind: "stop" }
  | { kind: "ping" }
  /** Asks for the worker's counters. */
  | { kind: "count" }
  /** Answers `ask`: the counters of the others. */
  | { kind: "counts"; snapshots: MetricsSnapshot[] };

/** A message from a worker. */
export type FromWorker =
  /** It holds its lock. */
  | { kind: "locked" }
  | { kind: "started"; port: number }
  | { kind: "alive" }
  /** Asks for the counters of the others. */
  | { kind: "ask" }
  | { kind: "count"; snapshot: MetricsSnapshot | undefined }
  | { kind: "stopped" }
  | {
    kind: "failed";
    event: string;
    fields: Readonly<Record<string, unknown>>;
    reason: string;
  };

/**
 * What the main thread and an isolate that serves say to each other.
 *
 * @module
 */

import type { MetricsSnapshot } from "./exposition.ts";

/** What an isolate is told. */
export type ToIsolate =
  | { kind: "start"; port: number }
  | { kind: "stop" }
  | { kind: "ping" }
  | { kind: "count" }
  | { kind: "counts"; snapshots: MetricsSnapshot[] };

/** What an isolate says. */
export type FromIsolate =
  | { kind: "started"; port: number }
  | { kind: "alive" }
  | { kind: "ask" }
  | { kind: "count"; snapshot: MetricsSnapshot | undefined }
  | { kind: "stopped" }
  | { kind: "failed"; event: string; reason: string };

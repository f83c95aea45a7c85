/**
 * What was counted, as Prometheus reads it.
 *
 * @module
 */

import { AggregatorRegistry } from "prom-client";
import type { Histogram } from "./histogram.ts";
import type { Metrics } from "./metrics.ts";

/** One value of a metric. */
export interface SampledValue {
  /** The number. */
  readonly value: number;
  /** What it is about. */
  readonly labels: Readonly<Record<string, string | number>>;
  /** The name of this series, where it is not that of the metric: parts of a histogram. */
  readonly metricName?: string;
}

/** One metric of one isolate. */
export interface SampledMetric {
  /** Its name. */
  readonly name: string;
  /** What it means. */
  readonly help: string;
  /** What kind it is. */
  readonly type: "counter" | "gauge" | "histogram";
  /** How the values of several isolates become one. */
  readonly aggregator: "sum" | "max";
  /** Its values. */
  readonly values: readonly SampledValue[];
}

/** Everything that one isolate counted: plain data, which can go from one isolate to another. */
export type MetricsSnapshot = readonly SampledMetric[];

/** A name, what it means, and how to read it. */
type Reading<T> = readonly [name: string, help: string, read: (from: T) => number];

/** Counters of single numbers, for Prometheus and OpenTelemetry alike. */
export const COUNTERS: readonly Reading<Metrics>[] = [
  ["messages_received", "Messages taken from senders", (m) => m.messagesIn],
  ["messages_stored", "Messages stored", (m) => m.messagesStored],
  ["messages_delivered", "Copies of messages handed to members", (m) => m.messagesDelivered],
  ["messages_repeated", "Messages that repeated an earlier one", (m) => m.repeats],
  ["messages_not_stored", "Messages that could not be stored", (m) => m.messagesNotStored],
  ["messages_refused", "Messages that moderation refused", (m) => m.messagesRefused],
  ["moderation_failures", "Messages that could not be judged", (m) => m.moderationFailures],
  ["frames_conflated", "Typing and presence held back for slow members", (m) => m.framesConflated],
  ["answers_cut", "Answers cut off because they were not read", (m) => m.answersCut],
  ["member_failures", "Members that failed to take a frame", (m) => m.memberFailures],
  ["hook_failures", "Fan-outs and callbacks that threw", (m) => m.hookFailures],
  ["catch_ups", "Times a room read its log to get on", (m) => m.catchUps],
  ["packets_lost", "Packets of other isolates that did not arrive", (m) => m.clusterMessagesLost],
  ["rooms_healed", "Rooms that were behind and caught up by a bell", (m) => m.roomsHealed],
  ["authorize_failures", "Entries that could not be judged", (m) => m.authorizeFailures],
  ["log_failures", "Log lines that could not be written", (m) => m.logFailures],
  [
    "listener_reopened",
    "Times accept failed and a listener was opened again",
    (m) => m.listenersReopened,
  ],
];

/** What is as it is now. */
export const GAUGES: readonly Reading<Metrics>[] = [
  ["connections", "Connections", (m) => m.connections],
  ["connections_closing", "Connections closed by the server, not gone", (m) => m.stuckConnections],
  ["waiting_bytes", "Bytes that wait for members", (m) => m.waitingBytes],
];

/** What a snapshot is made of besides the counters. */
export interface SnapshotOptions {
  /** Rooms in memory. */
  readonly rooms: number;
  /** Bytes in use in the JavaScript heap of the isolate. */
  readonly heapBytes: number;
  /** Bytes of memory of the whole process. */
  readonly residentBytes: number;
}

/**
 * Takes down what an isolate has counted.
 *
 * @param metrics The counters.
 * @param options What they do not hold.
 * @returns Plain data, to be shown by {@linkcode renderMetrics}, with that of others or alone.
 */
export function snapshotOf(metrics: Metrics, options: SnapshotOptions): MetricsSnapshot {
  const { rooms, heapBytes, residentBytes } = options;
  const { commitFailures, readFailures, probeFailures, tombstoneFailures } = metrics;
  const kvFailures = new Map([
    ["commit", commitFailures],
    ["read", readFailures],
    ["health", probeFailures],
    ["strike", tombstoneFailures],
  ]);
  return [
    ...COUNTERS.map(([name, help, read]) =>
      sampled(`hubbub_${name}_total`, help, "counter", [{ value: read(metrics), labels: {} }])
    ),
    ...GAUGES.map(([name, help, read]) =>
      sampled(`hubbub_${name}`, help, "gauge", [{ value: read(metrics), labels: {} }])
    ),
    sampled("hubbub_rooms", "Rooms in memory", "gauge", [{ value: rooms, labels: {} }]),
    sampled("hubbub_heap_bytes", "JavaScript heap in use", "gauge", [
      { value: heapBytes, labels: {} },
    ]),
    labelled("hubbub_members_closed_total", "Members that went, by why", "reason", metrics.closed),
    labelled(
      "hubbub_connections_refused_total",
      "Connections and requests refused, by the limit that they reached",
      "limit",
      metrics.connectionsRefused,
    ),
    labelled(
      "hubbub_messages_limited_total",
      "Messages refused, by the rate that they exceeded",
      "limit",
      metrics.messagesLimited,
    ),
    labelled(
      "hubbub_rejected_total",
      "Requests, frames and envelopes answered with an error, by its code",
      "code",
      metrics.rejected,
    ),
    labelled("hubbub_kv_failures_total", "Failures of Deno KV", "operation", kvFailures),
    bucketed("hubbub_commit_duration_seconds", "Time of a commit", metrics.commitSeconds),
    bucketed("hubbub_commit_messages", "Messages in a commit", metrics.commitMessages),
    bucketed("hubbub_event_loop_delay_seconds", "Lateness of a timer", metrics.loopDelay),
    {
      ...sampled("process_resident_memory_bytes", "Memory of the whole process", "gauge", [
        { value: residentBytes, labels: {} },
      ]),
      aggregator: "max",
    },
  ];
}

/**
 * Shows what isolates have counted, added up.
 *
 * @param snapshots One of each isolate.
 * @returns The text format of Prometheus.
 *
 * @example
 * ```ts
 * import { createServer, Hub, renderMetrics, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using server = createServer(new Hub(new KvRoomLog(kv)));
 * console.log(await renderMetrics([server.snapshot()])); // # HELP hubbub_messages_received_total …
 * ```
 */
export async function renderMetrics(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return await AggregatorRegistry.aggregate([...snapshots]).metrics();
}

function sampled(
  name: string,
  help: string,
  type: SampledMetric["type"],
  values: readonly SampledValue[],
): SampledMetric {
  return { name, help, type, aggregator: "sum", values };
}

function labelled(
  name: string,
  help: string,
  label: string,
  counts: ReadonlyMap<string, number>,
): SampledMetric {
  const values = [...counts].map(([about, value]) => ({ value, labels: { [label]: about } }));
  return sampled(name, help, "counter", values);
}

function bucketed(name: string, help: string, { bounds, counts, sum }: Histogram): SampledMetric {
  const values: SampledValue[] = [];
  let total = 0;
  counts.forEach((count, i) => {
    total += count;
    const labels = { le: bounds[i] ?? "+Inf" };
    values.push({ value: total, labels, metricName: `${name}_bucket` });
  });
  values.push({ value: sum, labels: {}, metricName: `${name}_sum` });
  values.push({ value: total, labels: {}, metricName: `${name}_count` });
  return sampled(name, help, "histogram", values);
}

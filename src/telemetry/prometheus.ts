/**
 * Counters in the text format of Prometheus.
 *
 * @module
 */

import type { Metrics } from "./metrics.ts";

/** The counters of one isolate: plain data, which can go from one isolate to another. */
export type MetricsSnapshot = readonly {
  /** Name of the metric. */
  readonly name: string;
  /** Meaning of the metric, in a few words. */
  readonly help: string;
  /** Kind of the metric. */
  readonly type: "counter" | "gauge" | "histogram";
  /** How the values of several isolates become one. */
  readonly aggregator: "sum" | "max";
  /** The values, one a series. */
  readonly values: readonly {
    /** The value. */
    readonly value: number;
    /** Labels of the series. */
    readonly labels: Readonly<Record<string, string | number>>;
    /** Name of the series, where it is not that of the metric: parts of a histogram. */
    readonly metricName?: string;
  }[];
}[];

/** One metric of one isolate. */
type Metric = MetricsSnapshot[number];

/** A distribution of values. */
type Distribution = ReturnType<Metrics["distributions"]>["loopDelay"];

/** Name, meaning and value of a metric. */
type Reading<T> = readonly [name: string, help: string, read: (from: T) => number];

/** Counters of single numbers, for Prometheus and OpenTelemetry alike. */
export const COUNTERS: readonly Reading<Metrics>[] = [
  ["messages_received", "Messages taken from senders", (m) => m.messagesIn],
  ["messages_stored", "Messages stored", (m) => m.messagesStored],
  ["changes_stored", "Edits, deletions and reactions stored", (m) => m.changesStored],
  ["messages_delivered", "Copies of messages handed to members", (m) => m.messagesDelivered],
  ["messages_repeated", "Messages that repeated an earlier one", (m) => m.repeats],
  ["messages_not_stored", "Messages that could not be stored", (m) => m.messagesNotStored],
  ["messages_refused", "Messages that moderation refused", (m) => m.messagesRefused],
  ["moderation_failures", "Messages that could not be judged", (m) => m.moderationFailures],
  ["moderation_timeouts", "Messages not judged in time", (m) => m.moderationTimeouts],
  ["frames_conflated", "Typing and presence held back for slow members", (m) => m.framesConflated],
  ["answers_cut", "Answers cut off because they were not read", (m) => m.answersCut],
  ["work_delayed", "Work of addresses that had their share of it", (m) => m.workDelayed],
  ["member_failures", "Members that failed to take a frame", (m) => m.memberFailures],
  ["hook_failures", "Fan-outs and callbacks that threw", (m) => m.hookFailures],
  ["catch_ups", "Times a room read its log to get on", (m) => m.catchUps],
  ["packets_lost", "Packets of other isolates that did not arrive", (m) => m.clusterMessagesLost],
  ["fanout_dropped", "Messages that the fan-out dropped", (m) => m.fanoutDropped],
  ["rooms_healed", "Rooms that were behind and learnt it from the store", (m) => m.roomsHealed],
  ["store_timeouts", "Calls to the store not answered in time", (m) => m.storeTimeouts],
  ["records_damaged", "Records of a log that could not be read", (m) => m.recordsDamaged],
  ["rooms_deleted", "Rooms that operators deleted", (m) => m.roomsDeleted],
  ["users_erased", "Users that operators erased in all rooms", (m) => m.usersErased],
  ["erase_failures", "Deleted messages not erased, files not compacted", (m) => m.eraseFailures],
  ["store_went_back", "Times the database was put back", (m) => m.storeWentBack],
  ["authorize_failures", "Entries that could not be judged", (m) => m.authorizeFailures],
  ["authorize_timeouts", "Entries not judged in time", (m) => m.authorizeTimeouts],
  ["log_failures", "Log lines that could not be written", (m) => m.logFailures],
  [
    "listener_reopened",
    "Times accept failed and a listener was opened again",
    (m) => m.listenersReopened,
  ],
];

/** Values that go up and down. */
export const GAUGES: readonly Reading<Metrics>[] = [
  ["connections", "Connections", (m) => m.connections],
  ["connections_closing", "Connections closed by the server, not gone", (m) => m.stuckConnections],
  ["waiting_bytes", "Bytes that wait for members", (m) => m.waitingBytes],
  ["fanouts_connected", "Fan-outs that reach the others", (m) => m.fanoutsConnected],
];

/** Options of {@linkcode snapshotOf}: what the counters do not hold. */
export interface SnapshotOptions {
  /** Rooms in memory. */
  readonly rooms: number;
  /** Bytes in use in the JavaScript heap of the isolate. */
  readonly heapBytes: number;
  /** Bytes of memory of the whole process. */
  readonly residentBytes: number;
}

/**
 * Copies the counters of an isolate.
 *
 * @param metrics The counters.
 * @param options What they do not hold.
 * @returns Plain data for {@linkcode renderMetrics}.
 */
export function snapshotOf(metrics: Metrics, options: SnapshotOptions): MetricsSnapshot {
  const { rooms, heapBytes, residentBytes } = options;
  const distributions = metrics.distributions();
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
    bucketed("hubbub_commit_duration_seconds", "Time of a commit", distributions.commitSeconds),
    bucketed("hubbub_commit_messages", "Messages in a commit", distributions.commitMessages),
    bucketed("hubbub_event_loop_delay_seconds", "Lateness of a timer", distributions.loopDelay),
    {
      ...sampled("process_resident_memory_bytes", "Memory of the whole process", "gauge", [
        { value: residentBytes, labels: {} },
      ]),
      aggregator: "max",
    },
  ];
}

/**
 * Renders the counters of several isolates, added up.
 *
 * @param snapshots One of each isolate.
 * @returns The text format of Prometheus, version 0.0.4.
 *
 * @example
 * ```ts
 * import { createServer, Hub, renderMetrics, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using server = createServer(new Hub(new KvRoomLog(kv)));
 * console.log(renderMetrics([server.snapshot()])); // # HELP hubbub_messages_received_total …
 * ```
 */
export function renderMetrics(snapshots: readonly MetricsSnapshot[]): string {
  const families = new Map<string, { metric: Metric; series: Map<string, number> }>();
  for (const metric of snapshots.flat()) {
    let family = families.get(metric.name);
    if (!family) families.set(metric.name, family = { metric, series: new Map() });
    const { series } = family;
    for (const { value, labels, metricName = metric.name } of metric.values) {
      const name = metricName + renderLabels(labels);
      const sum = series.get(name);
      if (sum === undefined) series.set(name, value);
      else series.set(name, metric.aggregator === "max" ? Math.max(sum, value) : sum + value);
    }
  }
  let text = "";
  for (const [name, { metric: { help, type }, series }] of families) {
    text += `# HELP ${name} ${escape(help)}\n# TYPE ${name} ${type}\n`;
    for (const [labelled, value] of series) text += `${labelled} ${renderNumber(value)}\n`;
  }
  return text;
}

function renderLabels(labels: Readonly<Record<string, string | number>>): string {
  const parts = Object.entries(labels).map(([name, value]) => {
    const text = typeof value === "number" ? renderNumber(value) : escape(value);
    return `${name}="${text.replaceAll('"', '\\"')}"`;
  });
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function renderNumber(value: number): string {
  return String(value).replace("Infinity", "Inf").replace(/^Inf/, "+Inf");
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function sampled(
  name: string,
  help: string,
  type: Metric["type"],
  values: Metric["values"],
): Metric {
  return { name, help, type, aggregator: "sum", values };
}

function labelled(
  name: string,
  help: string,
  label: string,
  counts: ReadonlyMap<string, number>,
): Metric {
  const values = [...counts].map(([about, value]) => ({ value, labels: { [label]: about } }));
  return sampled(name, help, "counter", values);
}

function bucketed(name: string, help: string, { bounds, counts, sum }: Distribution): Metric {
  const values: Metric["values"][number][] = [];
  let total = 0;
  counts.forEach((count, i) => {
    total += count;
    const labels = { le: bounds[i] ?? Infinity };
    values.push({ value: total, labels, metricName: `${name}_bucket` });
  });
  values.push({ value: sum, labels: {}, metricName: `${name}_sum` });
  values.push({ value: total, labels: {}, metricName: `${name}_count` });
  return sampled(name, help, "histogram", values);
}

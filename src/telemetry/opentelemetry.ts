/**
 * Counters for OpenTelemetry.
 *
 * @module
 */

import { metrics as telemetry } from "@opentelemetry/api";
import { COUNTERS, GAUGES } from "./prometheus.ts";
import type { Metrics } from "./metrics.ts";

/**
 * Exports to OpenTelemetry what Deno itself does not see: messages, members, commits. With
 * `OTEL_DENO=true` Deno exports it together with its own spans and metrics; without, this costs
 * nothing. Values are read when they are exported, never where they are counted.
 *
 * @param metrics The counters of one isolate.
 */
export function exportTelemetry(metrics: Metrics): void {
  const meter = telemetry.getMeter("hubbub");
  for (const [name, description, read] of COUNTERS) {
    meter.createObservableCounter(`hubbub.${name}`, { description })
      .addCallback((result) => result.observe(read(metrics)));
  }
  for (const [name, description, read] of GAUGES) {
    meter.createObservableUpDownCounter(`hubbub.${name}`, { description })
      .addCallback((result) => result.observe(read(metrics)));
  }
}

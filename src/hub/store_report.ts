/**
 * What operators are told of the store.
 *
 * @module
 */

import type { StoreEvent } from "../store/store_event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/**
 * Logs and counts what a store reports.
 *
 * @param event What it reports.
 * @param logger Receives it as an operational event.
 * @param metrics What is counted.
 */
export function reportStoreEvent(event: StoreEvent, logger: Logger, metrics: Metrics): void {
  switch (event.type) {
    case "record_damaged":
      metrics.recordsDamaged++;
      return logger("error", event.type, { room: event.room, cursor: event.cursor });
    case "orphans_erased":
      return logger("info", event.type, { messages: event.messages });
    case "store_compacted":
      return logger("info", event.type, {});
    case "erase_failed":
    case "compact_failed":
      metrics.eraseFailures++;
      return logger("error", event.type, { error: event.error });
    case "store_timeout":
      metrics.storeTimeouts++;
      return logger("error", event.type, { error: event.error });
    case "store_not_durable": {
      const message = "synchronous_commit is off: a crash of the database may lose what was shown";
      return logger("warn", event.type, { message });
    }
    case "store_reopened":
      return logger("warn", event.type, {});
    case "store_reopen_failed":
    case "store_sweep_failed":
      return logger("error", event.type, { error: event.error });
    case "store_swept":
      return logger("info", event.type, { rooms: event.rooms, entries: event.entries });
  }
}

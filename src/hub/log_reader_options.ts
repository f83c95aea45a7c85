/**
 * The options of the reading of a room's log.
 *
 * @module
 */

import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { DeduplicationWindow } from "./deduplication_window.ts";
import type { Delivery } from "./delivery.ts";
import type { Erasures } from "./erasures.ts";
import type { FlushTracker } from "./flush_tracker.ts";
import type { OpeningGate } from "./opening_gate.ts";
import type { RecentChanges } from "./recent_changes.ts";
import type { RecentMessages } from "./recent_messages.ts";
import type { RoomHolds } from "./room_holds.ts";
import type { Tombstones } from "./tombstones.ts";

/** How a room's log is read. */
export interface LogReaderOptions {
  /** The name of the room. */
  readonly room: string;
  /** By user that was erased, the place up to which. */
  readonly erased: Map<string, string>;
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** The newest records of the room: filled on opening. */
  readonly recent: RecentMessages;
  /** Recognises duplicates: filled behind the opening. */
  readonly window: DeduplicationWindow;
  /** The newest changes of the room. */
  readonly changes: RecentChanges;
  /** Done to deleted messages that are found on opening. */
  readonly erasures: Erasures;
  /** Delivers what is read. */
  readonly delivery: Delivery;
  /** Written over duplicates that are found on opening. */
  readonly tombstones: Tombstones;
  /** Whether what members were sent last is still on its way. */
  readonly flushes: FlushTracker;
  /** Limits how many rooms are opened at a time. */
  readonly opening: OpeningGate;
  /** Keeps the room while its log is read. */
  readonly holds: RoomHolds;
  /** Called where the database was put back to an earlier state. */
  readonly onWentBack: () => void;
  /** Whether messages of this isolate are on their way, whose commit will read the log too. */
  readonly hasPending: () => boolean;
  /** Reads what holds in all rooms: called first of all. @default {undefined} it is that log */
  readonly openEverywhere?: () => Promise<unknown>;
  /** Reads what control records have set; called on opening where there are any. */
  readonly loadControls: () => Promise<void>;
  /** Receives operational events. Must not throw. */
  readonly logger: Logger;
  /** The hub's counters. */
  readonly metrics: Metrics;
}

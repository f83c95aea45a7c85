/**
 * The options of a room's pending messages.
 *
 * @module
 */

import type { RoomLog } from "../store/room_log.ts";
import type { Guard } from "../telemetry/guard.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { DeduplicationWindow } from "./deduplication_window.ts";
import type { Hooks } from "./hooks.ts";
import type { Moderation } from "./moderation.ts";
import type { RecentMessages } from "./recent_messages.ts";
import type { CommitAppend } from "./room_append.ts";
import type { RoomHold } from "./room_holds.ts";

/** How the pending messages of a room behave. */
export interface PendingMessagesOptions {
  /** The name of the room. */
  readonly room: string;
  /** Its newest messages. */
  readonly recent: Pick<RecentMessages, "get">;
  /** Recognises duplicates of what is in the log. */
  readonly window: Pick<DeduplicationWindow, "find">;
  /** Fills the window; undefined where that has been done. */
  readonly fillWindow: () => Promise<void> | undefined;
  /** The rooms' logs. */
  readonly log: Pick<RoomLog, "entryMaxBytes" | "get">;
  /** The hub's group commit. */
  readonly commits: { add(append: CommitAppend): boolean };
  /** Runs callbacks, which may throw, and logs. */
  readonly guard: Guard;
  /** The hub's counters. */
  readonly metrics: Metrics;
  /** Keeps the room while messages are on their way. */
  readonly hold: RoomHold;
  /** Judges messages before they are stored; without it all are accepted. */
  readonly moderation?: Moderation;
  /** Are told of what was stored. */
  readonly hooks?: Hooks;
  /** Creates the ULID of a message. */
  readonly createId: () => string;
  /** Tells the time, ISO 8601. */
  readonly timestamp: () => string;
  /** Whether the hub accepts no more messages. */
  readonly isDraining: () => boolean;
}

/**
 * What the rooms of a hub share.
 *
 * @module
 */

import type { GroupCommit } from "../store/group_commit.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Moderate } from "./moderation.ts";
import type { FlushTracker } from "./flush_tracker.ts";
import type { RoomAppend } from "./pending_messages.ts";
import type { ClusterMessage } from "../cluster/cluster_message.ts";
import type { Limits } from "../protocol/mod.ts";

/** What a room needs of its hub. */
export interface RoomContext {
  readonly log: RoomLog;
  readonly commits: GroupCommit<RoomAppend>;
  readonly flushes: FlushTracker;
  /** The name of this isolate. */
  readonly isolate: string;
  /** Whether nobody else appends to the log, so that a commit need not be read back. */
  readonly alone: boolean;
  /** Tells the other isolates. */
  readonly post: (message: ClusterMessage) => void;
  /** Takes note for the other isolates that a user is here, or is no longer. */
  readonly setPresence: (room: string, user: string, status: boolean) => void;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Judges messages before they are stored; without it all are. */
  readonly moderate?: Moderate;
  /** Makes the ULID of a message. */
  readonly createId: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether the hub takes no more messages. */
  readonly isDraining: () => boolean;
  /** Hears that the room has neither members nor work. */
  readonly onIdle: (room: string) => void;
}

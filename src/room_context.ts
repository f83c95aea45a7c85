/**
 * What the rooms of a hub share.
 *
 * @module
 */

import type { GroupCommit } from "./group_commit.ts";
import type { RoomLog } from "./log.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import type { Moderate } from "./moderation.ts";
import type { Outflow } from "./outflow.ts";
import type { RoomAppend } from "./outbox.ts";
import type { Packet } from "./packet.ts";
import type { Limits } from "./protocol.ts";
import type { Room } from "./room.ts";

/** What a room needs of its hub. */
export interface RoomContext {
  readonly log: RoomLog;
  readonly commits: GroupCommit<RoomAppend>;
  readonly outflow: Outflow;
  /** The name of this isolate. */
  readonly isolate: string;
  /** Whether nobody else appends to the log, so that a commit need not be read back. */
  readonly alone: boolean;
  /** Tells the other isolates. */
  readonly post: (packet: Packet) => void;
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
  readonly onIdle: (room: Room) => void;
}

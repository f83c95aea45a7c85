/**
 * The options of a room.
 *
 * @module
 */

import type { ClusterMessage } from "../cluster/cluster_message.ts";
import type { Presence } from "../cluster/presence.ts";
import type { Limits } from "../protocol/mod.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { HeldBytes } from "./append_pacer.ts";
import type { Everywhere } from "./everywhere.ts";
import type { OpeningGate } from "./opening_gate.ts";
import type { PendingMessagesOptions } from "./pending_options.ts";
import type { RecentMessagesTotal } from "./recent_messages.ts";
import type { StatusFrames } from "./status_frames.ts";

/** The options that a room gives to its parts by itself. */
type OfRoom = "fillWindow" | "hold" | "recent" | "room" | "window";

/** How a room behaves: what its hub gives it. */
export interface RoomOptions extends Omit<PendingMessagesOptions, OfRoom> {
  /** What members may do. */
  readonly limits: Limits;
  /** What all rooms keep in memory of their recent messages. */
  readonly recentTotal: RecentMessagesTotal;
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** Limits how many rooms are opened at a time. */
  readonly opening: OpeningGate;
  /** What holds in all rooms. */
  readonly everywhere: Everywhere;
  /** The bytes of appends that all rooms hold back. */
  readonly held: HeldBytes;
  /** The frames about typing that all rooms send. */
  readonly statusFrames: StatusFrames;
  /** The users in each room. */
  readonly presence: Presence;
  /** The id of this isolate. */
  readonly isolate: string;
  /** Whether nobody else appends to the log, so that a commit need not be read back. */
  readonly alone: boolean;
  /** Called where the database was put back to an earlier state. */
  readonly onWentBack: () => void;
  /** Called where the room was deleted. */
  readonly onDeleted: (room: string) => void;
  /** Sends a message to the other isolates. Must not throw. */
  readonly post: (message: ClusterMessage) => void;
}

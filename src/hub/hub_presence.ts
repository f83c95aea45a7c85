/**
 * The presence of a hub: who is in its rooms, on all isolates.
 *
 * @module
 */

import type { Cluster } from "../cluster/cluster.ts";
import { Presence } from "../cluster/presence.ts";
import type { RoomTable } from "./room_table.ts";

/** What {@linkcode createHubPresence} needs. */
export interface HubPresenceOptions {
  /** The id of the isolate. */
  readonly isolate: string;
  /** The rooms in memory. */
  readonly rooms: RoomTable;
  /** The other isolates; undefined for a hub that is alone. */
  readonly cluster: () => Pick<Cluster, "post" | "setInterest"> | undefined;
  /** Milliseconds between two heartbeats. @default {undefined} that of `Presence` */
  readonly heartbeatMs?: number;
  /** Milliseconds after which an isolate that is silent is gone. @default {undefined} the same */
  readonly expiryMs?: number;
}

/**
 * Creates the presence of a hub, whose changes its rooms are notified of.
 *
 * @param options The hub.
 * @returns A presence without users.
 */
export function createHubPresence(options: HubPresenceOptions): Presence {
  const { isolate, rooms, cluster, heartbeatMs, expiryMs } = options;
  return new Presence({
    isolate,
    post: (message) => cluster()?.post(message),
    onInterest: (room, isNeeded) => cluster()?.setInterest(room, isNeeded),
    onChange: (room, user, status) => rooms.find(room)?.notifyPresence(user, status),
    onRename: (room, user) => rooms.find(room)?.notifyPresence(user, undefined),
    onRemoteLeave: (from, room, user) => rooms.find(room)?.typing.setRemote(from, user, false),
    heartbeatMs,
    expiryMs,
  });
}

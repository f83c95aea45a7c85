/**
 * What a hub does when its database was put back to an earlier state.
 *
 * @module
 */

import type { Cluster } from "../cluster/cluster.ts";
import { CLOSE_CODES } from "../protocol/mod.ts";
import type { Guard } from "../telemetry/guard.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { RoomTable } from "./room_table.ts";

/**
 * Makes what is called where the database was put back: the logs are no longer those that were read,
 * so members come back, and resume what is left.
 *
 * @param hub The hub's rooms, and the other isolates.
 * @returns Closes all rooms.
 */
export function createWentBack(hub: {
  readonly rooms: RoomTable;
  readonly cluster: () => Cluster | undefined;
  readonly guard: Guard;
  readonly metrics: Metrics;
}): () => void {
  const { rooms, cluster, guard, metrics } = hub;
  return () => {
    metrics.storeWentBack++;
    guard.logger("error", "store_went_back", { rooms: rooms.size });
    cluster()?.forget();
    const { code } = CLOSE_CODES.internalError;
    rooms.disconnect(code, "The database was put back to an earlier state");
  };
}

/**
 * What a hub does when its database was put back to an earlier state.
 *
 * @module
 */

import { CLOSE_CODES } from "../protocol/mod.ts";
import type { Guard } from "../telemetry/guard.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Commits } from "./commits.ts";
import type { RoomTable } from "./room_table.ts";

/**
 * Makes what is called where the database was put back: the logs are no longer those that were read,
 * so members come back, and resume what is left.
 *
 * @param hub The hub's rooms, and its commits.
 * @returns Closes all rooms.
 */
export function createWentBack(hub: {
  readonly rooms: RoomTable;
  readonly commits: () => Pick<Commits, "forget">;
  readonly guard: Guard;
  readonly metrics: Metrics;
}): () => void {
  const { rooms, commits, guard, metrics } = hub;
  return () => {
    metrics.storeWentBack++;
    guard.logger("error", "store_went_back", { rooms: rooms.size });
    commits().forget();
    const { code } = CLOSE_CODES.internalError;
    rooms.disconnect(code, "The database was put back to an earlier state");
  };
}

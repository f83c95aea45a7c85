/**
 * The end of a hub.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import type { Cluster } from "../cluster/cluster.ts";
import type { Presence } from "../cluster/presence.ts";
import type { Logger } from "../telemetry/logger.ts";
import { sendAway, settled } from "./drain.ts";
import type { RoomTable } from "./room_table.ts";

/** Milliseconds that a drain waits for storage: Deno Deploy kills after 5 s. */
const DRAIN_STORE_MS = 2_500;
/** Milliseconds that a fan-out has to send what waits. */
const FANOUT_CLOSE_MS = 500;

/** The parts of a hub that stops. */
export interface DrainedHub {
  /** Its rooms. */
  readonly rooms: RoomTable;
  /** What messages go through, in this order. */
  readonly steps: Parameters<typeof settled>;
  /** The other isolates; undefined for a hub that is alone. */
  readonly cluster: Cluster | undefined;
  /** The users in each room. */
  readonly presence: Presence;
  /** Ends the upkeep of the store. */
  readonly detach: () => Promise<void>;
  /** Receives operational events. */
  readonly logger: Logger;
}

/**
 * Stops a hub that accepts no more messages: stores what was accepted, notifies the members and
 * closes their connections.
 *
 * @param hub Its parts.
 */
export async function drainHub(
  { rooms, steps, cluster, presence, detach, logger }: DrainedHub,
): Promise<void> {
  const until = performance.now() + DRAIN_STORE_MS;
  rooms.release();
  try {
    await deadline(settled(...steps), DRAIN_STORE_MS);
  } catch (error) {
    logger("error", "drain_incomplete", { error });
  }
  const subscriptions = rooms.dismiss();
  for (const subscription of subscriptions) sendAway(subscription, subscriptions.length);
  const closed = cluster?.close({ goodbye: true });
  presence.close({ goodbye: false });
  // Reads that nobody waits for any more: the database may be closed when they are answered.
  await deadline(detach(), Math.max(0, until - performance.now())).catch(() => {});
  // The others are to hear that this one is gone.
  if (closed) await deadline(closed, FANOUT_CLOSE_MS).catch(() => {});
}

/**
 * The last words to members of a hub that stops.
 *
 * @module
 */

import { CLOSE_CODES, encodeEnvelope } from "../protocol/mod.ts";
import { EnvelopeBatch } from "./envelope_batch.ts";
import type { RoomSubscription } from "./subscription.ts";

/** Milliseconds over which members are asked to come back, and more for each of them. */
const RECONNECT_SPREAD_MS = 1_000;
const RECONNECT_SPREAD_MS_PER_MEMBER = 5;
const RECONNECT_SPREAD_MAX_MS = 30_000;

/**
 * Asks a member to come back, and closes its connection.
 *
 * @param subscription The member's subscription.
 * @param members How many are asked: over the more time their return is spread.
 */
export function sendAway(subscription: RoomSubscription, members: number): void {
  const spread = RECONNECT_SPREAD_MS + RECONNECT_SPREAD_MS_PER_MEMBER * members;
  const most = Math.min(RECONNECT_SPREAD_MAX_MS, spread);
  const payload = { reconnect_after_ms: Math.floor(Math.random() * most) };
  subscription.send(new EnvelopeBatch([encodeEnvelope({ type: "draining", payload })]));
  subscription.disconnect(CLOSE_CODES.draining.code, "The server is stopping");
}

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
  subscription.send(drainingBatch(members));
  subscription.disconnect(CLOSE_CODES.draining.code, "The server is stopping");
}

/**
 * Makes the batch that asks a connection to come back, after a time of its own.
 *
 * @param members How many are asked: over the more time their return is spread.
 * @returns The batch.
 */
export function drainingBatch(members: number): EnvelopeBatch {
  const spread = RECONNECT_SPREAD_MS + RECONNECT_SPREAD_MS_PER_MEMBER * members;
  const most = Math.min(RECONNECT_SPREAD_MAX_MS, spread);
  const payload = { reconnect_after_ms: Math.floor(Math.random() * most) };
  // Both protocols have the same form of it.
  const envelopes = [encodeEnvelope({ type: "draining", payload })];
  return new EnvelopeBatch(envelopes, { v2: { encode: () => envelopes } });
}

/**
 * Waits until what was accepted is judged, and then stored.
 *
 * @param steps What messages go through, in this order.
 * @returns Settles when nothing is left of it in any.
 */
export async function settled(
  ...steps: ({ idle(): Promise<void> } | undefined)[]
): Promise<void> {
  for (const step of steps) await step?.idle();
}

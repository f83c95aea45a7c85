/**
 * The request that a room's log is read for.
 *
 * @module
 */

import { readCostMs } from "../access/processor_costs.ts";
import type { SharedSlot } from "../access/request_slot.ts";
import type { Requester } from "../hub/requester.ts";

/**
 * Has what is read for a request count for its address, and wait in turn with what is read for others.
 *
 * @param slot The request's place within limits; undefined where none holds.
 * @returns Whom the hub reads for.
 */
export function requesterOf(slot: SharedSlot | undefined): Requester {
  return {
    address: slot?.share,
    onRead: (length) => slot?.processor?.charge(readCostMs(length)),
  };
}

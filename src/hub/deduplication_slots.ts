/**
 * What the deduplication window keeps of records.
 *
 * @module
 */

import { CURSOR_LENGTH } from "../store/cursor.ts";

/** What is kept of records, by slot: some 50 bytes for each. */
export class DeduplicationSlots {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** The hash of what the first message's sender sent; 0 where it is unknown. */
  readonly hash: Uint32Array;
  readonly sentAt: Float64Array;
  /** UTF-16 code units of the envelope; 0 for a duplicate. */
  readonly length: Uint32Array;
  /** The cursor of the first message of that key. */
  readonly cursor: Uint8Array;
  /** By slot, the next older slot with the same bucket, plus one. */
  readonly older: Int32Array;
  /** By bucket, its newest slot, plus one. */
  readonly buckets: Int32Array;

  constructor(readonly capacity: number) {
    [this.high, this.low, this.hash, this.length] = Array.from({ length: 4 }, () => {
      return new Uint32Array(capacity);
    });
    this.sentAt = new Float64Array(capacity);
    this.cursor = new Uint8Array(CURSOR_LENGTH * capacity);
    this.older = new Int32Array(capacity);
    this.buckets = new Int32Array(capacity);
  }

  /**
   * Copies records into twice as many slots, where their buckets are still to be filled. In two
   * pieces, for each is in one piece here and there: it happens while messages are delivered.
   */
  doubled(from: number, to: number): DeduplicationSlots {
    const slots = new DeduplicationSlots(2 * this.capacity);
    const middle = Math.min(to, from - from % this.capacity + this.capacity);
    for (const [start, end] of [[from, middle], [middle, to]]) {
      const here = start & (this.capacity - 1);
      const there = start & (slots.capacity - 1);
      for (const name of ["high", "low", "hash", "sentAt", "length"] as const) {
        slots[name].set(this[name].subarray(here, here + end - start), there);
      }
      const bytes = [here, here + end - start].map((slot) => slot * CURSOR_LENGTH);
      slots.cursor.set(this.cursor.subarray(...bytes), there * CURSOR_LENGTH);
    }
    return slots;
  }
}

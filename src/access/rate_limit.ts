/**
 * How often each of many may do something.
 *
 * @module
 */

import { TokenBucket, type TokenBucketOptions } from "./token_bucket.ts";

/** Buckets above which those that are full again are thrown away. */
const SWEEP_FROM = 1_000;

/**
 * A token bucket for each name. Names come from outside, so only those are kept that a new bucket
 * would treat better: memory is bounded by how many can do something within one refill.
 *
 * @example
 * ```ts
 * import { RateLimit } from "./rate_limit.ts";
 *
 * const limit = new RateLimit({ perSecond: 40, burst: 80 });
 * console.log(limit.take("ann")); // 0: no need to wait
 * ```
 */
export class RateLimit {
  readonly #options: TokenBucketOptions;
  readonly #buckets = new Map<string, TokenBucket>();
  #sweepAt = SWEEP_FROM;

  /**
   * Makes one.
   *
   * @param options How much, how often, for each name.
   */
  constructor(options: TokenBucketOptions) {
    this.#options = options;
  }

  /** How many names are kept. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes a token from the bucket of a name, where there is one.
   *
   * @param name The name.
   * @returns 0 where it was taken; else the milliseconds until there is one again.
   */
  take(name: string): number {
    let bucket = this.#buckets.get(name);
    if (!bucket) {
      if (this.#buckets.size >= this.#sweepAt) this.#sweep();
      this.#buckets.set(name, bucket = new TokenBucket(this.#options));
    }
    return bucket.take();
  }

  #sweep(): void {
    for (const [name, bucket] of this.#buckets) if (bucket.isFull) this.#buckets.delete(name);
    // Else a time of many names would sweep at every one of them.
    this.#sweepAt = Math.max(SWEEP_FROM, 2 * this.#buckets.size);
  }
}

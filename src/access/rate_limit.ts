/**
 * Rate limits by key.
 *
 * @module
 */

import { TokenBucket, type TokenBucketOptions } from "./token_bucket.ts";

/** Buckets above which full ones are deleted. */
const SWEEP_FROM = 1_000;

/**
 * A token bucket for each key, such as a user or an address. Keys come from outside: a bucket is
 * kept until it is full again, so memory is bounded by the keys that are used within one refill.
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
   * Creates the rate limit.
   *
   * @param options Rate and burst of each key.
   */
  constructor(options: TokenBucketOptions) {
    this.#options = options;
  }

  /** Buckets in memory. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes a token from the bucket of a key.
   *
   * @param name The key.
   * @returns 0 if it was taken; else the milliseconds until there is one again.
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
    // Else a time of many keys would sweep at every one of them.
    this.#sweepAt = Math.max(SWEEP_FROM, 2 * this.#buckets.size);
  }
}

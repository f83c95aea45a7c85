/**
 * How often something may happen.
 *
 * @module
 */

/** How {@linkcode TokenBucket} behaves. */
export interface TokenBucketOptions {
  /** Tokens that come back each second. */
  readonly perSecond: number;
  /** Tokens there are at most, and at the start. */
  readonly burst: number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/**
 * A token bucket: bursts are fine, the long run is limited.
 *
 * @example
 * ```ts
 * import { TokenBucket } from "./token_bucket.ts";
 *
 * const bucket = new TokenBucket({ perSecond: 20, burst: 40 });
 * const waitMs = bucket.take();
 * if (waitMs > 0) console.log(`Try again in ${waitMs} ms`);
 * ```
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /** @param options How much, how often. */
  constructor(options: TokenBucketOptions) {
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#now = options.now ?? (() => performance.now());
    this.#tokens = options.burst;
    this.#filledAt = this.#now();
  }

  /**
   * Takes a token, where there is one.
   *
   * @returns 0 where it was taken; else the milliseconds, rounded up, until there is one again.
   */
  take(): number {
    this.#fill();
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) / this.#perSecond * 1000);
    this.#tokens--;
    return 0;
  }

  /** Whether it is as full as it can be: then a new one would do as well. */
  get isFull(): boolean {
    this.#fill();
    return this.#tokens >= this.#burst;
  }

  #fill(): void {
    const now = this.#now();
    const earned = (now - this.#filledAt) / 1000 * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#filledAt = now;
  }
}

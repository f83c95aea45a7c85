/**
 * Token bucket.
 *
 * @module
 */

/** Options of {@linkcode TokenBucket}. */
export interface TokenBucketOptions {
  /** Tokens added each second. */
  readonly perSecond: number;
  /** Capacity: tokens at most, and at the start. */
  readonly burst: number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/**
 * A token bucket: allows bursts, and limits the average rate.
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

  /** @param options Rate and burst. */
  constructor(options: TokenBucketOptions) {
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#now = options.now ?? (() => performance.now());
    this.#tokens = options.burst;
    this.#filledAt = this.#now();
  }

  /**
   * Takes a token.
   *
   * @returns 0 if it was taken; else the milliseconds, rounded up, until there is one again.
   */
  take(): number {
    this.#fill();
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) / this.#perSecond * 1000);
    this.#tokens--;
    return 0;
  }

  /** Whether it is full, as a new one is. */
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

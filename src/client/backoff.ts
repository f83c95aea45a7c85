/**
 * Exponential backoff.
 *
 * @module
 */

/** How {@linkcode Backoff} behaves. */
export interface BackoffOptions {
  /** The most milliseconds before the first try; doubles with each. */
  readonly minDelayMs: number;
  /** The most milliseconds before any try. */
  readonly maxDelayMs: number;
}

/** Doublings beyond this one make no difference, and would end at Infinity. */
const DOUBLINGS_MAX = 30;

/**
 * Exponential backoff with full jitter: the waits are spread evenly from 0 to a limit that doubles,
 * so that clients that lost a server together do not come back together.
 *
 * @example
 * ```ts
 * import { Backoff } from "./backoff.ts";
 *
 * const backoff = new Backoff({ minDelayMs: 500, maxDelayMs: 30_000 });
 * console.log(`The first try is in ${backoff.next()} ms`);
 * console.log(backoff.bound(3_600_000)); // 15000 to 30000, not an hour
 * ```
 */
export class Backoff {
  readonly #minDelayMs: number;
  readonly #maxDelayMs: number;
  #tries = 0;

  /** @param options How long. */
  constructor(options: BackoffOptions) {
    this.#minDelayMs = options.minDelayMs;
    this.#maxDelayMs = options.maxDelayMs;
  }

  /**
   * Draws the wait before the next try.
   *
   * @returns Milliseconds, whole.
   */
  next(): number {
    const doublings = Math.min(this.#tries++, DOUBLINGS_MAX);
    const most = Math.min(this.#maxDelayMs, this.#minDelayMs * 2 ** doublings);
    return Math.floor(Math.random() * most);
  }

  /**
   * Bounds a wait that the other side asks for.
   *
   * @param delayMs Milliseconds, of whatever value came over the wire; undefined where it asks for
   * none.
   * @returns The same where it is within the bounds. Where it is too long, the longest one with
   * jitter: all others were asked for the same. Where there is none, the next of its own.
   */
  bound(delayMs: number | undefined): number {
    if (typeof delayMs !== "number" || !(delayMs >= 0)) return this.next();
    if (delayMs <= this.#maxDelayMs) return delayMs;
    return Math.ceil(this.#maxDelayMs * (1 + Math.random()) / 2);
  }

  /** Starts anew, after a success. */
  reset(): void {
    this.#tries = 0;
  }
}

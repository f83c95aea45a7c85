/**
 * How long to wait before the next try.
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
   * Says how long to wait this time.
   *
   * @returns Milliseconds, whole.
   */
  next(): number {
    const doublings = Math.min(this.#tries++, DOUBLINGS_MAX);
    const most = Math.min(this.#maxDelayMs, this.#minDelayMs * 2 ** doublings);
    return Math.floor(Math.random() * most);
  }

  /** Starts anew, after a success. */
  reset(): void {
    this.#tries = 0;
  }
}

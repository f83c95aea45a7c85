/**
 * The delay of refusals to those who do not stop asking.
 *
 * @module
 */

import { RateLimit } from "../access/rate_limit.ts";

/** Refusals of an address that are answered at once: so many together, and a second in the long run. */
const AT_ONCE = 50;
const AT_ONCE_PER_SECOND = 5;
/** Milliseconds that all others wait, to the next of so many looks. */
const DELAY_MS = 1_000;
const LOOK_MS = 100;
/** Refusals that wait at most: each is a request that the runtime keeps. */
const WAITING_MAX = 8_000;

/**
 * Delays refusals to addresses that go on asking. A connection that has thousands of requests sent on
 * without waiting for an answer is refused once a second then, where 3,000 refusals a second kept the
 * processor busy; the runtime does not close a connection because an answer says so.
 *
 * @example
 * ```ts
 * import { RefusalDelay } from "./refusal_delay.ts";
 *
 * const delay = new RefusalDelay();
 * console.log(delay.of("192.0.2.1")); // undefined: at once
 * ```
 */
export class RefusalDelay {
  readonly #rates: RateLimit;
  readonly #now: () => number;
  /** Those that wait, the oldest first: all wait equally long. */
  #waiting: { readonly until: number; readonly go: () => void }[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #isOver = false;

  /** @param options Milliseconds on a clock that never goes back. @default {performance.now} */
  constructor({ now = () => performance.now() }: { readonly now?: () => number } = {}) {
    this.#now = now;
    this.#rates = new RateLimit({ perSecond: AT_ONCE_PER_SECOND, burst: AT_ONCE, now });
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Delays a refusal.
   *
   * @param address The address that is refused; undefined where no limit of an address was reached.
   * @returns Settles when it may be answered; undefined where it may at once. Never rejects.
   */
  of(address: string | undefined): Promise<void> | undefined {
    if (address === undefined || this.#isOver || this.#waiting.length >= WAITING_MAX) {
      return undefined;
    }
    if (this.#rates.take(address) === 0) return undefined;
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    return new Promise((go) => this.#waiting.push({ until: this.#now() + DELAY_MS, go }));
  }

  /** Lets all go at once, and delays nobody any more. */
  stop(): void {
    this.#isOver = true;
    this.#release(this.#waiting.length);
  }

  #look(): void {
    const now = this.#now();
    const first = this.#waiting.findIndex(({ until }) => until > now);
    this.#release(first < 0 ? this.#waiting.length : first);
  }

  #release(count: number): void {
    for (const { go } of this.#waiting.splice(0, count)) go();
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

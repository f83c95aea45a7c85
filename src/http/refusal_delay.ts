/**
 * The delay of refusals to those who do not stop asking.
 *
 * @module
 */

import { RateLimit } from "../access/rate_limit.ts";

/** Refusals of an address that are answered at once: so many together, and a second in the long run. */
const AT_ONCE = 50;
const AT_ONCE_PER_SECOND = 5;
/** Milliseconds that all others wait, at least. */
const DELAY_MS = 1_000;
/** Milliseconds between two looks, and refusals that are answered in one: 200 a second. */
const LOOK_MS = 20;
const IN_A_LOOK = 4;
/** Refusals that wait at most, in all and of one address: each is 20 kB that the runtime keeps. */
const WAITING_MAX = 6_000;
const WAITING_MAX_PER_ADDRESS = 3_000;

/** A refusal that waits. */
interface Waiting {
  readonly until: number;
  readonly go: () => void;
}

/**
 * Delays refusals to addresses that go on asking, and answers few of them a second, in rounds over
 * the addresses. A client that waits for an answer before it asks again is slowed down by that, where 3,000
 * refusals a second kept the processor busy; the runtime does not close a connection because an
 * answer says so.
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
  /** Those that wait, by address, the oldest first; the address whose turn it is first. */
  readonly #lanes = new Map<string, Set<Waiting>>();
  #waiting = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isOver = false;

  /** @param options Milliseconds on a clock that never goes back. @default {performance.now} */
  constructor({ now = () => performance.now() }: { readonly now?: () => number } = {}) {
    this.#now = now;
    this.#rates = new RateLimit({ perSecond: AT_ONCE_PER_SECOND, burst: AT_ONCE, now });
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Delays a refusal.
   *
   * @param address The address that is refused; undefined where no limit of an address was reached.
   * @param mayWait Tells whether the request is small enough to be kept. @default {undefined} it is
   * @returns Settles when it may be answered; undefined where it may at once, and "full" where it
   * would have to wait and cannot: then its connection is to be closed. Never rejects.
   */
  of(address: string | undefined, mayWait = () => true): Promise<void> | "full" | undefined {
    if (address === undefined || this.#isOver) return undefined;
    if (this.#rates.take(address) === 0) return undefined;
    if (this.#waiting >= WAITING_MAX || !mayWait()) return "full";
    let lane = this.#lanes.get(address);
    if (!lane) this.#lanes.set(address, lane = new Set());
    if (lane.size >= WAITING_MAX_PER_ADDRESS) return "full";
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    const { promise, resolve: go } = Promise.withResolvers<void>();
    const waiting = { until: this.#now() + DELAY_MS, go };
    lane.add(waiting);
    this.#waiting++;
    return promise;
  }

  /** Lets all go at once, and delays nobody any more. */
  stop(): void {
    this.#isOver = true;
    for (const [address, lane] of this.#lanes) {
      for (const waiting of lane) this.#release(address, waiting);
    }
  }

  #look(): void {
    const now = this.#now();
    let left = IN_A_LOOK;
    for (let some = true; some && left > 0;) {
      some = false;
      for (const [address, lane] of [...this.#lanes]) {
        const [first] = lane;
        if (left === 0 || first.until > now) continue;
        left--;
        some = true;
        // It goes to the end of the round.
        this.#lanes.delete(address);
        this.#lanes.set(address, lane);
        this.#release(address, first);
      }
    }
  }

  #release(address: string, waiting: Waiting): void {
    const lane = this.#lanes.get(address);
    if (!lane?.delete(waiting)) return;
    if (lane.size === 0) this.#lanes.delete(address);
    this.#waiting--;
    waiting.go();
    if (this.#waiting > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

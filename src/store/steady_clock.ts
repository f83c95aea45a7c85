/**
 * The time of day, for what must not be undone when the clock is set right.
 *
 * @module
 */

/** Milliseconds by which a clock may run ahead before it is doubted. */
const TOLERANCE_MS = 60_000;
/** Milliseconds after which a clock that stays ahead is believed. */
const DOUBT_MS = 60 * 60 * 1000;

/**
 * A clock that does not jump ahead with the system's: where that was wrong for a minute, nothing
 * counts as older than it is. It goes back with it at once, and believes it after an hour.
 *
 * @example
 * ```ts
 * import { SteadyClock } from "./steady_clock.ts";
 *
 * const clock = new SteadyClock(Date.now, () => performance.now());
 * console.log(new Date(clock.now()).toISOString());
 * ```
 */
export class SteadyClock {
  readonly #now: () => number;
  readonly #elapsed: () => number;
  /** A time that was believed, and when. */
  #anchor: { readonly time: number; readonly at: number };
  #doubtedAt: number | undefined;

  /**
   * @param now Milliseconds since the epoch, as the system says.
   * @param elapsed Milliseconds on a clock that never goes back.
   */
  constructor(now: () => number, elapsed: () => number) {
    this.#now = now;
    this.#elapsed = elapsed;
    this.#anchor = { time: now(), at: elapsed() };
  }

  /** Milliseconds on the clock that never goes back. */
  get elapsed(): number {
    return this.#elapsed();
  }

  /**
   * The time of day.
   *
   * @returns Milliseconds since the epoch; less than what the system says while that is in doubt.
   */
  now(): number {
    const [time, at] = [this.#now(), this.#elapsed()];
    const expected = this.#anchor.time + (at - this.#anchor.at);
    if (time > expected + TOLERANCE_MS) {
      this.#doubtedAt ??= at;
      if (at - this.#doubtedAt < DOUBT_MS) return expected;
    }
    this.#doubtedAt = undefined;
    this.#anchor = { time, at };
    return time;
  }
}

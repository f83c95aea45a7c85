/**
 * Pauses that end when there is nothing more to wait for.
 *
 * @module
 */

/**
 * Timers that are ended together.
 *
 * @example
 * ```ts
 * import { Pauses } from "./pauses.ts";
 *
 * const pauses = new Pauses();
 * const pause = pauses.wait(60_000);
 * pauses.end();
 * await pause;
 * ```
 */
export class Pauses {
  readonly #ends = new Set<() => void>();
  #isEnded = false;

  /**
   * Waits.
   *
   * @param ms Milliseconds.
   * @returns Settles after that time, or when all pauses are ended.
   */
  wait(ms: number): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#ends.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#ends.add(end);
    });
  }

  /** Ends all pauses, and those that come. */
  end(): void {
    this.#isEnded = true;
    for (const end of this.#ends) end();
  }
}

/**
 * A histogram of values.
 *
 * @module
 */

/**
 * A histogram: counts values by size, cheap enough for every commit.
 *
 * @example
 * ```ts
 * import { Histogram } from "./histogram.ts";
 *
 * const seconds = new Histogram([0.001, 0.01, 0.1, 1]);
 * seconds.observe(0.02);
 * console.log(seconds.counts); // [0, 0, 1, 0, 0]
 * ```
 */
export class Histogram {
  /** The upper ends of all buckets but the last, which has none, ascending. */
  readonly bounds: readonly number[];
  /** The number of values in each bucket. */
  readonly counts: number[];
  /** The sum of all values. */
  sum = 0;

  /**
   * Creates a histogram without values.
   *
   * @param bounds The upper ends, inclusive, ascending.
   */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array<number>(bounds.length + 1).fill(0);
  }

  /**
   * Counts a value.
   *
   * @param value The value.
   */
  observe(value: number): void {
    let i = 0;
    while (i < this.bounds.length && value > this.bounds[i]) i++;
    this.counts[i]++;
    this.sum += value;
  }
}

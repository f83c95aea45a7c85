/**
 * How large values are.
 *
 * @module
 */

/**
 * Counts values by size. Cheap enough for every commit; read by whoever shows it.
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
  /** How many values are in each bucket. */
  readonly counts: number[];
  /** All values together. */
  sum = 0;

  /**
   * Makes one without values.
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

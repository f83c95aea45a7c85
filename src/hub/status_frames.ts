/**
 * The frames about typing that all rooms of a hub send.
 *
 * @module
 */

/** Frames a second beyond which rooms that gather changes wait with them. */
const FRAMES_PER_SECOND = 8_000;
/** Milliseconds of that rate which may be sent at once. */
const BURST_MS = 250;
/** Milliseconds after which it was all long ago, however much was sent. */
const LONGEST_MS = 2_000;

/**
 * The rate of frames about typing, over all rooms: each room alone sends few enough, but eighty people
 * who type in a hundred rooms took all of a processor.
 *
 * @example
 * ```ts
 * import { StatusFrames } from "./status_frames.ts";
 *
 * const frames = new StatusFrames();
 * frames.spend(1_000);
 * console.log(frames.isOver); // false: so many may go out at once
 * ```
 */
export class StatusFrames {
  /** When what was sent so far is within the rate. */
  #evenAt = -Infinity;

  /** Whether so much was sent that what can wait should. */
  get isOver(): boolean {
    return this.#evenAt - performance.now() > BURST_MS;
  }

  /**
   * Counts frames.
   *
   * @param count How many are sent.
   */
  spend(count: number): void {
    const now = performance.now();
    const evenAt = Math.max(now, this.#evenAt) + count * 1_000 / FRAMES_PER_SECOND;
    this.#evenAt = Math.min(evenAt, now + LONGEST_MS);
  }
}

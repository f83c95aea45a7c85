/**
 * How long appends are gathered before they are stored together.
 *
 * @module
 */

/** How long to gather, as a part of the time that the last batch took to go out. */
const SHARE = 1;
/** Milliseconds that appends are gathered at most, after the last batch has gone out. */
const MAX_MS = 10;
/** Milliseconds below which a timer is not worth it. */
const MIN_MS = 0.5;
/** Every so many batches it is tried whether more come, so many times as many, and so long. */
const TRY_EVERY = 16;
const TRY_FACTOR = 1.5;
const TRY_MS = 2;

/**
 * Lets a busy hub fill its frames. After a batch has gone out, the next one waits until as many
 * appends have come as were in the last one, for as long as that took at most; now and then it is
 * tried whether more would come. Where nothing goes out, or the last batch did a while ago, nothing
 * waits.
 *
 * @example
 * ```ts
 * import { BatchWindow } from "./batch_window.ts";
 *
 * const batchWindow = new BatchWindow(() => Promise.resolve());
 * batchWindow.add(); // one is there
 * await batchWindow.enough(); // at once: nothing is going out
 * batchWindow.take(1);
 * await batchWindow.sent();
 * ```
 */
export class BatchWindow {
  readonly #drained: () => Promise<void>;
  readonly #now: () => number;
  /** Appends that wait. */
  #waiting = 0;
  /** How many there were in the last batch. */
  #usual = 0;
  /** How many are waited for now. */
  #target = 0;
  #batches = 0;
  /** Until when that many are waited for. */
  #until = 0;
  #onEnough: (() => void) | undefined;

  /**
   * Begins with nothing.
   *
   * @param drained Settles when what was sent has gone out.
   * @param now Milliseconds on a clock that never goes back.
   */
  constructor(drained: () => Promise<void>, now: () => number = () => performance.now()) {
    this.#drained = drained;
    this.#now = now;
  }

  /** Counts one more append that waits. */
  add(): void {
    if (++this.#waiting >= this.#target) this.#onEnough?.();
  }

  /**
   * Counts a batch as taken.
   *
   * @param count How many appends are in it.
   */
  take(count: number): void {
    this.#waiting -= count;
    this.#usual = count;
  }

  /** Waits until the batch, which was handed to members, has gone out. */
  async sent(): Promise<void> {
    const startedAt = this.#now();
    await this.#drained();
    const endedAt = this.#now();
    this.#until = endedAt + Math.min(MAX_MS, SHARE * (endedAt - startedAt));
  }

  /** Waits until enough appends wait, or have been waited for long enough. */
  async enough(): Promise<void> {
    const left = this.#until - this.#now();
    if (left < MIN_MS) return;
    await this.#reach(this.#usual, left);
    if (++this.#batches % TRY_EVERY === 0) {
      await this.#reach(Math.ceil(TRY_FACTOR * this.#usual), Math.min(TRY_MS, left));
    }
  }

  /** Waits until so many appends wait, or so many milliseconds have passed. */
  async #reach(target: number, ms: number): Promise<void> {
    if (this.#waiting >= target) return;
    this.#target = target;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onEnough = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onEnough = undefined;
  }
}

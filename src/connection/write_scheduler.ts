/**
 * Sockets that are sent several frames each, in turns.
 *
 * @module
 */

import { FlushTracker, lastInTime, type Recipient } from "../hub/flush_tracker.ts";

/**
 * UTF-16 code units, and sockets, that are sent to before it is waited for that they have it: what
 * is under way should stay in the processor's cache, and no socket's turn come again too soon.
 */
const AT_ONCE_LENGTH = 512 * 1024;
const AT_ONCE = 512;

/** A socket with frames that wait for their turn. */
export interface ScheduledWriter extends Recipient {
  /** UTF-16 code units of its next frame. */
  readonly nextLength: number;
  /**
   * Sends the next frame. Must not throw.
   *
   * @returns Whether more wait.
   */
  sendNext(): boolean;
}

/**
 * Sends many sockets one frame each, lets the runtime write them, and goes on with the next. All
 * frames of one socket after another would cost a quarter more: the peer wakes up for each of them,
 * and what waits for everybody at once does not stay in the processor's cache.
 *
 * @example
 * ```ts
 * import { WriteScheduler } from "./write_scheduler.ts";
 *
 * const scheduler = new WriteScheduler();
 * const frames = ["second", "third"];
 * console.log("first");
 * scheduler.add({
 *   isBehind: false,
 *   nextLength: 6,
 *   sendNext() {
 *     console.log(frames.shift());
 *     return frames.length > 0;
 *   },
 * });
 * ```
 */
export class WriteScheduler {
  readonly #flushes = new FlushTracker();
  #waiting: ScheduledWriter[] = [];
  #isRunning = false;

  /**
   * Takes a socket in.
   *
   * @param taker The socket, until none of its frames wait; must not be in already.
   */
  add(taker: ScheduledWriter): void {
    this.#waiting.push(taker);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // Whoever is sent the same in this turn of the event loop comes in first.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await this.#flushes.drained();
      const takers = this.#take();
      this.#flushes.sent(lastInTime(takers));
      for (const taker of takers) if (taker.sendNext()) this.#waiting.push(taker);
    }
    this.#isRunning = false;
  }

  /** Takes those out whose turn it is. */
  #take(): ScheduledWriter[] {
    let [count, length] = [0, 0];
    while (count < Math.min(AT_ONCE, this.#waiting.length) && length < AT_ONCE_LENGTH) {
      length += this.#waiting[count++].nextLength;
    }
    return this.#waiting.splice(0, count);
  }
}

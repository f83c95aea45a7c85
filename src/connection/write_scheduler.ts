/**
 * The scheduler of writes to many sockets.
 *
 * @module
 */

import { FlushTracker, lastInTime, type Recipient } from "../hub/flush_tracker.ts";

/**
 * UTF-16 code units, and sockets, that are sent to before the scheduler waits until the runtime has
 * written them: what is under way should stay in the processor's cache, and no socket's turn come
 * again too soon. Found with the sweeps of members (`deno task curves members`).
 */
const AT_ONCE_LENGTH = 512 * 1024;
const AT_ONCE = 512;

/** A socket with frames that wait for their turn, as far as the scheduler knows it. */
export interface ScheduledWriter extends Recipient {
  /** UTF-16 code units of the next frame. */
  readonly nextLength: number;
  /**
   * Sends the next frame. Must not throw.
   *
   * @returns Whether more wait.
   */
  sendNext(): boolean;
}

/**
 * Schedules writes: sends many sockets one frame each, lets the runtime write them, and goes on with
 * the next. All frames of one socket after another would cost a quarter more: the peer wakes up for each of them,
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
   * Schedules a socket until none of its frames wait.
   *
   * @param writer The socket; must not be scheduled already.
   */
  add(writer: ScheduledWriter): void {
    this.#waiting.push(writer);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // All that are sent the same in this turn of the event loop are scheduled first.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await this.#flushes.drained();
      const writers = this.#take();
      this.#flushes.sent(lastInTime(writers));
      for (const writer of writers) if (writer.sendNext()) this.#waiting.push(writer);
    }
    this.#isRunning = false;
  }

  /** Removes those whose turn it is. */
  #take(): ScheduledWriter[] {
    let [count, length] = [0, 0];
    while (count < Math.min(AT_ONCE, this.#waiting.length) && length < AT_ONCE_LENGTH) {
      length += this.#waiting[count++].nextLength;
    }
    return this.#waiting.splice(0, count);
  }
}

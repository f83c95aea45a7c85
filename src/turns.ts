/**
 * Sockets that are sent several frames each, in turns.
 *
 * @module
 */

import { lastInTime, Outflow, type Recipient } from "./outflow.ts";

/** A socket with frames that wait for their turn. */
export interface TurnTaker extends Recipient {
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
 * import { Turns } from "./turns.ts";
 *
 * const turns = new Turns();
 * const frames = ["second", "third"];
 * console.log("first");
 * turns.add({
 *   isBehind: false,
 *   sendNext() {
 *     console.log(frames.shift());
 *     return frames.length > 0;
 *   },
 * });
 * ```
 */
export class Turns {
  readonly #outflow = new Outflow();
  #waiting: TurnTaker[] = [];
  #inTime: TurnTaker[] = [];
  #isRunning = false;

  /**
   * Takes a socket in that was sent its first frame, and has more.
   *
   * @param taker The socket, until none of its frames wait.
   * @param inTime Whether nothing waited for its peer before the first frame.
   */
  add(taker: TurnTaker, inTime = true): void {
    this.#waiting.push(taker);
    if (inTime) this.#inTime.push(taker);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // Whoever is sent the same in this turn of the event loop comes in first.
    await Promise.resolve();
    this.#outflow.sent(this.#inTime.slice(-3));
    this.#inTime = [];
    while (this.#waiting.length > 0) {
      await this.#outflow.drained();
      const takers = this.#waiting;
      this.#outflow.sent(lastInTime(takers));
      this.#waiting = [];
      this.#inTime = [];
      const rest = takers.filter((taker) => taker.sendNext());
      this.#waiting = rest.concat(this.#waiting);
    }
    this.#isRunning = false;
  }
}

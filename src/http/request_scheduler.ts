/**
 * The turns in which requests are begun.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/**
 * Requests that are begun in one turn of the event loop. A page of messages takes a millisecond of
 * the processor, and 1,500 requests of one address were all begun in one turn: frames of members and
 * commits waited for three seconds.
 */
const BEGUN_IN_A_TURN = 2;

/** The requests of one key that wait, oldest first, from `next` on. */
interface Lane {
  starts: (() => void)[];
  next: number;
}

/**
 * Lets few requests begin in each turn of the event loop, in rounds over those who ask: whoever asks
 * for a lot at once waits behind itself, and between two requests frames are read, commits end, and
 * members are sent what is theirs.
 *
 * @example
 * ```ts
 * import { RequestScheduler } from "./request_scheduler.ts";
 *
 * const scheduler = new RequestScheduler();
 * await scheduler.turn("192.0.2.1");
 * console.log(scheduler.waiting); // 0
 * ```
 */
export class RequestScheduler {
  /** Lanes in which something waits, the next one first. */
  readonly #lanes = new Map<string, Lane>();
  #waiting = 0;
  #begun = 0;
  #isTurning = false;

  /** Requests that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Waits for the turn of a request.
   *
   * @param key Who asks, such as an address.
   * @returns Settles when the request may begin; undefined where it may at once. Never rejects.
   */
  turn(key: string): Promise<void> | undefined {
    this.#arm();
    if (this.#waiting === 0 && this.#begun < BEGUN_IN_A_TURN) {
      this.#begun++;
      return undefined;
    }
    return new Promise((start) => {
      this.#waiting++;
      const lane = this.#lanes.get(key);
      if (lane) lane.starts.push(start);
      else this.#lanes.set(key, { starts: [start], next: 0 });
    });
  }

  #arm(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurning = false;
    for (this.#begun = 0; this.#begun < BEGUN_IN_A_TURN && this.#waiting > 0; this.#begun++) {
      this.#take()();
    }
    if (this.#begun > 0) this.#arm();
  }

  /** Takes the oldest of the lane whose turn it is, which goes to the end of the round. */
  #take(): () => void {
    const [[key, lane]] = this.#lanes;
    const start = lane.starts[lane.next++];
    this.#waiting--;
    this.#lanes.delete(key);
    if (lane.next < lane.starts.length) this.#lanes.set(key, lane);
    return start;
  }
}

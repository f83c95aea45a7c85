/**
 * The turns of the event loop in which work is begun.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** What waits of one key, oldest first, from `next` on. */
interface Lane {
  starts: (() => void)[];
  next: number;
}

/**
 * Lets few requests or joins begin in each turn of the event loop, in rounds over those who ask:
 * whoever asks for a lot at once waits behind itself, and between two of them frames are read,
 * commits end, and members are sent what is theirs.
 *
 * @example
 * ```ts
 * import { TurnScheduler } from "./turn_scheduler.ts";
 *
 * const scheduler = new TurnScheduler({ atOnce: 2 });
 * await scheduler.turn("192.0.2.1");
 * console.log(scheduler.waiting); // 0
 * ```
 */
export class TurnScheduler {
  readonly #atOnce: number;
  /** Lanes in which something waits, the next one first. */
  readonly #lanes = new Map<string, Lane>();
  #waiting = 0;
  #begun = 0;
  #isTurning = false;

  /** @param options How many may begin in one turn of the event loop. */
  constructor({ atOnce }: { readonly atOnce: number }) {
    this.#atOnce = atOnce;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Waits for a turn.
   *
   * @param key Who asks, such as an address.
   * @returns Settles when it may begin; undefined where it may at once. Never rejects.
   */
  turn(key: string): Promise<void> | undefined {
    this.#arm();
    if (this.#waiting === 0 && this.#begun < this.#atOnce) {
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
    for (this.#begun = 0; this.#begun < this.#atOnce && this.#waiting > 0; this.#begun++) {
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

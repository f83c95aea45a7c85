/**
 * How many messages of a connection are judged at the same time.
 *
 * @module
 */

/** Messages of one connection that are judged at the same time. */
const AT_ONCE = 16;

/** A message that is being judged. */
export interface Judging {
  /** Asks the hook, unless the time is over. Calls back when that has an answer, or failed. */
  start(onEnd: () => void): void;
}

/** How many messages of a connection may be judged at the same time, in all of its rooms. */
export class JudgementSlots {
  readonly #waiting: Judging[] = [];
  #free: number;

  /** @param count How many. @default {16} */
  constructor(count: number = AT_ONCE) {
    this.#free = count;
  }

  /**
   * Starts to judge a message as soon as there is a place.
   *
   * @param judging The message.
   */
  add(judging: Judging): void {
    if (this.#free === 0) return void this.#waiting.push(judging);
    this.#free--;
    this.#start(judging);
  }

  #start(judging: Judging): void {
    judging.start(() => {
      const next = this.#waiting.shift();
      if (next) this.#start(next);
      else this.#free++;
    });
  }
}

/**
 * The joins of a connection that wait.
 *
 * @module
 */

import type { Turn, TurnScheduler } from "./turn_scheduler.ts";

/** Rooms that a connection joins at the same time: each may have a page of history in memory. */
const JOINS_MAX = 8;

/**
 * Runs the joins of a connection: a few at a time, and those of all connections in turns. A join
 * that is given up does not wait: it would keep its room in memory, and somebody who joins 200 rooms
 * and hangs up, again and again, had 50,000 of them kept.
 *
 * @example
 * ```ts
 * import { JoinQueue } from "./join_queue.ts";
 * import { TurnScheduler } from "./turn_scheduler.ts";
 *
 * const queue = new JoinQueue({ turns: new TurnScheduler({ atOnce: 4 }), key: "192.0.2.1" });
 * console.log(await queue.run({}, () => Promise.resolve("joined"))); // joined
 * ```
 */
export class JoinQueue {
  readonly #turns: TurnScheduler;
  readonly #key: string;
  /** What wakes those that wait for others of this connection; true where it was given up. */
  readonly #waiting = new Map<object, (isGivenUp: boolean) => void>();
  readonly #turning = new Map<object, Turn>();
  #running = 0;

  /** @param options The turns of all connections, and by what they go round. */
  constructor({ turns, key }: { readonly turns: TurnScheduler; readonly key: string }) {
    this.#turns = turns;
    this.#key = key;
  }

  /** How many joins wait for something. */
  get size(): number {
    return this.#waiting.size + this.#turning.size;
  }

  /**
   * Runs a join when it is its turn, or at once when it is given up.
   *
   * @param member Who joins.
   * @param action The join, which finds out by itself whether it was given up.
   * @returns What the action returns.
   * @throws Whatever the action throws.
   */
  async run<T>(member: object, action: () => Promise<T>): Promise<T> {
    if (this.#running >= JOINS_MAX) {
      const isGivenUp = await new Promise<boolean>((wake) => this.#waiting.set(member, wake));
      if (isGivenUp) return await action();
    } else this.#running++;
    try {
      const turn = this.#turns.turn(this.#key);
      if (turn) {
        this.#turning.set(member, turn);
        await turn.begun;
        this.#turning.delete(member);
      }
      return await action();
    } finally {
      this.#next();
    }
  }

  /**
   * Gives up the join of a member.
   *
   * @param member Who joins; may wait for nothing.
   */
  giveUp(member: object): void {
    const wake = this.#waiting.get(member);
    this.#waiting.delete(member);
    wake?.(true);
    this.#turning.get(member)?.cancel();
  }

  #next(): void {
    for (const [member, wake] of this.#waiting) {
      this.#waiting.delete(member);
      return wake(false);
    }
    this.#running--;
  }
}

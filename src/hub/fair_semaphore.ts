/**
 * A limit on how much is done at the same time, shared fairly.
 *
 * @module
 */

/**
 * A counting semaphore whose waiting callers get their turns in rounds, one of each key: a key that
 * asks for a lot waits behind itself, and the others do not.
 *
 * @example
 * ```ts
 * import { FairSemaphore } from "./fair_semaphore.ts";
 *
 * const semaphore = new FairSemaphore(8);
 * const page = await semaphore.run("192.0.2.1", () => Promise.resolve("a page"));
 * console.log(page); // a page
 * ```
 */
export class FairSemaphore {
  readonly #waiting = new Map<string, (() => void)[]>();
  #free: number;

  /** @param count How many actions may run at the same time. */
  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Runs an action when it is its turn.
   *
   * @param key Whose action it is.
   * @param action The action.
   * @returns What the action returns.
   * @throws Whatever the action throws.
   */
  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else {
      await new Promise<void>((resolve) => {
        const queue = this.#waiting.get(key);
        if (queue) queue.push(resolve);
        else this.#waiting.set(key, [resolve]);
      });
    }
    try {
      return await action();
    } finally {
      this.#next();
    }
  }

  #next(): void {
    const [first] = this.#waiting;
    if (!first) {
      this.#free++;
      return;
    }
    const [key, queue] = first;
    const start = queue.shift();
    // To the end of the round.
    this.#waiting.delete(key);
    if (queue.length > 0) this.#waiting.set(key, queue);
    start?.();
  }
}

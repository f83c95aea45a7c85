/**
 * Bound on what runs at once.
 *
 * @module
 */

/**
 * A limit on how many tasks run at the same time; the others wait for their turn.
 *
 * @example
 * ```ts
 * import { TaskLimit } from "./task_limit.ts";
 *
 * const limit = new TaskLimit(2);
 * const { signal } = new AbortController();
 * console.log(await Promise.all([1, 2, 3].map((n) => limit.run(signal, async () => await n)))); // [1, 2, 3]
 * ```
 */
export class TaskLimit {
  #free: number;
  readonly #waiting = new Set<() => void>();

  /** @param most How many. */
  constructor(most: number) {
    this.#free = most;
  }

  /**
   * Runs a task when it is its turn.
   *
   * @param signal Ends the wait.
   * @param task The task.
   * @returns What it returned.
   * @throws The signal's reason, where it is aborted before the task began.
   */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      return await task();
    } finally {
      const [next] = this.#waiting;
      if (next) next();
      else this.#free++;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#waiting.delete(begin);
        signal.removeEventListener("abort", giveUp);
      };
      const begin = () => {
        done();
        resolve();
      };
      const giveUp = () => {
        done();
        reject(signal.reason);
      };
      this.#waiting.add(begin);
      signal.addEventListener("abort", giveUp);
    });
  }
}

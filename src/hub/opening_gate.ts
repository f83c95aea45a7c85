/**
 * How many rooms are opened at the same time.
 *
 * @module
 */

/** Rooms that are opened at the same time: 200 at once held a commit up for 110 ms. */
const OPENINGS_MAX = 8;
/** Milliseconds that an opening waits for the commit in flight at most: the store may hang. */
const COMMIT_MAX_MS = 50;

/** How an {@linkcode OpeningGate} behaves. */
export interface OpeningGateOptions {
  /** The commit in flight; undefined where there is none. Must not reject. */
  readonly commit: () => Promise<void> | undefined;
}

/**
 * Limits how many rooms are opened at the same time, in the order in which that is asked for. The
 * commit in flight comes first: an opening waits for it, and for no later one.
 *
 * @example
 * ```ts
 * import { OpeningGate } from "./opening_gate.ts";
 *
 * const gate = new OpeningGate({ commit: () => undefined });
 * console.log(await gate.run(() => Promise.resolve("read"))); // read
 * ```
 */
export class OpeningGate {
  readonly #options: OpeningGateOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param options The commits that come first. */
  constructor(options: OpeningGateOptions) {
    this.#options = options;
  }

  /**
   * Runs an action when its turn has come.
   *
   * @param action Opens a room.
   * @returns What the action returns.
   * @throws Whatever the action rejects with.
   */
  async run<T>(action: () => Promise<T>): Promise<T> {
    // The place of one that has ended goes straight to the next.
    if (this.#running < OPENINGS_MAX) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await this.#committed();
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  async #committed(): Promise<void> {
    const commit = this.#options.commit();
    if (!commit) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, COMMIT_MAX_MS));
    await Promise.race([commit, late]);
    clearTimeout(timer);
  }
}

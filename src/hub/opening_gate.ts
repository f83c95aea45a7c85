/**
 * How much is read for those who join at the same time.
 *
 * @module
 */

import { FairSemaphore } from "./fair_semaphore.ts";

/** Rooms that are opened at the same time: 200 at once held a commit up for 110 ms. */
const OPENINGS_MAX = 8;
/**
 * Pages of logs that are read at the same time, for members that resume and for what recognises
 * repeats: a page of 256 KiB keeps the processor for some milliseconds, and so many hold a commit up.
 */
const PAGES_MAX = 2;
/** Milliseconds that a read waits for the commit in flight at most: the store may hang. */
const COMMIT_MAX_MS = 50;

/** How an {@linkcode OpeningGate} behaves. */
export interface OpeningGateOptions {
  /** The commit in flight; undefined where there is none. Must not reject. */
  readonly commit: () => Promise<void> | undefined;
}

/**
 * Limits how many rooms are opened at the same time, and how many pages are read of what rooms and
 * members have missed. They come in rounds, one for each address: who opens a thousand rooms, or
 * comes back a thousand times to where a log begins, waits behind itself. The commit in flight comes
 * first: a read waits for it, and for no later one.
 *
 * @example
 * ```ts
 * import { OpeningGate } from "./opening_gate.ts";
 *
 * const gate = new OpeningGate({ commit: () => undefined });
 * console.log(await gate.run("192.0.2.1", () => Promise.resolve("read"))); // read
 * ```
 */
export class OpeningGate {
  readonly #options: OpeningGateOptions;
  readonly #openings = new FairSemaphore(OPENINGS_MAX);
  readonly #pages = new FairSemaphore(PAGES_MAX);

  /** @param options The commits that come first. */
  constructor(options: OpeningGateOptions) {
    this.#options = options;
  }

  /**
   * Runs an action when its turn has come.
   *
   * @param key For whom it reads: an address, or the name of a room.
   * @param action Opens a room. Must not run another one.
   * @returns What the action returns.
   * @throws Whatever the action rejects with.
   */
  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    return await this.#openings.run(key, async () => {
      await this.#committed();
      return await action();
    });
  }

  /**
   * Runs an action that reads a page when its turn has come.
   *
   * @param key For whom it reads: an address, or the name of a room.
   * @param action Reads a page of a log. Must not run another one.
   * @returns What the action returns.
   * @throws Whatever the action rejects with.
   */
  async runPage<T>(key: string, action: () => Promise<T>): Promise<T> {
    return await this.#pages.run(key, async () => {
      await this.#committed();
      return await action();
    });
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

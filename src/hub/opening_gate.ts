/**
 * How much is read for those who join at the same time.
 *
 * @module
 */

import { FairSemaphore } from "./fair_semaphore.ts";

/**
 * Reads for rooms that are opened, and for members that resume, at the same time: 200 at once held a
 * commit up for 110 ms.
 */
const READS_MAX = 8;
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
  readonly #reads = new FairSemaphore(READS_MAX);

  /** @param options The commits that come first. */
  constructor(options: OpeningGateOptions) {
    this.#options = options;
  }

  /**
   * Runs an action when its turn has come.
   *
   * @param key For whom it reads: an address, or the name of a room.
   * @param action Opens a room, or reads a page of its log. Must not run another one.
   * @returns What the action returns.
   * @throws Whatever the action rejects with.
   */
  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    return await this.#reads.run(key, async () => {
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

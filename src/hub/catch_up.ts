/**
 * Stepwise reading, one step at a time.
 *
 * @module
 */

import type { RoomHolds } from "./room_holds.ts";

/** How {@linkcode CatchUp} behaves. */
export interface CatchUpOptions {
  /** Reads one piece and processes it. Returns whether there may be more. */
  readonly step: () => Promise<boolean>;
  /** Called when a step failed; it is tried again after a while. Must not throw. */
  readonly onFailure: (error: unknown) => void;
  /** Keeps the room while steps are taken. */
  readonly holds: RoomHolds;
}

/** Milliseconds before a step that failed is tried again. */
const RETRY_MS = 500;

/**
 * Takes steps until there is no more, never two at a time. However often that is asked for while
 * it is at work, one more round serves all.
 *
 * @example
 * ```ts
 * import { CatchUp } from "./catch_up.ts";
 * import { RoomHolds } from "./room_holds.ts";
 *
 * const pages = [1, 2, 3];
 * const catchUp = new CatchUp({
 *   step: () => Promise.resolve(pages.shift() !== undefined),
 *   onFailure: console.error,
 *   holds: new RoomHolds(() => {}),
 * });
 * await catchUp.run();
 * console.log(pages); // []
 * ```
 */
export class CatchUp {
  readonly #options: CatchUpOptions;
  #running: Promise<void> | undefined;
  #isDue = false;
  #isStopped = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts at rest.
   *
   * @param options The step.
   */
  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  /** Whether it is at work. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Takes steps until there is no more.
   *
   * @returns Settles when a round that began after the call has ended. Never rejects: a failure is
   * reported, and the step tried again later.
   */
  run(): Promise<void> {
    this.#isDue = true;
    return this.#running ??= this.#work();
  }

  /** Stops for good, after the step that is at work. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
  }

  async #work(): Promise<void> {
    const { step, onFailure, holds } = this.#options;
    using _hold = holds.take();
    try {
      while (this.#isDue && !this.#isStopped) {
        this.#isDue = false;
        if (await step()) this.#isDue = true;
      }
    } catch (error) {
      if (this.#isStopped) return;
      onFailure(error);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => void this.run(), RETRY_MS);
    } finally {
      // In the same turn as the last look at #isDue: a later call starts anew.
      this.#running = undefined;
    }
  }
}

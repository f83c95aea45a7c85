/**
 * Reading on, one read at a time.
 *
 * @module
 */

/** How {@linkcode CatchUp} behaves. */
export interface CatchUpOptions {
  /** Reads one piece and deals with it. Returns whether there may be more. */
  readonly step: () => Promise<boolean>;
  /** Hears that a step failed; it is tried again after a while. */
  readonly onFailure: (error: unknown) => void;
  /** Hears that nothing is at work any more. */
  readonly onEnd: () => void;
}

/** Milliseconds before a step that failed is tried again. */
const RETRY_MS = 500;

/**
 * Takes steps until there is no more, never two at a time: however often it is asked to, while it
 * is at work, one more round serves them all.
 *
 * @example
 * ```ts
 * import { CatchUp } from "./catch_up.ts";
 *
 * const pages = [1, 2, 3];
 * const catchUp = new CatchUp({
 *   step: () => Promise.resolve(pages.shift() !== undefined),
 *   onFailure: console.error,
 *   onEnd() {},
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
   * Begins at rest.
   *
   * @param options What a step is, and who hears of it.
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
   * @returns Settles when a round that began after the call has ended. Never rejects: what fails
   * is reported, and tried again later.
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
    const { step, onFailure, onEnd } = this.#options;
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
      onEnd();
    }
  }
}

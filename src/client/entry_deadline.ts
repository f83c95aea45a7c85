/**
 * Time limit for being let in.
 *
 * @module
 */

/** How much longer than an upgrade may take nothing may come while the server lets one in. */
const PATIENCE = 3;

/** How {@linkcode EntryDeadline} behaves. */
export interface EntryDeadlineOptions {
  /** Milliseconds that an upgrade may take. */
  readonly patienceMs: number;
  /** Tells whether the server still has to let the member in, so that something must come. */
  readonly isEntering: () => boolean;
  /** Called when nothing came in time. */
  readonly onLate: () => void;
}

/** Deadline for the server to let the member in; moves on as long as anything comes. */
export class EntryDeadline {
  readonly #options: EntryDeadlineOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param options How long, and what to call. */
  constructor(options: EntryDeadlineOptions) {
    this.#options = options;
  }

  /** Starts it, where the server has to let somebody in and it is not running. */
  start(): void {
    if (this.#timer === undefined) this.#arm();
  }

  /** Moves it on, where it is running: something came. */
  heard(): void {
    if (this.#timer !== undefined) this.#arm();
  }

  /** Stops it. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.stop();
    const { patienceMs, isEntering, onLate } = this.#options;
    if (isEntering()) this.#timer = setTimeout(onLate, PATIENCE * patienceMs);
  }
}

/**
 * Waiting for what other isolates know of a room that is being opened.
 *
 * @module
 */

/** Milliseconds that the opening of a room waits for answers at most. */
export const ANSWER_MS = 150;

/**
 * The isolates that were asked and have not answered yet.
 *
 * @example
 * ```ts
 * import { OpeningAnswers } from "./opening_answers.ts";
 *
 * const answers = new OpeningAnswers(["a", "b"]);
 * answers.got("a");
 * answers.got("b");
 * await answers.settled; // not a moment later
 * ```
 */
export class OpeningAnswers {
  /** Settles when all have answered, or had their time. */
  readonly settled: Promise<void>;
  readonly #missing: Set<string>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #settle!: () => void;
  #isSettled = false;

  /** @param isolates Those that were asked. */
  constructor(isolates: Iterable<string>) {
    this.#missing = new Set(isolates);
    this.settled = new Promise((resolve) => this.#settle = resolve);
    this.#timer = setTimeout(() => this.end(), ANSWER_MS);
    if (this.#missing.size === 0) this.end();
  }

  /** Whether nothing is waited for any more. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /**
   * Takes an isolate for one that has answered.
   *
   * @param isolate Its id.
   */
  got(isolate: string): void {
    if (this.#missing.delete(isolate) && this.#missing.size === 0) this.end();
  }

  /** Waits no longer. */
  end(): void {
    clearTimeout(this.#timer);
    this.#isSettled = true;
    this.#settle();
  }
}

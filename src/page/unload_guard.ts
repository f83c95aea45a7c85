/**
 * The question before the page is left.
 *
 * @module
 */

/**
 * Lets the browser ask whether to leave the page while something on it would be lost or not sent.
 * The listener is there only meanwhile: with one, browsers do not keep a page for going back.
 */
export class UnloadGuard {
  readonly #isNeeded: () => boolean;
  readonly #ask = (event: BeforeUnloadEvent) => {
    if (!this.#isNeeded()) return;
    event.preventDefault();
    // What browsers before 2024 look at.
    event.returnValue = true;
  };
  #isSet = false;
  #isLifted = false;

  /** @param isNeeded Tells whether anything would be lost. */
  constructor(isNeeded: () => boolean) {
    this.#isNeeded = isNeeded;
  }

  /** Sets or removes the question; to be called after every change. */
  update(): void {
    const isSet = !this.#isLifted && this.#isNeeded();
    if (isSet === this.#isSet) return;
    this.#isSet = isSet;
    if (isSet) addEventListener("beforeunload", this.#ask);
    else removeEventListener("beforeunload", this.#ask);
  }

  /** Removes the question for good: the page itself is about to load anew. */
  lift(): void {
    this.#isLifted = true;
    this.update();
  }
}

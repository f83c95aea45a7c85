/**
 * When to tell others that one is typing.
 *
 * @module
 */

import { TYPING_TIMEOUT_MS } from "../protocol/mod.ts";

/** Milliseconds between two signs of typing. */
const REPEAT_MS = 1_500;

/**
 * Makes of keystrokes the few signs of typing that the others need: the first at once, then at
 * most one every 1.5 s, the end at once.
 *
 * @example
 * ```ts
 * import { TypingSignal } from "./typing_signal.ts";
 *
 * const signal = new TypingSignal((status) => console.log({ type: "typing_status", status }));
 * signal.set(true, 3000); // told
 * signal.set(true, 3000); // not told again so soon
 * signal.set(false, 3000); // told
 * ```
 */
export class TypingSignal {
  readonly #tell: (status: boolean) => void;
  #toldAt: number | undefined;

  /** @param tell Passes a sign on. */
  constructor(tell: (status: boolean) => void) {
    this.#tell = tell;
  }

  /**
   * Takes a keystroke, or the end of typing.
   *
   * @param isTyping Whether there is still something being written.
   * @param timeoutMs Milliseconds after which the server ends typing by itself.
   */
  set(isTyping: boolean, timeoutMs: number = TYPING_TIMEOUT_MS): void {
    if (!isTyping) {
      if (this.#toldAt === undefined) return;
      this.reset();
      return this.#tell(false);
    }
    const sinceMs = this.#toldAt === undefined ? Infinity : Date.now() - this.#toldAt;
    // A server that ends typing sooner needs to hear of it more often.
    if (sinceMs >= 0 && sinceMs < Math.min(REPEAT_MS, timeoutMs / 2)) return;
    this.#toldAt = Date.now();
    this.#tell(true);
  }

  /** Forgets what was told: a message was sent, or the connection is gone, and that ends typing. */
  reset(): void {
    this.#toldAt = undefined;
  }
}

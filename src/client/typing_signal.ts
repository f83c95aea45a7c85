/**
 * Throttle for signs of typing.
 *
 * @module
 */

import { TYPING_TIMEOUT_MS } from "../protocol/mod.ts";

/** Milliseconds between two signs of typing. */
const REPEAT_MS = 1_500;

/**
 * A throttle that turns keystrokes into the few signs of typing that others need: the first at
 * once, then at most one every 1.5 s, the end at once.
 *
 * @example
 * ```ts
 * import { TypingSignal } from "./typing_signal.ts";
 *
 * const signal = new TypingSignal((status) => console.log({ type: "typing_status", status }));
 * signal.set(true, 3000); // sent
 * signal.set(true, 3000); // not sent again so soon
 * signal.set(false, 3000); // sent
 * ```
 */
export class TypingSignal {
  readonly #send: (status: boolean) => void;
  #sentAt: number | undefined;

  /** @param send Sends a sign. */
  constructor(send: (status: boolean) => void) {
    this.#send = send;
  }

  /**
   * Sends what a keystroke, or the end of typing, calls for.
   *
   * @param isTyping Whether there is still something being written.
   * @param timeoutMs Milliseconds after which the server ends typing by itself.
   */
  set(isTyping: boolean, timeoutMs: number = TYPING_TIMEOUT_MS): void {
    if (!isTyping) {
      if (this.#sentAt === undefined) return;
      this.reset();
      return this.#send(false);
    }
    const sinceMs = this.#sentAt === undefined ? Infinity : performance.now() - this.#sentAt;
    // A server that ends typing sooner has to be told more often.
    if (sinceMs < Math.min(REPEAT_MS, timeoutMs / 2)) return;
    this.#sentAt = performance.now();
    this.#send(true);
  }

  /** Forgets what was sent: there was a message, or the connection is gone, and that ends typing. */
  reset(): void {
    this.#sentAt = undefined;
  }
}

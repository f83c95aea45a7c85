/**
 * Pace of messages on a connection.
 *
 * @module
 */

import { TIMER_MAX_MS } from "../protocol/checks.ts";
import type { Limits } from "../protocol/mod.ts";

/** How much slower to send than the server allows, so that a delay on the way costs no refusal. */
export const PACE = 1.1;

/**
 * The pace at which a connection may send messages, for all queues that share it: a leaky bucket
 * for the rate, and a bound on what is on the way at once.
 *
 * @example
 * ```ts
 * import { SendPace } from "./send_pace.ts";
 *
 * const pace = new SendPace();
 * pace.attach({
 *   text_max_bytes: 4096,
 *   typing_timeout_ms: 3000,
 *   messages_per_second: 10,
 *   message_burst: 20,
 * });
 * if (pace.take(() => console.log("Try again"))) console.log("One message may go now");
 * pace.detach();
 * ```
 */
export class SendPace {
  #limits: Limits | undefined;
  #inFlight = 0;
  /** When the server would have forgotten all that was sent (a leaky bucket as one number). */
  #paidUntil = 0;
  #pausedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What to call when there may be room again: who was served last comes last. */
  readonly #waiting = new Set<() => void>();

  /**
   * Starts anew on a new connection.
   *
   * @param limits What the server allows.
   */
  attach(limits: Limits): void {
    this.detach();
    this.#limits = limits;
    this.#paidUntil = this.#pausedUntil = 0;
  }

  /** Stops: the connection is gone, and with it what was on the way. */
  detach(): void {
    this.#stopTimer();
    this.#limits = undefined;
    this.#inFlight = 0;
    this.#waiting.clear();
  }

  /**
   * Takes the right to send one message.
   *
   * @param onFree Called, where there is none now, when there may be one.
   * @returns Whether the message may go now; {@linkcode SendPace.release} gives its place back.
   */
  take(onFree: () => void): boolean {
    if (!this.#limits) return false;
    const { messages_per_second: perSecond, message_burst: burst } = this.#limits;
    const isLimited = perSecond > 0;
    const stepMs = isLimited ? 1000 / perSecond * PACE : 0;
    // Half of what the server allows at once: what the network bunches up takes the other half.
    const atOnce = Math.max(1, burst >> 1);
    if (isLimited && this.#inFlight >= atOnce) {
      this.#waiting.add(onFree);
      return false;
    }
    const now = performance.now();
    let waitMs = this.#pausedUntil - now;
    if (waitMs <= 0) {
      this.#paidUntil = Math.max(this.#paidUntil, now);
      waitMs = this.#paidUntil - now - (atOnce - 1) * stepMs;
    }
    if (waitMs > 0) {
      this.#waiting.add(onFree);
      this.#wakeAfter(waitMs);
      return false;
    }
    this.#paidUntil += stepMs;
    this.#inFlight++;
    this.#waiting.delete(onFree);
    return true;
  }

  /**
   * Ends a wait: there is nothing more to send.
   *
   * @param onFree What was given to {@linkcode SendPace.take}.
   */
  forget(onFree: () => void): void {
    this.#waiting.delete(onFree);
  }

  /**
   * Gives places back: messages are no longer on the way.
   *
   * @param count How many.
   */
  release(count = 1): void {
    this.#inFlight = Math.max(0, this.#inFlight - count);
    if (count > 0) this.#wake();
  }

  /**
   * Sends nothing for a while.
   *
   * @param delayMs How many milliseconds.
   */
  pause(delayMs: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + delayMs);
  }

  #wakeAfter(delayMs: number): void {
    // A very slow server is waited for in pieces: a timer has no more than 32 bits.
    const pieceMs = Math.min(Math.ceil(delayMs), TIMER_MAX_MS);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#wake();
    }, pieceMs);
  }

  #wake(): void {
    this.#stopTimer();
    for (const onFree of [...this.#waiting]) onFree();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

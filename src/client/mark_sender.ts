/**
 * Read marks on their way to the hub.
 *
 * @module
 */

import { TIMER_MAX_MS } from "../protocol/checks.ts";
import type { ProblemV2 } from "../protocol/mod.ts";

/** Milliseconds between two marks of a room: of those that come meanwhile the last one goes out. */
const EVERY_MS = 1_000;

/** Sends how far the user has read a room: at once, then at most once a second, the last one always. */
export class MarkSender {
  readonly #send: (cursor: string) => void;
  #waiting: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAttached = false;

  /** @param send Sends a mark over the present stay. */
  constructor(send: (cursor: string) => void) {
    this.#send = send;
  }

  /**
   * A stay has begun.
   *
   * @param read The mark as the hub has it; undefined where it keeps none.
   * @param own The mark as it is here.
   */
  attach(read: string | undefined, own: string | undefined): void {
    this.#isAttached = read !== undefined;
    this.#waiting = read !== undefined && own !== undefined && own > read ? own : undefined;
    this.flush();
  }

  /** The stay has ended: the next one begins with what the hub has missed. */
  detach(): void {
    this.#isAttached = false;
    this.#waiting = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Sends a mark, now or soon.
   *
   * @param cursor The newest message that was read.
   */
  send(cursor: string): void {
    if (!this.#isAttached) return;
    this.#waiting = cursor;
    if (this.#timer === undefined) this.flush();
  }

  /** Sends now what waits. */
  flush(): void {
    const waiting = this.#waiting;
    if (!this.#isAttached || waiting === undefined) return;
    this.#waiting = undefined;
    this.#send(waiting);
    this.#wait(EVERY_MS);
  }

  /**
   * The hub has refused a mark.
   *
   * @param problem Why.
   * @param own The mark as it is here.
   */
  refused({ code, retry_after_ms: ms = EVERY_MS }: ProblemV2, own: string | undefined): void {
    if (code !== "rate_limited" || !this.#isAttached) return;
    this.#waiting ??= own;
    this.#wait(Math.min(ms, TIMER_MAX_MS));
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, ms);
  }
}

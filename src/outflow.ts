/**
 * What members were sent last, and whether it is still on its way out.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Milliseconds that are waited for it at most: one member that stops reading holds nobody up. */
const DRAIN_MAX_MS = 10;

/** Somebody who was sent something. */
export interface Recipient {
  /** Whether some of it still waits to go out. */
  readonly isBehind: boolean;
}

/**
 * Knows whether the runtime is still writing what members were sent last. Sending hands a frame to
 * the runtime, which writes it some time later, one member after the other: in a large room that
 * takes milliseconds. What comes in meanwhile can go out together, for a frame costs about the same
 * whatever is in it.
 *
 * @example
 * ```ts
 * import { Outflow } from "./outflow.ts";
 *
 * const outflow = new Outflow();
 * const socket = { bufferedAmount: 0 };
 * outflow.sent({ get isBehind() { return socket.bufferedAmount > 0; } });
 * await outflow.drained();
 * ```
 */
export class Outflow {
  readonly #now: () => number;
  #last: Recipient | undefined;

  /**
   * Begins with nothing on its way.
   *
   * @param now Milliseconds on a clock that never goes back.
   */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether something is on its way. */
  get isBusy(): boolean {
    if (this.#last?.isBehind) return true;
    this.#last = undefined;
    return false;
  }

  /**
   * Takes note that something was sent.
   *
   * @param last The last one who got it, of those for whom nothing waited before; undefined where
   * there is none.
   */
  sent(last: Recipient | undefined): void {
    this.#last = last ?? this.#last;
  }

  /**
   * Waits until all of it is out, but not longer than 10 ms.
   *
   * @returns Settles at once where nothing is on its way. Never rejects.
   */
  async drained(): Promise<void> {
    const until = this.#now() + DRAIN_MAX_MS;
    while (this.isBusy && this.#now() < until) {
      // A timer would take 2 ms; this lets the runtime write to some dozens of members.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#last = undefined;
  }
}

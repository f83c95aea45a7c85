/**
 * What members were sent last, and whether it is still on its way out.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Milliseconds that are waited for it at most: members that stop reading hold nobody up. */
const DRAIN_MAX_MS = 25;
/** Recipients that are looked at, from the last one back, and those of them that are waited for. */
const LOOKED_AT = 8;
const WITNESSES = 3;
/** Recipients that are looked at all over a large room where the last ones have all fallen behind. */
const SAMPLED = 16;

/** Somebody who was sent something. */
export interface Recipient {
  /** Whether some of it still waits to go out. */
  readonly isBehind: boolean;
}

/**
 * Finds those by whom one can tell that a frame has gone out, before it is sent.
 *
 * @param recipients Who is going to get it, in this order.
 * @returns The last few for whom nothing waits; some in between where those have fallen behind. Where
 * these have, too, it is the runtime that is behind, and they are returned all the same: else what is
 * sent next would not wait for it either, nor what comes after that. Empty where all of a few are.
 */
export function lastInTime<R extends Recipient>(recipients: readonly R[]): R[] {
  const found: R[] = [];
  const end = Math.max(0, recipients.length - LOOKED_AT);
  for (let i = recipients.length - 1; i >= end && found.length < WITNESSES; i--) {
    if (!recipients[i].isBehind) found.push(recipients[i]);
  }
  if (found.length > 0 || recipients.length < SAMPLED) return found;
  const sample = Array.from({ length: SAMPLED }, (_, i) => {
    return recipients[Math.floor((i * recipients.length) / SAMPLED)];
  });
  const inTime = sample.filter(({ isBehind }) => !isBehind);
  return inTime.length > 0 ? inTime.slice(-WITNESSES) : sample;
}

/**
 * Knows whether the runtime is still writing what members were sent last. Sending hands a frame to
 * the runtime, which writes it some time later, one member after the other: in a large room that
 * takes milliseconds. What comes in meanwhile can go out together, for a frame costs about the same
 * whatever is in it.
 *
 * @example
 * ```ts
 * import { FlushTracker } from "./flush_tracker.ts";
 *
 * const flushes = new FlushTracker();
 * const socket = { bufferedAmount: 0 };
 * flushes.sent([{ get isBehind() { return socket.bufferedAmount > 0; } }]);
 * await flushes.drained();
 * ```
 */
export class FlushTracker {
  readonly #now: () => number;
  #last: readonly Recipient[] = [];

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
    if (this.#last.length > 0 && this.#last.every(({ isBehind }) => isBehind)) return true;
    this.#last = [];
    return false;
  }

  /**
   * Records a send that is not written yet.
   *
   * @param last What {@linkcode lastInTime} found before. As soon as one of them has it, all have:
   * the others may be slow.
   */
  sent(last: readonly Recipient[]): void {
    if (last.length > 0) this.#last = last;
  }

  /**
   * Waits until all of it is out, but not longer than 25 ms.
   *
   * @returns Settles at once where nothing is on its way. Never rejects.
   */
  async drained(): Promise<void> {
    const until = this.#now() + DRAIN_MAX_MS;
    while (this.isBusy && this.#now() < until) {
      // A timer would take 2 ms; this lets the runtime write to some dozens of members.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#last = [];
  }
}

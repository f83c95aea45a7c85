/**
 * Sockets that are not closed yet.
 *
 * @module
 */

import { withDeadline } from "./deadline.ts";

/** Milliseconds that the end waits for the other side to close as well. */
const SETTLE_MS = 2_000;

/** Set of the sockets of a connection that are not closed yet, those that were dropped included. */
export class OpenSockets {
  readonly #closed = new Set<Promise<void>>();

  /**
   * Adds a socket.
   *
   * @param closed Settles when it is closed.
   */
  add(closed: Promise<void>): void {
    this.#closed.add(closed);
    closed.then(() => this.#closed.delete(closed));
  }

  /** Settles when all sockets are closed, or after 2 s with those that get no answer. */
  async settled(): Promise<void> {
    const { signal } = new AbortController();
    await withDeadline(SETTLE_MS, signal, () => Promise.all(this.#closed)).catch(() => {});
  }
}

/**
 * How far back a room's log is read when it is opened.
 *
 * @module
 */

import { DEDUPLICATION_WINDOW } from "../protocol/mod.ts";
import type { LogRecord } from "../store/entry.ts";

const { maxLength, maxMessages, minMessages, ms: MAX_AGE_MS } = DEDUPLICATION_WINDOW;

/** How far back a log must be read to fill a window: records are added from the newest on. */
export class WindowReach {
  readonly #sentAt: number[] = [];
  /** The latest time of all records but the newest ones that always stay. */
  #latest = -Infinity;
  #length = 0;
  #isReached = false;

  /**
   * Adds the next older record.
   *
   * @param record The record.
   */
  add(record: LogRecord): void {
    const sentAt = Date.parse(record.sentAt);
    this.#sentAt.push(sentAt);
    this.#length += record.envelope.length;
    const count = this.#sentAt.length;
    if (count <= minMessages) return;
    const later = this.#sentAt[count - 1 - minMessages];
    if (later > this.#latest) this.#latest = later;
    if (sentAt < this.#latest - MAX_AGE_MS || count > maxMessages || this.#length > maxLength) {
      this.#isReached = true;
    }
  }

  /** Whether nothing older belongs to the window, nor to that of the messages that always stay. */
  get isReached(): boolean {
    return this.#isReached && this.#sentAt.length >= 2 * minMessages;
  }
}

/**
 * How far back a room's log is read when it is opened.
 *
 * @module
 */

import { DEDUPLICATION_WINDOW } from "../protocol/mod.ts";
import type { LogRecord } from "../store/entry.ts";

const { maxLength, maxMessages, minMessages, ms: MAX_AGE_MS } = DEDUPLICATION_WINDOW;

/**
 * How far back a log must be read to fill a window, so that it knows the newest records that always
 * stay for what they are: records are added from the newest on.
 *
 * What is so late that it makes others leave does that for what comes after it. So the newest records,
 * for which all is still to be there, make none leave.
 */
export class WindowReach {
  readonly #sentAt: number[] = [];
  /** The latest time of those that made others leave before the newest records came. */
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
    // The newest are to be known for what they are.
    const count = this.#sentAt.length - minMessages;
    if (count <= 0) return;
    this.#length += record.envelope.length;
    if (count <= minMessages) return;
    const later = this.#sentAt[this.#sentAt.length - 1 - minMessages];
    if (later > this.#latest) this.#latest = later;
    if (sentAt < this.#latest - MAX_AGE_MS || count > maxMessages || this.#length > maxLength) {
      this.#isReached = true;
    }
  }

  /** Whether nothing older belongs to the window, nor to that of the newest records. */
  get isReached(): boolean {
    return this.#isReached;
  }
}

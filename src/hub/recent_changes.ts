/**
 * The recent changes of a room, in memory.
 *
 * @module
 */

import type { LogRecord } from "../store/entry.ts";
import { ORIGIN } from "../store/cursor.ts";
import { erasedEdit } from "../store/folded_record.ts";

/** The most changes that a room keeps, and UTF-16 code units of their envelopes. */
export const CHANGES_KEPT = 256;
const LENGTH_MAX = 64 * 1024;

/**
 * The newest changes of a log: who resumes is sent those that it missed, and a change that is sent
 * again is recognised.
 *
 * @example
 * ```ts
 * import { RecentChanges } from "./recent_changes.ts";
 *
 * const changes = new RecentChanges();
 * console.log(changes.covers("0".repeat(20))); // true: there were none
 * ```
 */
export class RecentChanges {
  #records: LogRecord[] = [];
  #length = 0;
  /** The place after which all are here. */
  #floor = ORIGIN;
  #hasAny = false;
  #isPrimed = true;

  /** Whether the room ever had a change, as far as it has been read. */
  get hasAny(): boolean {
    return this.#hasAny;
  }

  /**
   * Begins in a room that had changes before.
   *
   * @param cursor The place up to which they were passed over.
   */
  skipTo(cursor: string): void {
    this.#floor = cursor;
    this.#hasAny = true;
    this.#isPrimed = false;
  }

  /**
   * Forgets what the newest changes said: somebody was erased, and the log knows what is left.
   *
   * @param cursor The place up to which they are forgotten.
   */
  forget(cursor: string): void {
    this.#records = [];
    this.#length = 0;
    this.skipTo(cursor);
  }

  /** Whether a change that is sent again is recognised: then {@linkcode RecentChanges.find} knows. */
  get isPrimed(): boolean {
    return this.#isPrimed;
  }

  /**
   * Adds what was passed over, so that a change that is sent again is recognised.
   *
   * @param records The newest changes, as they were read.
   */
  prime(records: readonly LogRecord[]): void {
    if (this.#isPrimed) return;
    this.#isPrimed = true;
    const older = records.filter(({ cursor }) => cursor <= this.#floor);
    this.#records = [...older, ...this.#records];
    for (const { envelope } of older) this.#length += envelope.length;
    if (older.length > 0) this.#floor = older[0].cursor;
    // Who deleted them may not have come to erase what they said.
    for (const { change } of this.#records) {
      if (change?.kind === "delete") this.erase(change.message);
    }
    this.#cut();
  }

  /**
   * Adds the next change of the log.
   *
   * @param record The change.
   */
  push(record: LogRecord): void {
    this.#hasAny = true;
    this.#records.push(record);
    this.#length += record.envelope.length;
    this.#cut();
  }

  #cut(): void {
    while (this.#records.length > CHANGES_KEPT || this.#length > LENGTH_MAX) {
      const { cursor, envelope } = this.#records.shift()!;
      this.#floor = cursor;
      this.#length -= envelope.length;
    }
  }

  /**
   * Whether all changes after a place are here.
   *
   * @param cursor The place.
   * @returns True if so.
   */
  covers(cursor: string): boolean {
    return cursor >= this.#floor;
  }

  /**
   * Whether a change of this cursor is here.
   *
   * @param cursor The place.
   * @returns True where it is.
   */
  has(cursor: string): boolean {
    return this.#records.some((record) => record.cursor === cursor);
  }

  /**
   * The changes after a place, of messages that are not after it.
   *
   * @param cursor A place that is covered.
   * @returns Oldest first.
   */
  after(cursor: string): LogRecord[] {
    return this.#records.filter((record) => {
      const { change, envelope } = record;
      return record.cursor > cursor && envelope !== "" && change &&
        (change.kind === "control" || change.message <= cursor);
    });
  }

  /**
   * Finds a change by its sender's own name for it.
   *
   * @param user The sender.
   * @param ref The name.
   * @returns The change, while it is here.
   */
  find(user: string, ref: string): LogRecord | undefined {
    return this.#records.find((record) => record.ref === ref && record.user === user);
  }

  /**
   * Forgets what edits of a message said.
   *
   * @param message The cursor of the message, which was deleted.
   */
  erase(message: string): void {
    this.#records = this.#records.map((record) => {
      const { change } = record;
      if (change?.kind !== "edit" || change.message !== message) return record;
      this.#length -= record.envelope.length;
      return erasedEdit(record);
    });
  }
}

/**
 * Merges messages and changes by their places.
 *
 * @param messages Messages, oldest first.
 * @param changes Changes, oldest first.
 * @returns All of them, oldest first.
 */
export function merge(
  messages: readonly LogRecord[],
  changes: readonly LogRecord[],
): readonly LogRecord[] {
  if (changes.length === 0) return messages;
  return [...messages, ...changes].sort((one, other) => one.cursor < other.cursor ? -1 : 1);
}

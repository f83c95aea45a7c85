/**
 * The recent messages of a room, in memory.
 *
 * @module
 */

import type { LogRecord } from "../store/entry.ts";
import { DEDUPLICATION_WINDOW } from "../protocol/mod.ts";

/** The first message of a user with a `ref`. */
export interface FirstMessage {
  /** Its place. */
  readonly cursor: string;
  /** The hash of what its sender sent, where that is known. */
  readonly hash?: number;
}

/**
 * The last {@linkcode DEDUPLICATION_WINDOW} records of a log: joins are answered from them, and a
 * duplicate is recognised by them. Which records are duplicates depends on nothing but the log, so
 * all isolates agree.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { RecentMessages } from "./recent_messages.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const log = new KvRoomLog(kv);
 * await using hub = new Hub(log);
 * await hub.publish("lobby", "ann", { text: "hello", ref: "1" });
 * const recent = new RecentMessages();
 * for (const record of await log.last("lobby", { limit: 256 })) recent.push(record);
 * console.log(recent.last(10).length, recent.find("ann", "1")?.cursor === recent.last(1)[0].cursor); // 1 true
 * ```
 */
export class RecentMessages {
  #records: LogRecord[] = [];
  /** Where the records begin in `#records`; those before have been dropped. */
  #start = 0;
  /** By user and ref: the first message, and the newest record here that duplicates it. */
  readonly #refs = new Map<string, { first: FirstMessage; newest: LogRecord }>();

  /** The oldest record. */
  get oldest(): LogRecord | undefined {
    return this.#records[this.#start];
  }

  /** How many records there are. */
  get size(): number {
    return this.#records.length - this.#start;
  }

  /**
   * Adds the next record of the log.
   *
   * @param record The record.
   * @returns The message that it duplicates, or undefined where it is to be shown.
   */
  push(record: LogRecord): FirstMessage | undefined {
    const known = this.#remember(record);
    this.#records.push(record);
    if (this.size > DEDUPLICATION_WINDOW) this.#dropOldest();
    return known;
  }

  /**
   * Finds the message that a new one of this user with this ref would duplicate.
   *
   * @param user The user that sends it.
   * @param ref The sender's name for the message.
   * @returns The first message with that ref, while a duplicate of it is recognised.
   */
  find(user: string, ref: string): FirstMessage | undefined {
    return this.#refs.get(refKey(user, ref))?.first;
  }

  /**
   * The newest messages.
   *
   * @param count How many at most.
   * @returns Oldest first, without duplicates.
   */
  last(count: number): LogRecord[] {
    const found: LogRecord[] = [];
    for (let i = this.#records.length - 1; i >= this.#start && found.length < count; i--) {
      if (this.#isShown(this.#records[i])) found.push(this.#records[i]);
    }
    return found.reverse();
  }

  /**
   * The messages after a place.
   *
   * @param cursor The place; the records must reach back to it.
   * @returns Oldest first, without duplicates.
   */
  after(cursor: string): LogRecord[] {
    const found: LogRecord[] = [];
    for (let i = this.#records.length - 1; i >= this.#start; i--) {
      if (this.#records[i].cursor <= cursor) break;
      if (this.#isShown(this.#records[i])) found.push(this.#records[i]);
    }
    return found.reverse();
  }

  /**
   * Whether a record stands at a cursor.
   *
   * @param cursor The place.
   * @returns True where one of the recent records does.
   */
  has(cursor: string): boolean {
    return this.#find(cursor) !== undefined;
  }

  /**
   * Whether a record is a recent one and duplicates another.
   *
   * @param record A record of this log.
   * @returns False also where it is not a recent one.
   */
  hides({ cursor }: LogRecord): boolean {
    const record = this.#find(cursor);
    return record !== undefined && !this.#isShown(record);
  }

  /**
   * Finds the record at a place.
   *
   * @param cursor The place.
   * @returns The record, or undefined where it is not in memory.
   */
  get(cursor: string): LogRecord | undefined {
    return this.#find(cursor);
  }

  #find(cursor: string): LogRecord | undefined {
    let low = this.#start;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#records[middle].cursor < cursor) low = middle + 1;
      else high = middle;
    }
    return this.#records[low]?.cursor === cursor ? this.#records[low] : undefined;
  }

  #remember(record: LogRecord): FirstMessage | undefined {
    if (record.ref === undefined) return undefined;
    const key = refKey(record.user, record.ref);
    const known = this.#refs.get(key);
    if (known) known.newest = record;
    else {
      const first = { cursor: record.repeats ?? record.cursor, hash: record.hash };
      this.#refs.set(key, { first, newest: record });
    }
    if (known) return known.first;
    return record.repeats === undefined ? undefined : { cursor: record.repeats };
  }

  #dropOldest(): void {
    const record = this.#records[this.#start++];
    if (record.ref !== undefined) {
      const key = refKey(record.user, record.ref);
      if (this.#refs.get(key)?.newest === record) this.#refs.delete(key);
    }
    if (this.#start > DEDUPLICATION_WINDOW) {
      this.#records = this.#records.slice(this.#start);
      this.#start = 0;
    }
  }

  #isShown(record: LogRecord): boolean {
    if (record.ref === undefined) return true;
    return this.#refs.get(refKey(record.user, record.ref))?.first.cursor === record.cursor;
  }
}

function refKey(user: string, ref: string): string {
  // No name of a user holds a control character.
  return `${user}\n${ref}`;
}

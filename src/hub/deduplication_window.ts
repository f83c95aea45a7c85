/**
 * Recognition of messages that were sent, or stored, twice.
 *
 * @module
 */

import { DEDUPLICATION_WINDOW } from "../protocol/mod.ts";
import { CURSOR_LENGTH } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import { hashRef, type RefHash, refName } from "../store/ref_hash.ts";
import { DeduplicationSlots } from "./deduplication_slots.ts";

const { maxMessages, maxLength, minMessages, ms: MAX_AGE_MS } = DEDUPLICATION_WINDOW;

/**
 * Records that there is space for at first; doubled when it is used up. Most rooms are quiet: with
 * space for 512 each took 27 kB, and one connection opens 200.
 */
const FIRST_CAPACITY = 8;
/** Numbers of records that have left, from which on the memory of their places is given back. */
const COMPACT_FROM = 512;
/** Keys that were computed for messages on their way, and are needed once more. */
const KEYS_MAX = 4_096;

/** The first message of a user with a `ref`. */
export interface FirstMessage {
  /** Its place. */
  readonly cursor: string;
  /** The hash of what its sender sent, where that is known. */
  readonly hash?: number;
}

/**
 * The last messages of a room, by hashes of their user and `ref`; those without one by their id,
 * for a store may repeat a write by itself. They are those of two minutes by their stored time, at
 * most 10,000 and 4 MiB, never fewer than 256. What is a duplicate depends on nothing but the log:
 * all isolates agree, whatever their clocks say, for what has left the window never comes back.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { DeduplicationWindow } from "./deduplication_window.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const log = new KvRoomLog(kv);
 * await using hub = new Hub(log);
 * await hub.publish("lobby", "ann", { text: "hello", ref: "1" });
 * const window = new DeduplicationWindow();
 * const [record] = await log.last("lobby", { limit: 1 });
 * console.log(window.push(record), window.push(record)?.cursor === record.cursor); // undefined true
 * console.log(window.find("ann", "1")?.cursor === record.cursor); // true
 * ```
 */
export class DeduplicationWindow {
  #slots = new DeduplicationSlots(FIRST_CAPACITY);
  /** Records are numbered; these are the oldest one here and the next one to come. */
  #oldest = 0;
  #next = 0;
  #length = 0;
  /**
   * Numbers of records that may leave by age, each sent later than the one before: the newest of
   * them that is too old takes all before it along.
   */
  #leaving: number[] = [];
  #leavingFrom = 0;
  readonly #keys = new Map<string, RefHash>();
  /** When the newest record was sent, as text and in milliseconds. */
  #newestText = "";
  #newestTime = 0;

  /** How many records it holds. */
  get size(): number {
    return this.#next - this.#oldest;
  }

  /**
   * Adds the next record of the log.
   *
   * @param record The record.
   * @returns The message that it duplicates, or undefined where it is to be shown.
   */
  push(record: LogRecord): FirstMessage | undefined {
    const key = this.#keyOf(record);
    const known = this.#find(key);
    const first = known ??
      (record.repeats === undefined ? undefined : { cursor: record.repeats });
    if (this.size === this.#slots.capacity) this.#grow();
    const sentAt = this.#timeOf(record.sentAt);
    this.#add(key, {
      cursor: first?.cursor ?? record.cursor,
      hash: (first ? first.hash : record.hash) ?? 0,
      sentAt,
      length: first ? 0 : record.envelope.length,
    });
    this.#dropOld();
    return first;
  }

  /**
   * Finds the message that a new one of this user with this ref would duplicate.
   *
   * @param user The user that sends it.
   * @param ref The sender's name for the message.
   * @returns The first message with that ref, while a duplicate of it is recognised.
   */
  find(user: string, ref: string): FirstMessage | undefined {
    const name = refName(user, ref);
    const key = hashRef(name);
    // It is about to come back from the log.
    if (this.#keys.size >= KEYS_MAX) this.#keys.clear();
    this.#keys.set(name, key);
    return this.#find(key);
  }

  /**
   * Whether a record of this log is a duplicate that is not to be shown.
   *
   * @param record The record.
   * @returns False also where that is no longer known.
   */
  hides(record: LogRecord): boolean {
    if (record.repeats !== undefined) return true;
    const first = this.#find(this.#keyOf(record));
    return first !== undefined && first.cursor < record.cursor;
  }

  #keyOf({ id, ref, user, refHash }: LogRecord): RefHash {
    if (refHash) return refHash;
    if (ref === undefined) return hashId(id);
    const name = refName(user, ref);
    const key = this.#keys.get(name) ?? hashRef(name);
    this.#keys.delete(name);
    return key;
  }

  #find([high, low]: RefHash): FirstMessage | undefined {
    const slots = this.#slots;
    for (let at = slots.buckets[low & (slots.capacity - 1)]; at !== 0;) {
      const slot = at - 1;
      if (slots.high[slot] === high && slots.low[slot] === low) {
        const bytes = slots.cursor.subarray(slot * CURSOR_LENGTH, (slot + 1) * CURSOR_LENGTH);
        return { cursor: String.fromCharCode(...bytes), hash: slots.hash[slot] || undefined };
      }
      at = slots.older[slot];
    }
    return undefined;
  }

  #add(
    [high, low]: RefHash,
    kept: { cursor: string; hash: number; sentAt: number; length: number },
  ): void {
    const slots = this.#slots;
    const slot = this.#next++ & (slots.capacity - 1);
    slots.high[slot] = high;
    slots.low[slot] = low;
    slots.hash[slot] = kept.hash;
    slots.sentAt[slot] = kept.sentAt;
    slots.length[slot] = kept.length;
    for (let i = 0; i < CURSOR_LENGTH; i++) {
      slots.cursor[slot * CURSOR_LENGTH + i] = kept.cursor.charCodeAt(i);
    }
    this.#link(slot);
    this.#length += kept.length;
  }

  /** Makes a slot the newest of its bucket. */
  #link(slot: number): void {
    const slots = this.#slots;
    const bucket = slots.low[slot] & (slots.capacity - 1);
    slots.older[slot] = slots.buckets[bucket];
    slots.buckets[bucket] = slot + 1;
  }

  #dropOld(): void {
    const { capacity, sentAt } = this.#slots;
    const timeOf = (number: number) => sentAt[number & (capacity - 1)];
    // With one more, this one is no longer among the newest that always stay.
    const candidate = this.#next - 1 - minMessages;
    if (candidate >= this.#oldest) {
      const leaving = this.#leaving;
      while (leaving.length > this.#leavingFrom && timeOf(leaving.at(-1)!) >= timeOf(candidate)) {
        leaving.pop();
      }
      leaving.push(candidate);
      const limit = timeOf(this.#next - 1) - MAX_AGE_MS;
      let until = this.#oldest;
      while (this.#leavingFrom < leaving.length && timeOf(leaving[this.#leavingFrom]) < limit) {
        until = leaving[this.#leavingFrom++] + 1;
      }
      while (this.#oldest < until) this.#dropOldest();
    }
    while (this.size > maxMessages || (this.#length > maxLength && this.size > minMessages)) {
      this.#dropOldest();
    }
    while (this.#leaving[this.#leavingFrom] < this.#oldest) this.#leavingFrom++;
    if (this.#leavingFrom > COMPACT_FROM) {
      this.#leaving = this.#leaving.slice(this.#leavingFrom);
      this.#leavingFrom = 0;
    }
  }

  #dropOldest(): void {
    const slots = this.#slots;
    const slot = this.#oldest++ & (slots.capacity - 1);
    this.#length -= slots.length[slot];
    const bucket = slots.low[slot] & (slots.capacity - 1);
    // It is the oldest of all, and so the last of its bucket.
    let newer = slots.buckets[bucket] - 1;
    if (newer === slot) return void (slots.buckets[bucket] = 0);
    // A chain that does not lead to it would be a fault, and must not become an endless loop.
    while (newer >= 0 && slots.older[newer] - 1 !== slot) newer = slots.older[newer] - 1;
    if (newer >= 0) slots.older[newer] = 0;
  }

  #grow(): void {
    const slots = this.#slots.doubled(this.#oldest, this.#next);
    this.#slots = slots;
    for (let number = this.#oldest; number < this.#next; number++) {
      this.#link(number & (slots.capacity - 1));
    }
  }

  /** When a record was sent. A time that cannot be read leaves nothing and makes nothing leave. */
  #timeOf(text: string): number {
    // Many are sent in one millisecond.
    if (text === this.#newestText) return this.#newestTime;
    const time = Date.parse(text);
    if (Number.isNaN(time)) return this.#newestTime;
    this.#newestText = text;
    return this.#newestTime = time;
  }
}

/** Ids are made by isolates, not by senders: any hash will do. */
function hashId(id: string): RefHash {
  let [high, low] = [0x811c9dc5, 0x9747b28c];
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x85ebca6b);
  }
  return [mix(high), mix(low)];
}

function mix(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

/**
 * The recent messages of a room, in memory.
 *
 * @module
 */

import type { MessageChangeRecord } from "../store/change.ts";
import { erasedRecord, type LogRecord } from "../store/entry.ts";
import { type ErasedUsers, withoutErased } from "../store/erased_users.ts";
import { foldRecord } from "../store/folded_record.ts";
import { MessageState } from "../store/message_state.ts";
import { HISTORY_DEFAULT } from "../protocol/mod.ts";

/** The most records that a room keeps. */
const COUNT_MAX = 256;
/** UTF-16 code units that a room keeps, but for the last messages that every newcomer gets. */
const LENGTH_MAX = 256 * 1024;
/**
 * The same, with no exception, where all rooms together keep more than this: the last messages of a
 * room may have 240 kB, and somebody may be in thousands of rooms. Newcomers get them from the log.
 */
const LENGTH_MAX_WHEN_FULL = 32 * 1024;
const LENGTH_OF_ALL_MAX = 32 * 1024 * 1024;

/** What all rooms of a hub keep together. */
export interface RecentMessagesTotal {
  /** UTF-16 code units of envelopes. */
  length: number;
}

/** A record, and whether it is to be shown. */
interface Kept {
  /** As it was stored. */
  record: LogRecord;
  isShown: boolean;
  /** What became of it, where it was changed. */
  state?: MessageState;
  /** As it is now, once somebody has asked. */
  folded?: LogRecord;
}

/**
 * The newest records of a log, within bounds in number and in bytes: joins are answered from them.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { RecentMessages } from "./recent_messages.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const log = new KvRoomLog(kv);
 * await using hub = new Hub(log);
 * await hub.publish("lobby", "ann", { text: "hello" });
 * const recent = new RecentMessages({ length: 0 });
 * for (const record of await log.last("lobby", { limit: 256 })) recent.push(record, true);
 * console.log(recent.last(10).length); // 1
 * ```
 */
export class RecentMessages {
  readonly #total: RecentMessagesTotal;
  readonly #room: string;
  #kept: Kept[] = [];
  /** Where the records begin in `#kept`; those before have been dropped. */
  #start = 0;
  #length = 0;
  #shown = 0;
  #hasDropped = false;

  /**
   * @param total What all rooms keep together; this one adds to it.
   * @param room The name of the room.
   */
  constructor(total: RecentMessagesTotal = { length: 0 }, room = "") {
    this.#total = total;
    this.#room = room;
  }

  /** How many records there are. */
  get size(): number {
    return this.#kept.length - this.#start;
  }

  /** UTF-16 code units of their envelopes. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds the next record of the log.
   *
   * @param record The record.
   * @param isShown Whether it is no duplicate.
   */
  push(record: LogRecord, isShown: boolean): void {
    this.#kept.push({ record, isShown });
    if (isShown) this.#shown++;
    this.#count(record.envelope.length);
    while (this.#isTooMuch()) this.#dropOldest();
  }

  /**
   * Whether some of the newest messages are no longer here.
   *
   * @param count How many are wanted.
   * @returns True where fewer are here, and there were more.
   */
  isShortOf(count: number): boolean {
    return this.#hasDropped && this.#shown < count;
  }

  /** Gives back what is kept: the room leaves memory. */
  clear(): void {
    this.#count(-this.#length);
    this.#kept = [];
    this.#start = this.#shown = 0;
    this.#hasDropped = false;
  }

  /**
   * Hides a record that turned out to be a duplicate.
   *
   * @param cursor Its place.
   */
  hide(cursor: string): void {
    const kept = this.#find(cursor);
    if (!kept?.isShown) return;
    kept.isShown = false;
    this.#shown--;
  }

  /**
   * The newest messages.
   *
   * @param count How many at most.
   * @returns Oldest first, without duplicates.
   */
  last(count: number): LogRecord[] {
    const found: LogRecord[] = [];
    for (let i = this.#kept.length - 1; i >= this.#start && found.length < count; i--) {
      if (this.#kept[i].isShown) found.push(this.#present(this.#kept[i]));
    }
    return found.reverse();
  }

  /**
   * The messages after a place.
   *
   * @param cursor The place of one of the records.
   * @returns Oldest first, without duplicates.
   */
  after(cursor: string): LogRecord[] {
    const found: LogRecord[] = [];
    for (let i = this.#kept.length - 1; i >= this.#start; i--) {
      const kept = this.#kept[i];
      if (kept.record.cursor <= cursor) break;
      if (kept.isShown) found.push(this.#present(kept));
    }
    return found.reverse();
  }

  /**
   * Whether a record of this cursor is here.
   *
   * @param cursor The place.
   * @returns True where it is.
   */
  has(cursor: string): boolean {
    return this.#find(cursor) !== undefined;
  }

  /**
   * Finds the record at a place.
   *
   * @param cursor The place.
   * @returns The record, or undefined where it is not in memory.
   */
  get(cursor: string): LogRecord | undefined {
    const kept = this.#find(cursor);
    return kept && this.#present(kept);
  }

  /**
   * Whether all records after a place are here.
   *
   * @param cursor The place.
   * @returns True if so.
   */
  covers(cursor: string): boolean {
    return this.size > 0 && cursor >= this.#kept[this.#start].record.cursor;
  }

  /**
   * Sets what became of a message before it was kept.
   *
   * @param cursor Its place.
   * @param state What became of it.
   */
  setState(cursor: string, state: MessageState): void {
    const kept = this.#find(cursor);
    if (kept) this.#setState(kept, state);
  }

  /**
   * Folds a change into its message, where that is kept.
   *
   * @param change The change.
   */
  apply(change: MessageChangeRecord): void {
    const kept = this.#find(change.message);
    if (!kept) return;
    const state = kept.state ?? new MessageState();
    if (kept.record.isErased) state.erase();
    state.apply(change);
    if (state.isDeleted && !kept.record.isErased) {
      this.#replace(kept, erasedRecord(this.#room, kept.record));
    }
    this.#setState(kept, state);
  }

  /**
   * Erases what users wrote.
   *
   * @param erased The users that are being erased.
   */
  erase(erased: ErasedUsers): void {
    for (let i = this.#start; i < this.#kept.length; i++) {
      const kept = this.#kept[i];
      this.#replace(kept, withoutErased(this.#room, kept.record, kept.state, erased));
      kept.folded = undefined;
    }
  }

  #replace(kept: Kept, record: LogRecord): void {
    const { length } = kept.record.envelope;
    kept.record = record;
    this.#count(record.envelope.length - length);
  }

  #setState(kept: Kept, state: MessageState): void {
    kept.state = state;
    kept.folded = undefined;
  }

  #present(kept: Kept): LogRecord {
    if (!kept.state) return kept.record;
    return kept.folded ??= foldRecord(this.#room, kept.record, kept.state);
  }

  #find(cursor: string): Kept | undefined {
    let low = this.#start;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#kept[middle].record.cursor < cursor) low = middle + 1;
      else high = middle;
    }
    return this.#kept[low]?.record.cursor === cursor ? this.#kept[low] : undefined;
  }

  #isTooMuch(): boolean {
    if (this.size > COUNT_MAX) return true;
    const isFull = this.#total.length > LENGTH_OF_ALL_MAX;
    if (this.#length <= (isFull ? LENGTH_MAX_WHEN_FULL : LENGTH_MAX)) return false;
    if (isFull) return this.size > 1;
    return this.#shown - (this.#kept[this.#start].isShown ? 1 : 0) >= HISTORY_DEFAULT;
  }

  #dropOldest(): void {
    this.#hasDropped = true;
    const { record, isShown } = this.#kept[this.#start];
    // Let go of now, and not when the array is cut.
    this.#kept[this.#start++] = DROPPED;
    if (isShown) this.#shown--;
    this.#count(-record.envelope.length);
    if (this.#start > COUNT_MAX) {
      this.#kept = this.#kept.slice(this.#start);
      this.#start = 0;
    }
  }

  #count(length: number): void {
    this.#length += length;
    this.#total.length += length;
  }
}

const DROPPED: Kept = {
  record: { cursor: "", id: "", user: "", sentAt: "", envelope: "" },
  isShown: false,
};

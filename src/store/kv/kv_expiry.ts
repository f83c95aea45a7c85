/**
 * Where the messages that are kept begin.
 *
 * @module
 */

import { commitOf, cursorAt, ENTRY_MAX_RECORDS, ORIGIN } from "../cursor.ts";
import { decodeEntry, type LogRecord } from "../entry.ts";
import type { SteadyClock } from "../steady_clock.ts";
import type { KvHandle } from "./kv_handle.ts";
import type { KvKeys } from "./keys.ts";

/** Rooms whose beginning is remembered. */
const ROOMS_MAX = 10_000;
/** Entries that one round trip brings: mostly the first one is young enough. */
const SCAN_BATCH = 8;

/** What {@linkcode KvExpiry} decides by. */
export interface KvExpiryOptions {
  /** The database. */
  readonly handle: KvHandle;
  /** Its keys. */
  readonly keys: KvKeys;
  /** The time of day. */
  readonly clock: SteadyClock;
  /** Milliseconds for which messages are kept; undefined for ever. */
  readonly retentionMs: number | undefined;
}

/** Where a room's log begins for readers. */
interface Beginning {
  /** The first cursor that may be shown; the origin where that is all of the log. */
  readonly first: string;
  /** The age of the message there; undefined where there is none. */
  readonly sentAt: string | undefined;
  /** When that was read. */
  readonly readAt: number;
}

const decoder = new TextDecoder();

/**
 * Hides what has expired. That is a beginning of the log: everything before the first message that
 * is young enough. A message after it is shown whatever its time says, for the clock of the isolate
 * that stored it may have been wrong.
 */
export class KvExpiry {
  readonly #options: KvExpiryOptions;
  readonly #beginnings = new Map<string, Beginning>();

  /** @param options What is kept, and for how long. */
  constructor(options: KvExpiryOptions) {
    this.#options = options;
  }

  /** Whether anything ever expires. */
  get isOn(): boolean {
    return this.#options.retentionMs !== undefined;
  }

  /**
   * Finds where the messages that are shown begin.
   *
   * @param room The room.
   * @returns The first cursor that may be shown; the origin where nothing has expired.
   */
  async first(room: string): Promise<string> {
    if (!this.isOn) return ORIGIN;
    const now = this.#options.clock.now();
    const known = this.#beginnings.get(room);
    // Where the clock was set back, less has expired than it seemed.
    const isCurrent = known !== undefined && known.readAt <= now;
    if (isCurrent && this.#isYoung(known.sentAt)) return known.first;
    const beginning = await this.#scan(room, isCurrent ? known.first : ORIGIN, now);
    this.#beginnings.delete(room);
    this.#beginnings.set(room, beginning);
    if (this.#beginnings.size > ROOMS_MAX) {
      this.#beginnings.delete(this.#beginnings.keys().next().value!);
    }
    return beginning.first;
  }

  /**
   * Tells whether a record is to be shown, from what was read before.
   *
   * @param room The room.
   * @param record One of its records.
   * @returns False where it has expired.
   */
  keeps(room: string, record: LogRecord): boolean {
    if (!this.isOn) return true;
    const known = this.#beginnings.get(room);
    if (known && this.#isYoung(known.sentAt)) return record.cursor >= known.first;
    return this.#isYoung(record.sentAt);
  }

  #isYoung(sentAt: string | undefined): boolean {
    const { clock, retentionMs = Infinity } = this.#options;
    return sentAt !== undefined &&
      sentAt >= new Date(clock.now() - retentionMs).toISOString();
  }

  async #scan(room: string, from: string, readAt: number): Promise<Beginning> {
    const { handle, keys } = this.#options;
    const prefix = keys.log(room);
    return await handle.call("find what expired", async (kv, progress) => {
      let first = from;
      const selector = { prefix, start: [...prefix, commitOf(from)] };
      for await (const { key, value } of kv.list<Uint8Array>(selector, { batchSize: SCAN_BATCH })) {
        progress();
        const commit = String(key.at(-1));
        const records = decodeEntry(decoder.decode(value), { room, commit }, () => {});
        for (const { cursor, sentAt } of records) {
          if (cursor < from) continue;
          if (!this.#isYoung(sentAt)) continue;
          return { first: first === ORIGIN ? ORIGIN : cursor, sentAt, readAt };
        }
        // Behind all that this entry can hold.
        first = cursorAt(commit, ENTRY_MAX_RECORDS - 1, 0);
      }
      return { first, sentAt: undefined, readAt };
    });
  }
}

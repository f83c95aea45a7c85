/**
 * Where the messages that are kept begin.
 *
 * @module
 */

import { commitOf, cursorAt, ENTRY_MAX_RECORDS, ORIGIN } from "./cursor.ts";
import { decodeEntry, type LogRecord } from "./entry.ts";
import type { SteadyClock } from "./steady_clock.ts";

/** Rooms whose beginning is remembered. */
const ROOMS_MAX = 10_000;

/** What {@linkcode Expiry} decides by. */
export interface ExpiryOptions {
  /** The time of day. */
  readonly clock: SteadyClock;
  /** Milliseconds for which messages are kept; undefined for ever. */
  readonly retentionMs: number | undefined;
}

/** Where a room's log begins for readers. */
export interface Beginning {
  /** The first cursor that may be shown; the origin where nothing has expired. */
  readonly first: string;
  /** Whether all of the log has expired: `first` is behind its last entry then. */
  readonly isAll: boolean;
  /** The age of the message there; undefined where there is none. */
  readonly sentAt: string | undefined;
  /** When that was read. */
  readonly readAt: number;
}

/**
 * Hides what has expired. That is a beginning of the log: everything before the first message that
 * is young enough. A message after it is shown whatever its time says, for the clock of the isolate
 * that stored it may have been wrong.
 */
export abstract class Expiry {
  readonly #clock: SteadyClock;
  readonly #retentionMs: number | undefined;
  readonly #beginnings = new Map<string, Beginning>();

  /** @param options What is kept, and for how long. */
  constructor({ clock, retentionMs }: ExpiryOptions) {
    this.#clock = clock;
    this.#retentionMs = retentionMs;
  }

  /** Whether anything ever expires. */
  get isOn(): boolean {
    return this.#retentionMs !== undefined;
  }

  /**
   * Finds where the messages that are shown begin.
   *
   * @param room The room.
   * @returns The first cursor that may be shown; the origin where nothing has expired.
   */
  async first(room: string): Promise<string> {
    return this.isOn ? (await this.beginning(room)).first : ORIGIN;
  }

  /**
   * The same, and whether anything is shown at all.
   *
   * @param room The room.
   * @returns Where its log begins for readers.
   */
  async beginning(room: string): Promise<Beginning> {
    const now = this.#clock.now();
    const known = this.#beginnings.get(room);
    // Where the clock was set back, less has expired than it seemed.
    const isCurrent = known !== undefined && known.readAt <= now;
    if (isCurrent && this.#isYoung(known.sentAt)) return known;
    const beginning = await this.#scan(room, isCurrent ? known.first : ORIGIN, now);
    this.#beginnings.delete(room);
    this.#beginnings.set(room, beginning);
    if (this.#beginnings.size > ROOMS_MAX) {
      this.#beginnings.delete(this.#beginnings.keys().next().value!);
    }
    return beginning;
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

  /**
   * Reads the entries of a room from a commit on, in order.
   *
   * @param room The room.
   * @param from The first commit to read.
   * @param visit Receives each entry; returns false where that was enough.
   */
  protected abstract scan(
    room: string,
    from: string,
    visit: (commit: string, text: string) => boolean,
  ): Promise<void>;

  #isYoung(sentAt: string | undefined): boolean {
    return sentAt !== undefined &&
      sentAt >= new Date(this.#clock.now() - (this.#retentionMs ?? Infinity)).toISOString();
  }

  async #scan(room: string, from: string, readAt: number): Promise<Beginning> {
    let first = from;
    let found: Beginning | undefined;
    await this.scan(room, commitOf(from), (commit, text) => {
      for (const { cursor, sentAt } of decodeEntry(text, { room, commit }, () => {})) {
        if (cursor < from || !this.#isYoung(sentAt)) continue;
        found = { first: first === ORIGIN ? ORIGIN : cursor, isAll: false, sentAt, readAt };
        return false;
      }
      // Behind all that this entry can hold.
      first = cursorAt(commit, ENTRY_MAX_RECORDS - 1, 0);
      return true;
    });
    return found ?? { first, isAll: first !== ORIGIN, sentAt: undefined, readAt };
  }
}

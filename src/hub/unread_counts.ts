/**
 * The counts of what users have not read, shared and paced.
 *
 * @module
 */

import { commitOf } from "../store/cursor.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { ReadMark } from "../store/user_rooms.ts";
import { FairSemaphore } from "./fair_semaphore.ts";
import { countUnread, type Unread, type UnreadReader } from "./unread.ts";

/** Counts that are made at the same time, in turn by user. */
const AT_ONCE = 2;
/** Counts that are kept: each holds as long as its room and its mark stand still. */
const KEPT_MAX = 2_000;
/** UTF-16 code units that a count reads for nothing: 100 messages of ordinary length. */
const FREE_LENGTH = 32 * 1024;
/**
 * Of what is more so much is read in a millisecond, by each of those at once. 256 KiB take 3 ms of the
 * processor: a user on 100 connections in 200 rooms could have kept 60 processors busy.
 */
const LENGTH_PER_MS = 8 * 1024;
/** Nothing unread. */
const NOTHING: Unread = { unread: 0, mentions: 0 };

/**
 * Counts what is unread: once for all connections of a user that are told it, and again only where
 * something has changed. Counts that read much are made at a bounded speed.
 */
export class UnreadCounts {
  readonly #log: RoomLog;
  readonly #kept = new Map<string, Promise<Unread>>();
  readonly #slots = new FairSemaphore(AT_ONCE);
  /** Pauses after counts that read much. */
  readonly #pauses = new Map<ReturnType<typeof setTimeout>, () => void>();
  #isClosed = false;

  /** @param log The rooms' logs. */
  constructor(log: RoomLog) {
    this.#log = log;
  }

  /**
   * Counts the messages of a room behind a mark.
   *
   * @param room The room.
   * @param from Where the room's log ends, and up to where it was read.
   * @param reader Who has not read them.
   * @returns How many there are.
   * @throws Whatever the store rejects with.
   */
  count(
    room: string,
    from: { readonly head: string; readonly mark: ReadMark },
    reader: UnreadReader,
  ): Promise<Unread> {
    const { head, mark } = from;
    if (commitOf(head) <= mark) return Promise.resolve(NOTHING);
    const key = JSON.stringify([room, head, mark, reader.user, reader.name]);
    const kept = this.#kept.get(key);
    // The ones that were asked for longest ago go first.
    this.#kept.delete(key);
    const counting = kept ?? this.#count(room, from, reader);
    this.#kept.set(key, counting);
    if (kept) return kept;
    counting.catch(() => this.#kept.delete(key));
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX) this.#kept.delete(oldest);
    return counting;
  }

  /** Makes no more pauses. */
  close(): void {
    this.#isClosed = true;
    for (const [timer, end] of this.#pauses) {
      clearTimeout(timer);
      end();
    }
    this.#pauses.clear();
  }

  #count(
    room: string,
    from: { readonly head: string; readonly mark: ReadMark },
    reader: UnreadReader,
  ): Promise<Unread> {
    return new Promise((resolve, reject) => {
      // The answer need not wait for the pause behind it.
      void this.#slots.run(reader.user, async () => {
        try {
          const { length, ...unread } = await countUnread(this.#log, room, from, reader);
          resolve(unread);
          await this.#pause((length - FREE_LENGTH) / LENGTH_PER_MS);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  async #pause(ms: number): Promise<void> {
    if (ms <= 0 || this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#pauses.delete(timer);
        resolve();
      }, ms);
      this.#pauses.set(timer, resolve);
    });
  }
}

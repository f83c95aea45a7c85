/**
 * The messages of a room that are being changed.
 *
 * @module
 */

import type { MessageChangeRecord } from "../store/change.ts";
import { erasedRecord, type LogRecord } from "../store/entry.ts";
import { type ErasedUsers, withoutErased } from "../store/erased_users.ts";
import { foldRecord } from "../store/folded_record.ts";
import { MessageState } from "../store/message_state.ts";
import type { RoomLog } from "../store/room_log.ts";
import type { RecentMessages } from "./recent_messages.ts";

/** Older messages that are kept once they were read. */
const COUNT_MAX = 64;

/** An older message, and what became of it. */
interface Older {
  readonly record: LogRecord;
  readonly state: MessageState;
}

/** How {@linkcode ChangedMessages} behaves. */
export interface ChangedMessagesOptions {
  /** The name of the room. */
  readonly room: string;
  /** Its newest messages. */
  readonly recent: RecentMessages;
  /** The rooms' logs. */
  readonly log: RoomLog;
  /** The users that are being erased. */
  readonly erased: ErasedUsers;
}

/** Finds messages as they are now: those in memory at once, and reads older ones. */
export class ChangedMessages {
  readonly #options: ChangedMessagesOptions;
  readonly #older = new Map<string, Older>();
  /** Messages that are being read, and the changes that came meanwhile. */
  readonly #reading = new Map<string, MessageChangeRecord[]>();

  /** @param options Where messages are. */
  constructor(options: ChangedMessagesOptions) {
    this.#options = options;
  }

  /**
   * Finds a message in memory.
   *
   * @param cursor Its place.
   * @returns The message as it is now; undefined where it has to be read.
   */
  find(cursor: string): LogRecord | undefined {
    const { recent, room } = this.#options;
    const kept = recent.get(cursor);
    if (kept) return kept;
    const older = this.#older.get(cursor);
    return older && foldRecord(room, older.record, older.state);
  }

  /**
   * Reads a message.
   *
   * @param cursor Its place.
   * @returns The message as it is now; undefined where there is none.
   * @throws Whatever the store rejects with.
   */
  async read(cursor: string): Promise<LogRecord | undefined> {
    const { erased, log, room } = this.#options;
    const missed: MessageChangeRecord[] = [];
    this.#reading.set(cursor, missed);
    try {
      const stored = await log.get(room, cursor);
      if (!stored) return undefined;
      const range = { from: cursor, to: cursor, limit: Infinity };
      const { messages } = await log.states(room, range);
      const state = MessageState.of(messages.get(cursor) ?? []);
      for (const change of missed) state.apply(change);
      const record = withoutErased(room, stored, state, erased);
      this.#older.delete(cursor);
      this.#older.set(cursor, { record, state });
      if (this.#older.size > COUNT_MAX) this.#older.delete(this.#older.keys().next().value!);
      return foldRecord(room, record, state);
    } finally {
      this.#reading.delete(cursor);
    }
  }

  /** Forgets older messages: somebody was erased, and they are read anew. */
  forget(): void {
    this.#older.clear();
  }

  /**
   * Folds a change into its message, where that is in memory.
   *
   * @param change The change.
   */
  apply(change: MessageChangeRecord): void {
    this.#options.recent.apply(change);
    const older = this.#older.get(change.message);
    older?.state.apply(change);
    if (older && change.kind === "delete") {
      const record = erasedRecord(this.#options.room, older.record);
      this.#older.set(change.message, { ...older, record });
    }
    this.#reading.get(change.message)?.push(change);
  }
}

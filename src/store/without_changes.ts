/**
 * A store that keeps messages alone.
 *
 * @module
 */

import type { ChangeRecord } from "./change.ts";
import type { StateItem } from "./change_entry.ts";
import type { LogEntry } from "./entry.ts";
import type { MessageStates, RoomMeta } from "./room_log.ts";

/** What a store says that cannot keep changes: there are none, and there will be none. */
export class WithoutChanges {
  /**
   * Checks that a commit holds no changes.
   *
   * @param entries What is to be stored.
   * @throws {Error} Where there are some: their senders are told that they were not stored.
   */
  protected checkNoChanges(entries: ReadonlyMap<string, LogEntry>): void {
    for (const { changes } of entries.values()) {
      if (changes) throw new Error("This store cannot keep changes of messages");
    }
  }

  /** Finds no changes. */
  changes(): Promise<ChangeRecord[]> {
    return Promise.resolve([]);
  }

  /** Finds no states. */
  states(): Promise<MessageStates> {
    return Promise.resolve({ messages: new Map(), next: undefined });
  }

  /** Finds no control records. */
  controls(): Promise<StateItem[]> {
    return Promise.resolve([]);
  }

  /** Says that there is nothing besides messages. */
  meta(): Promise<RoomMeta> {
    return Promise.resolve({ hasChanges: false, hasControls: false });
  }

  /** Has nothing to erase. */
  erase(): Promise<void> {
    return Promise.resolve();
  }

  /** Has no file. */
  compact(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

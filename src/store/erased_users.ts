/**
 * Users that are being erased: what they wrote before is gone, also where it still stands.
 *
 * @module
 */

import { erasedRecord, type LogRecord } from "./entry.ts";
import type { MessageState } from "./message_state.ts";

/** By user, the place up to which what the user wrote is gone. */
export type ErasedUsers = ReadonlyMap<string, string>;

/**
 * Tells whether what a user wrote at a place is gone.
 *
 * @param erased The users that are being erased.
 * @param written Who wrote it, and where it stands.
 * @returns True if so.
 */
export function isErased(
  erased: ErasedUsers,
  { user, cursor }: { readonly user: string; readonly cursor: string },
): boolean {
  const place = erased.get(user);
  return place !== undefined && cursor < place;
}

/**
 * Takes what erased users wrote out of a message.
 *
 * @param room The room.
 * @param record The message as it was stored.
 * @param state What became of it, which is changed; undefined where nothing did.
 * @param erased The users that are being erased.
 * @returns The message, or what is left of it.
 */
export function withoutErased(
  room: string,
  record: LogRecord,
  state: MessageState | undefined,
  erased: ErasedUsers,
): LogRecord {
  if (record.isErased) {
    // Who had not heard of it may have changed it since.
    state?.erase();
    return record;
  }
  if (isErased(erased, record)) {
    state?.erase();
    return erasedRecord(room, record);
  }
  if (state) { for (const [user, place] of erased) state.forget(user, place); }
  return record;
}

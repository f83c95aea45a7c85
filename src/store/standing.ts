/**
 * Whether a record still stands where it stood.
 *
 * @module
 */

import { decodeChanges } from "./change.ts";
import { commitOf, indexOf, isOfChange } from "./cursor.ts";
import { decodeEntry } from "./entry.ts";

/**
 * Tells whether an entry holds the record of a cursor.
 *
 * @param text The entry at the cursor's commit, decoded from UTF-8: of messages, or of changes.
 * @param room The room.
 * @param cursor The cursor.
 * @returns False where another record stands there, or none; true also where it cannot be read.
 */
export function holdsRecord(text: string, room: string, cursor: string): boolean {
  const commit = commitOf(cursor);
  const index = indexOf(cursor);
  let isDamaged = false;
  const onDamaged = (at: number) => isDamaged ||= at === index;
  const records = isOfChange(cursor)
    ? decodeChanges(text, commit, onDamaged)
    : decodeEntry(text, { room, commit }, onDamaged);
  return isDamaged || records.some((record) => record.cursor === cursor);
}

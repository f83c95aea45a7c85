/**
 * Counting of what a user has not read.
 *
 * @module
 */

import { findMentions } from "../protocol/mod.ts";
import { commitOf } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import { messageOf } from "../store/folded_record.ts";
import type { RoomLog } from "../store/room_log.ts";
import { placeAfter, type ReadMark } from "../store/user_rooms.ts";
import { withoutDuplicates } from "./message_page.ts";
import { foldPage } from "./read_on.ts";
import { lengthOf } from "./read_records.ts";

/** What stands for more than 99. */
export const UNREAD_MAX = 100;
/** UTF-16 code units of a log that are read for a count. */
const COUNT_LENGTH = 256 * 1024;

/** Who has not read it. */
export interface UnreadReader {
  /** The user, whose own messages do not count. */
  readonly user: string;
  /** The name that is shown beside it, if there is one: it is mentioned by either. */
  readonly name?: string;
}

/** How much is unread. */
export interface Unread {
  /** Messages of others, 0 to 100: 100 means more than 99. */
  readonly unread: number;
  /** Those of them that mention the reader. */
  readonly mentions: number;
}

/** Nothing. */
export const NOTHING_UNREAD: Unread = { unread: 0, mentions: 0 };

/**
 * Counts the messages of a room behind a mark. Of a log that is long the beginning alone is read, so
 * that a count costs no more than a page.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param from Where the room's log ends, and up to where it was read.
 * @param reader Who has not read them.
 * @returns How many there are.
 * @throws Whatever the store rejects with.
 */
export async function countUnread(
  log: RoomLog,
  room: string,
  { head, mark }: { readonly head: string; readonly mark: ReadMark },
  reader: UnreadReader,
): Promise<Unread> {
  let [unread, mentions, length] = [0, 0, 0];
  if (commitOf(head) <= mark) return NOTHING_UNREAD;
  let after = placeAfter(mark);
  while (length < COUNT_LENGTH && unread < UNREAD_MAX) {
    const maxLength = COUNT_LENGTH - length;
    const found = await log.after(room, after, { limit: UNREAD_MAX, maxLength, shownOnly: true });
    if (found.length === 0) break;
    length += lengthOf(found);
    after = found[found.length - 1].cursor;
    const shown = withoutDuplicates(found).filter(({ user }) => user !== reader.user);
    const { hasChanges } = await log.meta(room);
    for (const record of hasChanges ? await foldPage(log, room, shown) : shown) {
      const { isCounted, isMention } = judge(record, reader);
      if (!isCounted) continue;
      unread++;
      if (isMention) mentions++;
    }
    if (found.length < UNREAD_MAX && length < COUNT_LENGTH) break;
  }
  return { unread: Math.min(unread, UNREAD_MAX), mentions: Math.min(mentions, UNREAD_MAX) };
}

function judge(
  record: LogRecord,
  { user, name }: UnreadReader,
): { readonly isCounted: boolean; readonly isMention: boolean } {
  const { deleted, text } = messageOf(record);
  if (deleted) return { isCounted: false, isMention: false };
  return {
    isCounted: true,
    isMention: findMentions(text, name ? [user, name] : [user]).length > 0,
  };
}

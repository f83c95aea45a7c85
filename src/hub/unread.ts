/**
 * Counting of what a user has not read.
 *
 * @module
 */

import { findMentions } from "../protocol/mod.ts";
import { commitOf } from "../store/cursor.ts";
import { messageOf } from "../store/folded_record.ts";
import type { RoomLog } from "../store/room_log.ts";
import { placeAfter, type ReadMark } from "../store/user_rooms.ts";
import { type PresentPage, readPresentPage } from "./present_page.ts";
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

/**
 * Counts the messages of a room behind a mark. Of a log that is long the beginning alone is read, so
 * that a count costs no more than a page.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param from Where the room's log ends, and up to where it was read.
 * @param reader Who has not read them.
 * @returns How many there are, and the UTF-16 code units that were read for it.
 * @throws Whatever the store rejects with.
 */
export async function countUnread(
  log: RoomLog,
  room: string,
  { head, mark }: { readonly head: string; readonly mark: ReadMark },
  reader: UnreadReader,
): Promise<Unread & { readonly length: number }> {
  let [unread, mentions, length] = [0, 0, 0];
  let after: string | null = commitOf(head) <= mark ? null : placeAfter(mark);
  while (after !== null && length < COUNT_LENGTH && unread < UNREAD_MAX) {
    const options = { limit: UNREAD_MAX, maxLength: COUNT_LENGTH - length, after };
    const page: PresentPage = await readPresentPage(log, room, options);
    length += lengthOf(page.messages);
    after = page.newer;
    for (const record of page.messages) {
      if (record.user === reader.user) continue;
      const { deleted, text } = messageOf(record);
      if (deleted) continue;
      unread++;
      if (findMentions(text, namesOf(reader)).length > 0) mentions++;
    }
  }
  const atMost = (count: number) => Math.min(count, UNREAD_MAX);
  return { unread: atMost(unread), mentions: atMost(mentions), length };
}

function namesOf({ user, name }: UnreadReader): readonly string[] {
  return name === undefined ? [user] : [user, name];
}

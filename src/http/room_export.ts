/**
 * All messages of a room as lines of JSON.
 *
 * @module
 */

import { PAGE_LENGTH } from "../hub/message_page.ts";
import type { Hub } from "../hub/hub.ts";
import { present } from "../hub/present_page.ts";
import { ORIGIN } from "../store/cursor.ts";
import { type LogRecord, messageText } from "../store/entry.ts";
import { wholeMessageOf } from "../store/folded_record.ts";

/** Records that one read brings. */
const PAGE = 256;
/** Messages among which duplicates are recognised that have no tombstone yet. */
const SEEN_MAX = 10_000;
const encoder = new TextEncoder();

/**
 * Streams the messages of a room, oldest first and as they are now: a page is read when the last one
 * was taken. Each message is of one moment, with every edit, deletion and reaction made before it was
 * read.
 *
 * @param hub The hub.
 * @param room The room.
 * @returns Newline-delimited JSON in UTF-8, each line a message. It ends where the log ended when
 * it was asked for, and fails where the store does.
 */
export function exportRoom(hub: Hub, room: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { log } = hub;
  const seen = new Set<string>();
  let cursor = ORIGIN;
  let until: string | undefined;

  /** Whether a record is shown: a repeat of one that was seen is not, with tombstone or without. */
  function isShown({ user, ref, id, repeats }: LogRecord): boolean {
    const name = ref === undefined ? `\n${id}` : `${user}\n${ref}`;
    if (repeats !== undefined || seen.has(name)) return false;
    seen.add(name);
    if (seen.size > SEEN_MAX) seen.delete(seen.keys().next().value!);
    return true;
  }

  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      until ??= await log.head(room);
      for (;;) {
        const options = { limit: PAGE, maxLength: PAGE_LENGTH, until };
        const records = await log.after(room, cursor, options);
        if (records.length === 0) return controller.close();
        cursor = records[records.length - 1].cursor;
        // After the messages: what was changed before they were read is known by now.
        const page = await present(log, room, records.filter(isShown));
        if (page.length === 0) continue;
        return controller.enqueue(encoder.encode(page.map(lineOf).join("")));
      }
    },
  }, { highWaterMark: 0 });
}

function lineOf(record: LogRecord): string {
  const isPlain = !record.state && !record.isErased;
  return (isPlain ? messageText(record) : JSON.stringify(wholeMessageOf(record))) + "\n";
}

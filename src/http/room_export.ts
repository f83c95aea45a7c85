/**
 * All messages of a room as lines of JSON.
 *
 * @module
 */

import { PAGE_LENGTH, withoutDuplicates } from "../hub/message_page.ts";
import type { Hub } from "../hub/hub.ts";
import { ORIGIN } from "../store/cursor.ts";
import { messageText } from "../store/entry.ts";

/** Records that one read brings: duplicates are recognised among so many. */
const PAGE = 256;
const encoder = new TextEncoder();

/**
 * Streams the messages of a room, oldest first: a page is read when the last one was taken.
 *
 * @param hub The hub.
 * @param room The room.
 * @returns Newline-delimited JSON in UTF-8, each line a message. It ends where the log ended when
 * that was reached, and fails where the store does.
 */
export function exportRoom(hub: Hub, room: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  let cursor = ORIGIN;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      for (;;) {
        const records = await hub.log.after(room, cursor, { limit: PAGE, maxLength: PAGE_LENGTH });
        if (records.length === 0) return controller.close();
        cursor = records[records.length - 1].cursor;
        const shown = withoutDuplicates(records);
        if (shown.length === 0) continue;
        const lines = shown.map((record) => messageText(record) + "\n");
        return controller.enqueue(encoder.encode(lines.join("")));
      }
    },
  }, { highWaterMark: 0 });
}

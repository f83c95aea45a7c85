/**
 * Messages over HTTP.
 *
 * @module
 */

import { type LogRecord, messageText } from "../store/entry.ts";
import { messageOf } from "../store/folded_record.ts";

/**
 * Writes a message as the body of an answer.
 *
 * @param record The message as it is now.
 * @param viewer The user who reads it. @default {undefined} nobody's reactions are marked
 * @returns JSON text; without `text` where the message was deleted.
 */
export function messageBody(record: LogRecord, viewer?: string): string {
  // Most messages are as they were sent.
  if (!record.state && !record.isErased) return messageText(record);
  const { text, ...rest } = messageOf(record, viewer);
  return JSON.stringify(rest.deleted ? rest : { ...rest, text });
}

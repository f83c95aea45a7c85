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
  const { state, isErased } = record;
  const isMarked = viewer !== undefined && state !== undefined && state.reactionCount > 0;
  // What is stored, or folded, is an answer by itself: long texts are read and written once less.
  if (!isErased && !state?.isDeleted && !isMarked) return messageText(record);
  const { text, ...rest } = messageOf(record, viewer);
  return JSON.stringify(rest.deleted ? rest : { ...rest, text });
}

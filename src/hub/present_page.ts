/**
 * Pages of a room's messages as they are now, whether the room is in memory or not.
 *
 * @module
 */

import { PAGE_CHANGES_MAX } from "../protocol/mod.ts";
import { erasedUserOf } from "../store/change.ts";
import { ORIGIN } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import type { ErasedUsers } from "../store/erased_users.ts";
import type { RoomLog } from "../store/room_log.ts";
import { firstPage, lastPage, withoutDuplicates } from "./message_page.ts";
import { type FoldOptions, foldPage, readMissedChanges } from "./read_on.ts";
import { lengthOf } from "./read_records.ts";

/** Which page to read. */
export interface PresentPageOptions {
  /** The most messages. */
  readonly limit: number;
  /** UTF-16 code units of their envelopes. */
  readonly maxLength: number;
  /** The place before which they are. @default {undefined} */
  readonly before?: string;
  /** The place after which they are. @default {undefined} with neither, the newest ones */
  readonly after?: string;
}

/** A page. */
export interface PresentPage {
  /** The messages, oldest first. */
  readonly messages: readonly LogRecord[];
  /** The changes of messages before `after`, up to where the page ends. */
  readonly changes: readonly LogRecord[];
  /** Users who were erased since: nothing of theirs before `after` is left. */
  readonly erased: readonly string[];
  /** Where to read on back; null at the beginning of the log. */
  readonly older: string | null;
  /** Where to read on; null at the end of the log. */
  readonly newer: string | null;
}

/**
 * Reads a page.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param options Which one.
 * @returns The page.
 * @throws Whatever the store rejects with.
 */
export async function readPresentPage(
  log: RoomLog,
  room: string,
  options: PresentPageOptions,
): Promise<PresentPage> {
  const { after } = options;
  return after === undefined
    ? await readBack(log, room, options)
    : await readForward(log, room, { ...options, after });
}

async function readBack(
  log: RoomLog,
  room: string,
  { limit, maxLength, before }: PresentPageOptions,
): Promise<PresentPage> {
  // One more than asked for tells whether there are more.
  const options = { limit: limit + 1, maxLength, shownOnly: true };
  const read = before === undefined
    ? await log.last(room, options)
    : await log.before(room, before, options);
  const found = withoutDuplicates(read);
  const messages = await present(log, room, found.slice(-limit));
  const page = lastPage(messages, { maxLength });
  const isAll = page.length === found.length && !isCut(read, options);
  return {
    messages: page,
    changes: [],
    erased: [],
    older: isAll ? null : (page.at(0) ?? read[0]).cursor,
    newer: before === undefined || page.length === 0 ? null : page[page.length - 1].cursor,
  };
}

async function readForward(
  log: RoomLog,
  room: string,
  { limit, maxLength, after }: PresentPageOptions & { readonly after: string },
): Promise<PresentPage> {
  const { hasChanges, erasing } = await log.meta(room);
  // Both ranges are read up to a place that is known before.
  const head = hasChanges ? await log.head(room) : undefined;
  const options = { limit: limit + 1, maxLength, shownOnly: true, until: head };
  const read = await log.after(room, after, options);
  const found = withoutDuplicates(read);
  let messages: readonly LogRecord[] = firstPage(found.slice(0, limit), { maxLength });
  const isAll = messages.length === found.length && !isCut(read, options);
  let newer = isAll ? null : (messages.at(-1) ?? read[read.length - 1]).cursor;
  let changes: readonly LogRecord[] = [];
  if (head !== undefined) {
    const until = newer ?? head;
    const missed = await readMissedChanges(log, room, after, {
      limit: PAGE_CHANGES_MAX,
      maxLength,
      until,
      erased: erasing,
    });
    changes = missed.changes;
    if (missed.end < until) newer = missed.end;
    const shown = messages.filter(({ cursor }) => cursor <= missed.end);
    messages = await foldPage(log, room, shown, foldOptions(log, room, erasing));
  }
  const older = messages.length > 0 && after !== ORIGIN ? messages[0].cursor : null;
  const erased = new Set(changes.flatMap(({ change }) => erasedUserOf(change!) ?? []));
  changes = changes.filter(({ change }) => change?.kind !== "control");
  return { messages, changes, erased: [...erased], older, newer };
}

/** Whether the store stopped reading at a limit: there may be more behind. */
function isCut(
  read: readonly LogRecord[],
  { limit, maxLength }: { readonly limit: number; readonly maxLength: number },
): boolean {
  return read.length >= limit || lengthOf(read) >= maxLength;
}

/**
 * Reads one message as it is now.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param cursor Its place.
 * @returns The message; undefined where there is none.
 * @throws Whatever the store rejects with.
 */
export async function readPresent(
  log: RoomLog,
  room: string,
  cursor: string,
): Promise<LogRecord | undefined> {
  const record = await log.get(room, cursor);
  if (!record || record.repeats !== undefined) return undefined;
  return (await present(log, room, [record]))[0];
}

/**
 * Makes messages what they are now.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param records Messages as they were stored, in order.
 * @returns The messages, with what became of them.
 * @throws Whatever the store rejects with.
 */
export async function present(
  log: RoomLog,
  room: string,
  records: readonly LogRecord[],
): Promise<readonly LogRecord[]> {
  // After the messages: what was deleted before they were read is known by now.
  const { hasChanges, from, erasing } = await log.meta(room);
  if (!hasChanges) return records.filter(({ cursor }) => cursor >= from);
  return await foldPage(log, room, records, foldOptions(log, room, erasing));
}

/** Folds, and erases what is left of deleted messages: the next reader tries again where that fails. */
function foldOptions(log: RoomLog, room: string, erased: ErasedUsers): FoldOptions {
  return { erased, onLeftovers: (message) => void log.erase(room, message).catch(() => {}) };
}

/**
 * Reading of messages and changes together, in the log's order.
 *
 * @module
 */

import { type ChangeRecord, erasedUserOf } from "../store/change.ts";
import { isOfChange, ORIGIN } from "../store/cursor.ts";
import type { LogRecord } from "../store/entry.ts";
import { type ErasedUsers, isErased, withoutErased } from "../store/erased_users.ts";
import { changeRecord, foldRecord, isErasedEdit } from "../store/folded_record.ts";
import { MessageState } from "../store/message_state.ts";
import { PlaceLostError } from "../store/place_lost.ts";
import type { RoomLog } from "../store/room_log.ts";
import { lengthOf } from "./read_records.ts";
import { merge } from "./recent_changes.ts";

/** States that opening a room reads, for its newest messages: older ones are read when needed. */
const OPENING_STATES_MAX = 10_000;

/** Changes that are read at a time, until they are long enough. */
const CHANGES_AT_ONCE = 100;

/** What is read at most. */
export interface ReadOnOptions {
  /** Messages, and changes. */
  readonly limit: number;
  /** UTF-16 code units of the messages' envelopes. */
  readonly maxLength: number;
}

/** What was read. */
export interface ReadOn {
  /** Messages and changes, in order: all that there are, up to the last one. */
  readonly records: readonly LogRecord[];
  /** Whether there may be more. */
  readonly isPart: boolean;
}

/**
 * Reads on from the place of a record. The two ranges are not read in one moment, so each is read up
 * to a place that the other is known to reach.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param after The place.
 * @param options How much.
 * @returns The next records.
 * @throws {PlaceLostError} Where the record at the place, or what was read first, is lost: what comes
 * next belongs to another history.
 * @throws Whatever the store rejects with.
 */
export async function readOn(
  log: RoomLog,
  room: string,
  after: string,
  options: ReadOnOptions,
): Promise<ReadOn> {
  const { limit, maxLength } = options;
  const followsChange = isOfChange(after);
  let messages = await log.after(room, after, { ...options, follows: !followsChange });
  let isPart = messages.length >= limit || lengthOf(messages) >= maxLength;
  const end = messages.at(-1)?.cursor ?? after;
  const until = isPart ? end : undefined;
  const changes = await log.changes(room, after, { limit, until, follows: followsChange });
  const last = changes.at(-1)?.cursor;
  if (last === undefined) return { records: messages, isPart };
  if (changes.length >= limit) isPart = true;
  if (last > end) {
    // Messages may have come between the two reads, before the last change.
    const more = await log.after(room, end, { ...options, until: last });
    await checkStand(log, room, [end, last]);
    messages = [...messages, ...more];
    if (more.length >= limit || lengthOf(more) >= maxLength) {
      isPart = true;
      const reached = messages[messages.length - 1].cursor;
      return { records: mergeUntil(messages, changes, reached), isPart };
    }
  } else await checkStand(log, room, [end]);
  // Where changes were cut, nothing after the last one is known to be next.
  const reached = changes.length >= limit ? last : "~";
  return { records: mergeUntil(messages, changes, reached), isPart };
}

/** Makes sure that what several reads brought is of one history. */
async function checkStand(log: RoomLog, room: string, cursors: readonly string[]): Promise<void> {
  const lost = await Promise.all(cursors.map((cursor) => log.isLost(room, cursor)));
  if (lost.includes(true)) throw new PlaceLostError(room, cursors[lost.indexOf(true)]);
}

function mergeUntil(
  messages: readonly LogRecord[],
  changes: readonly ChangeRecord[],
  end: string,
): readonly LogRecord[] {
  const records = merge(messages, changes.map(changeRecord));
  return records.filter(({ cursor }) => cursor <= end);
}

/** What a room is opened with. */
export interface Opening {
  /** The newest records, as they were stored. */
  readonly records: readonly LogRecord[];
  /** Those of them that are kept in memory, for the states of all of them were read. */
  readonly kept: readonly LogRecord[];
  /** By cursor, what became of those that were changed. */
  readonly states: ReadonlyMap<string, MessageState>;
  /** The place up to which all of it is. */
  readonly cursor: string;
  /** Whether the room ever had a change. */
  readonly hasChanges: boolean;
  /** Whether it ever had a control record. */
  readonly hasControls: boolean;
  /** The users that are being erased in it. */
  readonly erased: ErasedUsers;
}

/**
 * Reads what a room is opened with. For one that never had a change that is one small key more than
 * its messages.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param options How many messages.
 * @returns Its newest messages, with what became of them.
 * @throws Whatever the store rejects with.
 */
export async function readOpening(
  log: RoomLog,
  room: string,
  options: ReadOnOptions,
): Promise<Opening> {
  let records = await log.last(room, options);
  const head = records.length > 0 ? ORIGIN : await log.head(room);
  // What was appended between the two reads must be among the recent messages.
  if (head !== ORIGIN) records = await log.last(room, options);
  let cursor = records.at(-1)?.cursor ?? head;
  // After the messages: where it knows of no change, there is none before the last of them.
  const { hasChanges, ...meta } = await log.meta(room);
  if (!hasChanges) {
    const facts = { hasChanges, hasControls: meta.hasControls };
    const kept = records.filter(isFrom(meta.from));
    cursor = max(cursor, meta.from);
    return { records: kept, kept, states: new Map(), cursor, erased: meta.erasing, ...facts };
  }
  const end = await log.head(room);
  if (end > cursor) {
    const options = { limit: Infinity, until: end, follows: !isOfChange(cursor) };
    records = [...records, ...await log.after(room, cursor, options)];
    cursor = end;
  }
  // By now it knows of all that were erased, and of who was put out, before the end.
  const { erasing: erased, hasControls } = await log.meta(room);
  const facts = { hasChanges, hasControls };
  if (records.length === 0) {
    return { records, kept: records, states: new Map(), cursor, erased, ...facts };
  }
  const { messages, next, from } = await log.states(room, {
    from: records[0].cursor,
    to: records[records.length - 1].cursor,
    limit: OPENING_STATES_MAX,
    reverse: true,
  });
  const states = new Map(
    [...messages].map(([message, items]) => [message, MessageState.of(items)]),
  );
  records = records.filter(isFrom(from)).map((record) => {
    return withoutErased(room, record, states.get(record.cursor), erased);
  });
  const kept = next === undefined ? records : records.filter(({ cursor }) => cursor > next);
  return { records, kept, states, cursor: max(cursor, from), erased, ...facts };
}

/** Tells messages that count from those of a room that was deleted while they were read. */
function isFrom(place: string): (record: LogRecord) => boolean {
  return ({ cursor }) => cursor >= place;
}

function max(one: string, other: string): string {
  return one > other ? one : other;
}

/** How {@linkcode foldPage} folds. */
export interface FoldOptions {
  /** The users that are being erased. */
  readonly erased: ErasedUsers;
  /** Called with each message that was deleted and not erased. */
  readonly onLeftovers: (message: string) => void;
}

/**
 * Folds what became of messages into a page of them.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param records Messages as they were stored, in order.
 * @param options Who is being erased.
 * @returns The messages as they are now, without those of a room that was deleted meanwhile.
 * @throws Whatever the store rejects with.
 */
export async function foldPage(
  log: RoomLog,
  room: string,
  records: readonly LogRecord[],
  { erased, onLeftovers }: FoldOptions,
): Promise<LogRecord[]> {
  if (records.length === 0) return [];
  const range = { from: records[0].cursor, to: records[records.length - 1].cursor };
  const { messages, from } = await log.states(room, { ...range, limit: Infinity });
  return records.filter(isFrom(from)).map((record) => {
    const items = messages.get(record.cursor);
    const state = items && MessageState.of(items);
    if (state?.isDeleted && !record.isErased) onLeftovers(record.cursor);
    const left = withoutErased(room, record, state, erased);
    if (!state) return left;
    if (state.hasLeftovers) onLeftovers(record.cursor);
    return foldRecord(room, left, state);
  });
}

/** What {@linkcode readMissedChanges} reads. */
export interface MissedChangesOptions {
  /** The most changes. */
  readonly limit: number;
  /** UTF-16 code units of their texts after which no more are read. */
  readonly maxLength: number;
  /** The place up to which to read. */
  readonly until: string;
  /** The users that are being erased. */
  readonly erased: ErasedUsers;
}

/**
 * Reads changes of messages that somebody has: those that one gets who reads them now.
 *
 * @param log The rooms' logs.
 * @param room The room.
 * @param after The place after which to read, which the messages are not after.
 * @param options How many, how long, up to where, and who is being erased.
 * @returns The changes, without what was said in messages that are deleted by now, and the place up
 * to which these are all.
 * @throws Whatever the store rejects with.
 */
export async function readMissedChanges(
  log: RoomLog,
  room: string,
  after: string,
  options: MissedChangesOptions,
): Promise<{ readonly changes: LogRecord[]; readonly end: string }> {
  const { erased } = options;
  // Of messages that nobody has nothing was missed.
  if (after === ORIGIN) return { changes: [], end: options.until };
  const { found, end } = await readChangesPage(log, room, after, options);
  const gone = new Set<string>();
  const edited = new Set<string>();
  for (const change of found) {
    if (change.kind === "edit" && change.message <= after) edited.add(change.message);
  }
  for (const message of edited) {
    const range = { from: message, to: message, limit: Infinity };
    const { messages, from } = await log.states(room, range);
    const isDeleted = MessageState.of(messages.get(message) ?? []).isDeleted || message < from;
    const record = erased.size > 0 && !isDeleted ? await log.get(room, message) : undefined;
    if (isDeleted || (record && isErased(erased, record))) gone.add(message);
  }
  const changes = found.filter((change) => {
    if (change.kind === "control") return erasedUserOf(change) !== undefined;
    if (change.message > after || isErasedEdit(change)) return false;
    if (change.kind === "reaction") return !isErased(erased, change);
    return change.kind !== "edit" || !gone.has(change.message);
  });
  return { changes: changes.map(changeRecord), end };
}

/** Reads changes, and says up to where these are all. */
async function readChangesPage(
  log: RoomLog,
  room: string,
  after: string,
  { limit, maxLength, until }: MissedChangesOptions,
): Promise<{ readonly found: readonly ChangeRecord[]; readonly end: string }> {
  const found: ChangeRecord[] = [];
  let length = 0;
  while (found.length < limit && length < maxLength) {
    const count = Math.min(CHANGES_AT_ONCE, limit - found.length);
    const some = await log.changes(room, found.at(-1)?.cursor ?? after, { limit: count, until });
    for (const change of some) length += sizeOf(change);
    found.push(...some);
    if (some.length < count) return { found, end: until };
  }
  return { found, end: found.at(-1)?.cursor ?? until };
}

/** UTF-16 code units of what an edit says. */
function sizeOf(change: ChangeRecord): number {
  if (change.kind !== "edit") return 0;
  const { text = "", data } = change;
  return text.length + (data ? JSON.stringify(data).length : 0);
}

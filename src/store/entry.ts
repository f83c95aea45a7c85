/**
 * What stands in a log: messages as lines, and lines as entries.
 *
 * @module
 */

import type { Message } from "../protocol/mod.ts";
import type { ChangeRecord } from "./change.ts";
import type { ChangeEntry } from "./change_entry.ts";
import { COMMIT_LENGTH, cursorAt, ENTRY_MAX_RECORDS, isCommit, tagOf } from "./cursor.ts";
import {
  type EntryLine,
  ERASED_START,
  type ErasedLine,
  type OldTombstoneLine,
  type StoredMessage,
  STRUCK_START,
  type TombstoneLine,
} from "./entry_line.ts";
import type { MessageState } from "./message_state.ts";
import { hashRef, parseRefHash, type RefHash, refName } from "./ref_hash.ts";

/** A record of a log: a message, what is left of one, the tombstone of a duplicate, or a change. */
export interface LogRecord {
  /** Its place: sorts like the log. */
  readonly cursor: string;
  /** Unique id (ULID). */
  readonly id: string;
  /** The sender. */
  readonly user: string;
  /** The sender's own name for it. */
  readonly ref?: string;
  /** 32 bits of a hash of what its sender sent, where it has a `ref`. */
  readonly hash?: number;
  /** When the server received it, ISO 8601. */
  readonly sentAt: string;
  /** The envelope as it goes over the wire; empty for a tombstone. */
  readonly envelope: string;
  /** The cursor of the message that it repeats, where it is a tombstone. It is not to be shown. */
  readonly repeats?: string;
  /** What it changes, where it is a change. Its envelope is empty where members get none. */
  readonly change?: ChangeRecord;
  /** What became of it, where it is a message that was changed. It is in the envelope already. */
  readonly state?: MessageState;
  /** Whether it was erased: nothing is left of what it said. */
  readonly isErased?: true;
  /** The hash of its sender and `ref`, where it was erased and had one. */
  readonly refHash?: RefHash;
}

/** What one room gets in one commit. */
export interface LogEntry {
  /** JSON lines in UTF-8; empty where there are no messages. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many lines. */
  readonly count: number;
  /** The id of the record in the last line. */
  readonly lastId: string;
  /** The changes behind the messages. */
  readonly changes?: ChangeEntry;
}

const PAYLOAD_START = '{"type":"chat_message","payload":';
/** The bytes that the hash takes at the beginning of a line: `"h":"01234567",`. */
const HASH_LENGTH = 15;
const HASH_DIGITS = 8;
const encoder = new TextEncoder();

/**
 * Makes an entry of lines, in one buffer.
 *
 * @param lines The lines, at least one.
 * @param lastId The id of the record in the last line.
 * @returns The entry; its size is that of the lines and one byte between each two.
 */
export function joinLines(lines: readonly EntryLine[], lastId: string): LogEntry {
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, -1));
  encoder.encodeInto(lines.map(({ text }) => text).join("\n"), bytes);
  return { bytes, count: lines.length, lastId };
}

/**
 * Reads an entry. A line that is no record is passed over; the others keep their places.
 *
 * @param text The entry, decoded from UTF-8.
 * @param at The room that it belongs to, and its commit.
 * @param onDamaged Called with the index of each line that was passed over.
 * @returns Its records, oldest first.
 */
export function decodeEntry(
  text: string,
  { room, commit }: { readonly room: string; readonly commit: string },
  onDamaged: (index: number) => void,
): LogRecord[] {
  const records: LogRecord[] = [];
  text.split("\n").forEach((line, index) => {
    const record = decodeLine(line, { room, commit, index });
    if (record) records.push(record);
    else onDamaged(index);
  });
  return records;
}

/** Where a line stands. */
interface LineAt {
  readonly room: string;
  readonly commit: string;
  readonly index: number;
}

function decodeLine(line: string, at: LineAt): LogRecord | undefined {
  let parsed: StoredMessage | TombstoneLine | OldTombstoneLine | ErasedLine;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || at.index >= ENTRY_MAX_RECORDS) {
    return undefined;
  }
  const stored = "repeats" in parsed ? renewed(parsed) : parsed;
  if (!stored) return undefined;
  const { user, sent_at } = stored;
  if (typeof user !== "string" || typeof sent_at !== "string") return undefined;
  if ("gone" in stored) return erasedAt(at, stored);
  const { ref, h } = stored;
  if (!("struck" in stored)) {
    if (typeof stored.id !== "string" || typeof stored.text !== "string") return undefined;
    // The hash is cut off the line by its place.
    if (h !== undefined && !line.startsWith(`{"h":"${h}",`)) return undefined;
    if (h !== undefined && h.length !== HASH_DIGITS) return undefined;
    return recordAt(at, line, stored);
  }
  const { struck: id, first } = stored;
  if (typeof id !== "string" || typeof first !== "string") return undefined;
  const cursor = cursorAt(at.commit, at.index, tagOf(id));
  return { cursor, id, user, ref, hash: hashOf(h), sentAt: sent_at, envelope: "", repeats: first };
}

/** A tombstone of the form before 0.1.0 in the present one. */
function renewed({ struck, repeats }: OldTombstoneLine): TombstoneLine | undefined {
  const { cursor, id, user, ref, sent_at } = repeats ?? {};
  if (typeof cursor !== "string" || typeof id !== "string") return undefined;
  const commit = cursor.slice(0, COMMIT_LENGTH);
  const index = parseInt(cursor.slice(COMMIT_LENGTH), 16);
  if (!isCommit(commit) || !(index < ENTRY_MAX_RECORDS)) return undefined;
  return { struck, first: cursorAt(commit, index, tagOf(id)), user, ref, sent_at };
}

function erasedAt(at: LineAt, { gone: id, user, sent_at, k }: ErasedLine): LogRecord | undefined {
  if (typeof id !== "string") return undefined;
  const cursor = cursorAt(at.commit, at.index, tagOf(id));
  return erasedRecord(at.room, { cursor, id, user, sentAt: sent_at, envelope: "" }, k);
}

/**
 * Makes what is left of a message that was deleted.
 *
 * @param room The room.
 * @param record The message.
 * @param k The hash of its sender and `ref`, as stored. @default {that of its own}
 * @returns A record that says nothing of what the message said.
 */
export function erasedRecord(room: string, record: LogRecord, k?: string): LogRecord {
  const { cursor, id, user, sentAt, ref } = record;
  const message: Message = { room, cursor, id, user, text: "", sent_at: sentAt, deleted: true };
  const refHash = k !== undefined
    ? parseRefHash(k)
    : ref === undefined
    ? record.refHash
    : hashRef(refName(user, ref));
  const envelope = `${PAYLOAD_START}${JSON.stringify(message)}}`;
  return { cursor, id, user, sentAt, envelope, isErased: true, refHash };
}

/**
 * Makes the record of a message whose commit is known.
 *
 * @param at Its room, its commit and its index in the entry.
 * @param line The message as stored, decoded from UTF-8.
 * @param message The same, parsed.
 * @returns The record.
 */
export function recordAt(at: LineAt, line: string, message: StoredMessage): LogRecord {
  const { id, user, ref, sent_at, h } = message;
  const cursor = cursorAt(at.commit, at.index, tagOf(id));
  // The line is a JSON object: what the log knows is put in front of its members, and the hash,
  // which is nobody's business, is the first of them.
  const members = line.slice(h === undefined ? 1 : 1 + HASH_LENGTH);
  const envelope = `${PAYLOAD_START}{"room":"${at.room}","cursor":"${cursor}",${members}}`;
  return { cursor, id, user, ref, hash: hashOf(h), sentAt: sent_at, envelope };
}

/**
 * Writes tombstones into an entry in place of duplicates. The lines after them keep their places.
 *
 * @param text The entry, decoded from UTF-8.
 * @param duplicates By index, the id of the message there, and the cursor of the one it repeats.
 * @returns The entry without what the duplicates said.
 */
export function writeTombstones(
  text: string,
  duplicates: ReadonlyMap<number, { readonly id: string; readonly first: string }>,
): string {
  return text.split("\n").map((line, index) => {
    const duplicate = duplicates.get(index);
    if (!duplicate || line.startsWith(STRUCK_START) || line.startsWith(ERASED_START)) return line;
    const { id, user, ref, h, sent_at } = JSON.parse(line) as StoredMessage;
    // A backup may have been put back: then another message stands there.
    if (id !== duplicate.id) return line;
    const tombstone: TombstoneLine = { struck: id, first: duplicate.first, user, ref, h, sent_at };
    return JSON.stringify(tombstone);
  }).join("\n");
}

/**
 * Reads the record out of an envelope that another isolate sent.
 *
 * @param envelope The JSON text of a `chat_message` from the server.
 * @param hash 32 bits of a hash of what the sender sent, where the message has a `ref`.
 * @returns Its record.
 * @throws {SyntaxError} Where it is not JSON.
 */
export function decodeRecord(envelope: string, hash?: number): LogRecord {
  const { payload } = JSON.parse(envelope) as { payload: Message };
  const { cursor, id, user, ref, sent_at, deleted } = payload;
  const record: LogRecord = { cursor, id, user, ref, hash, sentAt: sent_at, envelope };
  return deleted ? { ...record, isErased: true } : record;
}

/**
 * Takes the message out of the envelope of a record.
 *
 * @param record A record that is no tombstone.
 * @returns The JSON text of the {@linkcode Message}.
 */
export function messageText(record: LogRecord): string {
  return record.envelope.slice(PAYLOAD_START.length, -1);
}

function hashOf(h: string | undefined): number | undefined {
  return h === undefined ? undefined : parseInt(h, 16);
}

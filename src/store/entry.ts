/**
 * What stands in a log: messages as lines, lines as entries, and the places between them.
 *
 * @module
 */

import type { Message } from "../protocol/mod.ts";

/** The place before the first message of every log: where a member of an empty room stands. */
export const ORIGIN = "0".repeat(24);

/** A message as it stands in a log. */
export interface LogRecord {
  /** Its place: sorts like the log. */
  readonly cursor: string;
  /** Its ULID. */
  readonly id: string;
  /** Who said it. */
  readonly user: string;
  /** The sender's own name for it. */
  readonly ref?: string;
  /** When the server took it, ISO 8601. */
  readonly sentAt: string;
  /** The envelope as it goes over the wire. */
  readonly envelope: string;
  /** Where it was struck out because it repeats a message: that message. It is not to be shown. */
  readonly repeats?: LogRecord;
}

/** What is stored of a message; the room is in the key, the cursor is given by the commit. */
export type StoredMessage = Omit<Message, "cursor" | "room">;

/** A line that was struck out: what stood there repeated the message that it names. */
interface TombstoneLine {
  /** The ULID of the repeat. */
  readonly struck: string;
  /** The message that it repeated. */
  readonly repeats: Message;
}

/** What one room gets in one commit. */
export interface LogEntry {
  /** JSON lines in UTF-8, made by {@linkcode joinLines}. */
  readonly bytes: Uint8Array;
  /** How many lines. */
  readonly count: number;
}

const PAYLOAD_START = '{"type":"chat_message","payload":';
const STRUCK_START = '{"struck":';
const encoder = new TextEncoder();

/**
 * Writes a line of an entry.
 *
 * @param line The JSON text of a {@linkcode StoredMessage}.
 * @returns Its bytes, without the line feed.
 */
export function encodeLine(line: string): Uint8Array {
  return encoder.encode(line);
}

/**
 * Makes an entry of lines.
 *
 * @param lines What {@linkcode encodeLine} returned, at least one.
 * @returns The entry; its size is that of the lines and one byte between each two.
 */
export function joinLines(lines: readonly Uint8Array[]): LogEntry {
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, -1));
  let at = 0;
  for (const line of lines) {
    if (at > 0) bytes[at++] = 10;
    bytes.set(line, at);
    at += line.length;
  }
  return { bytes, count: lines.length };
}

/**
 * Reads an entry.
 *
 * @param room The room it belongs to.
 * @param versionstamp The versionstamp of its commit.
 * @param text The entry, decoded from UTF-8.
 * @returns Its records, oldest first.
 */
export function decodeEntry(room: string, versionstamp: string, text: string): LogRecord[] {
  return text.split("\n").map((line, index) => {
    const stored = JSON.parse(line) as StoredMessage | TombstoneLine;
    if (!("struck" in stored)) return recordAt(room, versionstamp, index, line, stored);
    const envelope = `${PAYLOAD_START}${JSON.stringify(stored.repeats)}}`;
    const first = recordOf(envelope, stored.repeats);
    return { ...first, cursor: cursorAt(versionstamp, index), id: stored.struck, repeats: first };
  });
}

/**
 * Strikes lines out of an entry. The lines after them keep their places.
 *
 * @param text The entry, decoded from UTF-8.
 * @param repeats By index, the message that stands there as a repeat, and its first.
 * @returns The entry without what the repeats said.
 */
export function writeTombstones(
  text: string,
  repeats: ReadonlyMap<number, { readonly id: string; readonly first: LogRecord }>,
): string {
  return text.split("\n").map((line, index) => {
    const repeat = repeats.get(index);
    if (!repeat || line.startsWith(STRUCK_START)) return line;
    return `${STRUCK_START}${JSON.stringify(repeat.id)},"repeats":${messageText(repeat.first)}}`;
  }).join("\n");
}

/**
 * Reads the record out of an envelope that another isolate sent.
 *
 * @param envelope The JSON text of a `chat_message` from the server.
 * @returns Its record.
 * @throws {SyntaxError} Where it is not JSON.
 */
export function decodeRecord(envelope: string): LogRecord {
  return recordOf(envelope, (JSON.parse(envelope) as { payload: Message }).payload);
}

/**
 * Makes the record of a message whose commit is known.
 *
 * @param room The room it belongs to.
 * @param versionstamp The versionstamp of its commit.
 * @param index Its place in the entry, from 0.
 * @param line The message as stored, decoded from UTF-8.
 * @param message The same, parsed.
 * @returns The record.
 */
export function recordAt(
  room: string,
  versionstamp: string,
  index: number,
  line: string,
  message: StoredMessage,
): LogRecord {
  const cursor = cursorAt(versionstamp, index);
  // The line is a JSON object: what the log knows is put in front of its first member.
  const envelope = `${PAYLOAD_START}{"room":"${room}","cursor":"${cursor}",${line.slice(1)}}`;
  const { id, user, ref, sent_at } = message;
  return { cursor, id, user, ref, sentAt: sent_at, envelope };
}

function recordOf(envelope: string, { cursor, id, user, ref, sent_at }: Message): LogRecord {
  return { cursor, id, user, ref, sentAt: sent_at, envelope };
}

/**
 * Takes the message out of the envelope of a record.
 *
 * @param record A record.
 * @returns The JSON text of the {@linkcode Message}.
 */
export function messageText(record: LogRecord): string {
  return record.envelope.slice(PAYLOAD_START.length, -1);
}

/**
 * Tells whether a text has the form of a cursor.
 *
 * @param text Whatever a client gave.
 * @returns True for 24 lower-case hexadecimal digits; no such message need exist.
 */
export function isCursor(text: string): boolean {
  return /^[0-9a-f]{24}$/.test(text);
}

/**
 * Makes the cursor of a message.
 *
 * @param versionstamp The versionstamp of its entry.
 * @param index Its place in the entry, from 0.
 * @returns Text that sorts like the log.
 */
export function cursorAt(versionstamp: string, index: number): string {
  return versionstamp + index.toString(16).padStart(4, "0");
}

/**
 * Takes the index in the entry out of a cursor.
 *
 * @param cursor A cursor.
 * @returns The number in the last 4 of its digits.
 */
export function indexOf(cursor: string): number {
  return parseInt(cursor.slice(20), 16);
}

/**
 * Takes the versionstamp of the entry out of a cursor.
 *
 * @param cursor A cursor.
 * @returns The first 20 of its digits.
 */
export function versionstampOf(cursor: string): string {
  return cursor.slice(0, 20);
}

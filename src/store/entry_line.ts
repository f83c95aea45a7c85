/**
 * The forms that the lines of an entry have.
 *
 * @module
 */

import type { Message } from "../protocol/mod.ts";
import { hashRef, refHashText, refName } from "./ref_hash.ts";

/** A record as it is stored: a line of an entry, without the line feed. */
export interface EntryLine {
  /** JSON text, in which no surrogate is alone. */
  readonly text: string;
  /** Its bytes in UTF-8. */
  readonly length: number;
}

/**
 * Makes a line of an entry. Its bytes are counted and not made: they are encoded with the others of
 * their entry.
 *
 * @param text JSON text, as `JSON.stringify` makes it: no surrogate is alone.
 * @returns The line.
 */
export function entryLine(text: string): EntryLine {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // Two for each half of a pair, three for the others from 0x800 on.
    length += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return { text, length };
}

/** What is stored of a message; the room is in the key, the cursor is given by the commit. */
export interface StoredMessage extends Omit<Message, "cursor" | "room"> {
  /** 8 hexadecimal digits of a hash of what its sender sent. Always the first member. */
  readonly h?: string;
}

/** A line whose message was a duplicate of an earlier one. */
export interface TombstoneLine {
  /** The unique id of the duplicate. */
  readonly struck: string;
  /** The cursor of the message that it repeats. */
  readonly first: string;
  readonly user: string;
  readonly ref?: string;
  readonly h?: string;
  readonly sent_at: string;
}

/** The same as versions before 0.1.0 wrote it: with all of the message that it repeats. */
export interface OldTombstoneLine {
  readonly struck: string;
  readonly repeats: Message;
}

/** A line whose message was deleted. */
export interface ErasedLine {
  /** The unique id of the message. */
  readonly gone: string;
  readonly user: string;
  readonly sent_at: string;
  /** 16 hexadecimal digits of a hash of its sender and `ref`, where it had one. */
  readonly k?: string;
}

/** How the line of a duplicate's tombstone begins. */
export const STRUCK_START = '{"struck":';
/** How the line of a deleted message begins. */
export const ERASED_START = '{"gone":';

/**
 * Takes what messages said out of an entry. The lines after them keep their places.
 *
 * @param text The entry, decoded from UTF-8.
 * @param messages By index, what tells the unique id of each: where a backup was put back, others
 * stand there.
 * @returns The entry without it; the same text where they are not there.
 */
export function eraseLines(
  text: string,
  messages: ReadonlyMap<number, (id: string) => boolean>,
): string {
  return text.split("\n").map((line, index) => {
    const isIt = messages.get(index);
    if (!isIt || line.startsWith(ERASED_START) || line.startsWith(STRUCK_START)) return line;
    const stored = parseMessage(line);
    if (!stored || !isIt(stored.id)) return line;
    const { user, ref, sent_at } = stored;
    const k = ref === undefined ? undefined : refHashText(hashRef(refName(user, ref)));
    const erased: ErasedLine = { gone: stored.id, user, sent_at, k };
    return JSON.stringify(erased);
  }).join("\n");
}

/**
 * Finds the messages of a user in an entry.
 *
 * @param text The entry, decoded from UTF-8.
 * @param user The user.
 * @returns The indexes and the unique ids of those that still say something.
 */
export function linesOf(text: string, user: string): Map<number, string> {
  const found = new Map<number, string>();
  const member = userMember(user);
  // Most entries hold nothing of the user: they are not parsed.
  if (!text.includes(member)) return found;
  text.split("\n").forEach((line, index) => {
    if (!line.includes(member)) return;
    if (line.startsWith(ERASED_START) || line.startsWith(STRUCK_START)) return;
    const stored = parseMessage(line);
    if (stored?.user === user) found.set(index, stored.id);
  });
  return found;
}

/**
 * How a user stands in a line.
 *
 * @param user The user.
 * @returns Text that every line has that is the user's.
 */
export function userMember(user: string): string {
  return `"user":${JSON.stringify(user)}`;
}

function parseMessage(line: string): StoredMessage | undefined {
  try {
    const stored = JSON.parse(line) as StoredMessage | null;
    return typeof stored?.id === "string" && typeof stored.user === "string" ? stored : undefined;
  } catch {
    return undefined; // What is damaged says nothing that could be found.
  }
}

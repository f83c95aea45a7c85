/**
 * The forms that the lines of an entry have.
 *
 * @module
 */

import type { Message } from "../protocol/mod.ts";
import { hashRef, refHashText, refName } from "./ref_hash.ts";

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
 * Takes what a message said out of an entry. The lines after it keep their places.
 *
 * @param text The entry, decoded from UTF-8.
 * @param index The index of its line.
 * @param isIt Tells its unique id: where a backup was put back, another message stands there.
 * @returns The entry without it; the same text where it is not there.
 */
export function eraseLine(text: string, index: number, isIt: (id: string) => boolean): string {
  return text.split("\n").map((line, at) => {
    if (at !== index || line.startsWith(ERASED_START) || line.startsWith(STRUCK_START)) return line;
    const stored = JSON.parse(line) as StoredMessage;
    if (!isIt(stored.id)) return line;
    const { user, ref, sent_at } = stored;
    const k = ref === undefined ? undefined : refHashText(hashRef(refName(user, ref)));
    const erased: ErasedLine = { gone: stored.id, user, sent_at, k };
    return JSON.stringify(erased);
  }).join("\n");
}

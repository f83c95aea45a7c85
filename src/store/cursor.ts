/**
 * The names of places in a log.
 *
 * A cursor has 19 characters of `0-9A-Z_a-z~`, six bits each, in the order of ASCII: 80 bits of the
 * commit, 16 of the index in its entry, 18 of a tag. Cursors sort like the log as text and may stand
 * in a URL as they are. The tag comes from the id of the record that stands at the place, so a
 * cursor of another database, or of a future that a restored backup has lost, names nothing here
 * (but for one chance in 262,144).
 *
 * @module
 */

/** The digits of a cursor: 64 that a URL may hold, in the order of ASCII. */
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
/** Every 12 bits as two digits. */
const PAIRS = Array.from({ length: 4096 }, (_, bits) => DIGITS[bits >> 6] + DIGITS[bits & 63]);
/** Digits of the place, before those of the tag. */
const PLACE_LENGTH = 16;
/** Digits of a cursor. */
export const CURSOR_LENGTH = 19;
/** Hexadecimal digits of a commit. */
export const COMMIT_LENGTH = 20;
/** The most records that a commit may hold for one room. */
export const ENTRY_MAX_RECORDS = 65_536;

const VALUES = new Uint8Array(128);
for (let value = 0; value < DIGITS.length; value++) VALUES[DIGITS.charCodeAt(value)] = value;

/** The commit before the first of every log. */
export const NO_COMMIT = "0".repeat(COMMIT_LENGTH);

/** The place before the first message of every log: where a member of an empty room stands. */
export const ORIGIN = "0".repeat(CURSOR_LENGTH);

const PATTERN = new RegExp(`^[0-9A-Z_a-z~]{${CURSOR_LENGTH}}$`);

/**
 * Tells whether a text has the form of a cursor.
 *
 * @param text Any text.
 * @returns True for 19 digits of a cursor; no such message need exist.
 */
export function isCursor(text: string): boolean {
  return PATTERN.test(text);
}

/**
 * Makes the cursor of a record.
 *
 * @param commit The commit that holds it: 20 hexadecimal digits.
 * @param index Its place in the entry, from 0.
 * @param tag What {@linkcode tagOf} gives for the record's id.
 * @returns Text that sorts like the log.
 */
export function cursorAt(commit: string, index: number, tag: number): string {
  const hex = commit + index.toString(16).padStart(4, "0");
  let cursor = "";
  for (let at = 0; at < hex.length; at += 3) cursor += PAIRS[parseInt(hex.slice(at, at + 3), 16)];
  return cursor + PAIRS[tag >>> 6] + DIGITS[tag & 63];
}

/**
 * Makes the tag of a record: 18 bits of a hash of its id.
 *
 * @param id The record's unique id.
 * @returns A number below 2 ** 18.
 */
export function tagOf(id: string): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (let at = 0; at < id.length; at++) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 14)) & 0x3ffff;
}

/**
 * Takes the commit out of a cursor.
 *
 * @param cursor A cursor.
 * @returns 20 hexadecimal digits.
 */
export function commitOf(cursor: string): string {
  return hexOf(cursor).slice(0, COMMIT_LENGTH);
}

/**
 * Takes the index in the entry out of a cursor.
 *
 * @param cursor A cursor.
 * @returns The index, from 0.
 */
export function indexOf(cursor: string): number {
  return parseInt(hexOf(cursor).slice(COMMIT_LENGTH), 16);
}

/**
 * Takes the place out of a cursor: two cursors of one place differ in the tag where their records
 * belong to different databases.
 *
 * @param cursor A cursor.
 * @returns Its first 16 digits, which sort like the log.
 */
export function placeOf(cursor: string): string {
  return cursor.slice(0, PLACE_LENGTH);
}

function hexOf(cursor: string): string {
  let hex = "";
  for (let at = 0; at < PLACE_LENGTH; at += 2) {
    const bits = VALUES[cursor.charCodeAt(at)] << 6 | VALUES[cursor.charCodeAt(at + 1)];
    hex += bits.toString(16).padStart(3, "0");
  }
  return hex;
}

/**
 * The names of places in a log.
 *
 * A cursor has 20 characters of `0-9A-Za-z`, of which every four hold 23 bits: 80 bits of the commit,
 * 12 of the index in its entry, 23 of a tag. Cursors sort like the log as text, and may stand
 * anywhere as they are. The tag comes from the id of the record that stands at the place, so a
 * cursor of another database, or of a future that a restored backup has lost, names nothing here
 * (but for one chance in 8 million).
 *
 * @module
 */

/** The digits of a cursor, in the order of ASCII. */
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE = DIGITS.length;
/** All texts of two digits. */
const PAIRS = Array.from({ length: BASE * BASE }, (_, n) => {
  return DIGITS[Math.floor(n / BASE)] + DIGITS[n % BASE];
});
/** The largest number of 23 bits. */
const GROUP_MAX = 2 ** 23 - 1;
/** The largest tag. */
export const TAG_MAX: number = GROUP_MAX;
/** Digits of the place, before those of the tag. */
const PLACE_LENGTH = 16;
/** Digits of a cursor. */
export const CURSOR_LENGTH = 20;
/** Hexadecimal digits of a commit. */
export const COMMIT_LENGTH = 20;
/** The most messages that a commit may hold for one room, and the most changes. */
export const ENTRY_MAX_RECORDS = 2_048;
/** The index of a commit's first change: changes stand behind messages. */
export const CHANGES_FROM = ENTRY_MAX_RECORDS;

const VALUES = new Uint8Array(128);
for (let value = 0; value < BASE; value++) VALUES[DIGITS.charCodeAt(value)] = value;

/** By character code, the value of a hexadecimal digit. */
const HEX_VALUES = new Uint8Array(128);
for (let value = 0; value < 16; value++) HEX_VALUES[value.toString(16).charCodeAt(0)] = value;

/** The commit before the first of every log. */
export const NO_COMMIT = "0".repeat(COMMIT_LENGTH);

/** The place before the first message of every log: where a member of an empty room stands. */
export const ORIGIN = "0".repeat(CURSOR_LENGTH);

const COMMIT_PATTERN = new RegExp(`^[0-9a-f]{${COMMIT_LENGTH}}$`);

/**
 * Tells whether a text has the form of a commit.
 *
 * @param text Any text.
 * @returns True for 20 lower-case hexadecimal digits.
 */
export function isCommit(text: string): boolean {
  return COMMIT_PATTERN.test(text);
}

const PATTERN = new RegExp(`^[0-9A-Za-z]{${CURSOR_LENGTH}}$`);

/**
 * Tells whether a text has the form of a cursor.
 *
 * @param text Any text.
 * @returns True for 20 digits of a cursor; no such message need exist.
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
  // 92 bits in pieces of 24, 24, 24 and 20 become four of 23.
  const a = hexNumber(commit, 0, 6);
  const b = hexNumber(commit, 6, 12);
  const c = hexNumber(commit, 12, 18);
  const d = hexNumber(commit, 18, COMMIT_LENGTH) << 12 | index;
  return digitsOf(a >>> 1) + digitsOf((a & 1) << 22 | b >>> 2) +
    digitsOf((b & 3) << 21 | c >>> 3) + digitsOf((c & 7) << 20 | d) + digitsOf(tag);
}

/**
 * Makes the tag of a record: 23 bits of a hash of its id.
 *
 * @param id The record's unique id.
 * @returns A number below 2 ** 23.
 */
export function tagOf(id: string): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (let at = 0; at < id.length; at++) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 9)) & GROUP_MAX;
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
 * Tells whether a cursor names a change.
 *
 * @param cursor A cursor.
 * @returns False where it names a message.
 */
export function isOfChange(cursor: string): boolean {
  return indexOf(cursor) >= CHANGES_FROM;
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

/** The hexadecimal digits of a commit and of the index after it. */
function hexOf(cursor: string): string {
  const [g, h, i, j] = [0, 4, 8, 12].map((at) => numberOf(cursor, at));
  const pieces = [
    g << 1 | h >>> 22,
    (h & 0x3fffff) << 2 | i >>> 21,
    (i & 0x1fffff) << 3 | j >>> 20,
  ];
  const hex = pieces.map((piece) => piece.toString(16).padStart(6, "0")).join("");
  return hex + (j & 0xfffff).toString(16).padStart(5, "0");
}

/** The number that some hexadecimal digits write: every message has a cursor, and slices cost. */
function hexNumber(digits: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value = value << 4 | HEX_VALUES[digits.charCodeAt(at)];
  return value;
}

/** 23 bits as four digits. */
function digitsOf(bits: number): string {
  const high = bits / PAIRS.length | 0;
  return PAIRS[high] + PAIRS[bits - high * PAIRS.length];
}

/** Four digits as 23 bits; such digits as no cursor has count as the greatest. */
function numberOf(cursor: string, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) value = value * BASE + VALUES[cursor.charCodeAt(i)];
  return Math.min(value, GROUP_MAX);
}

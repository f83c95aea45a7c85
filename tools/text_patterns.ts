/**
 * Patterns of JSON Schema for texts that people can see. They use no more than readers of schemas in
 * other languages know: ranges, `\p{…}` of one letter, and lookahead.
 *
 * @module
 */

/** What is never drawn by itself, beyond white space and control characters. */
const UNSEEN = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e" +
  "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\u{13430}-\u{13442}\u{16fe4}" +
  "\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}";
/** Of those, what no name holds, in whatever company. */
const NEVER = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\ufffd";
/** Spaces, which become single ones. */
const SPACES = " \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000";
/** Format characters that are drawn: signs of numbers and verses. */
const DRAWN = "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2";
const JOINERS = "\u200c\u200d";
/** Beside what a joiner changes nothing: most of what is neither Asian nor African nor a picture. */
const UNJOINED = "\\u0000-\\u05ff\\u1d00-\\u200b\\u200e-\\u2193\\u2196-\\u25ff";
const FLAG = "\u{1f3f4}";
/** Tags, which spell the flags of parts of countries. */
const TAGS = "\u{e0020}-\u{e007f}";
/** The longest name, in code points. */
const NAME_MAX_LENGTH = 64;

/** Matches the text of a message: something of it can be seen. */
export const MESSAGE_TEXT = `[^\\s\\u0000-\\u001f\\u007f-\\u009f${UNSEEN}]`;

/** Matches what a reaction shows: it has no white space and no control characters. */
export const EMOJI = "^(?=.*" + MESSAGE_TEXT + ")[^\\s\\u0000-\\u001f\\u007f-\\u009f]+$";

/** Matches the name of a user, as rooms show it. */
export const USER_NAME = [
  `^(?!.*[${NEVER}])`,
  `(?!.*[${UNJOINED}][${JOINERS}])`,
  `(?!.*[${JOINERS}](?:[${UNJOINED}]|$))`,
  `(?![${JOINERS}${TAGS}])`,
  `(?!.*[^${FLAG}${TAGS}][${TAGS}])`,
  `(?=.*[^${SPACES}])`,
  `[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}${SPACES}${DRAWN}${JOINERS}${TAGS}]{1,${NAME_MAX_LENGTH}}$`,
].join("");

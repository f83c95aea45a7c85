/**
 * Patterns of JSON Schema for the texts of the protocol. They use nothing but ranges, groups and
 * repetition, which readers of schemas in all languages know, and a text matches in one way at most,
 * so that none takes long.
 *
 * @module
 */

import { INVISIBLE, JOINING } from "../src/protocol/visible_text.ts";
import { type CharacterTest, rangesOf } from "./character_ranges.ts";

/** What is never drawn by itself, beyond white space and control characters. */
const UNSEEN = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e" +
  "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\u{13430}-\u{13442}\u{16fe4}" +
  "\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}";
/** What is cut off around a name, beside the spaces of `Zs`. */
const AROUND = "\\u0009-\\u000d\\u2028\\u2029\ufeff";
/** White space and control characters. */
const SPACES = "\\s\\u0000-\\u001f\\u007f-\\u009f";

/** A picture only where U+FE0F says so. */
const ARROW = "\u2194";

/** Matches the text of a message: something of it can be seen. */
export const MESSAGE_TEXT = `[^${SPACES}${UNSEEN}]`;

/** Matches what a reaction shows: it has no white space and no control characters. */
export const EMOJI = `^[^${SPACES}]*${MESSAGE_TEXT}[^${SPACES}]*$`;

/** Matches the names that the server takes, beside their length: in NFC, exactly those. */
export const USER_NAME: string = userNamePattern();

function userNamePattern(): string {
  const [joining, mark] = [new RegExp(`[${JOINING}]`, "u"), /\p{M}/u];
  const isLetter = (it: string) => joining.test(it) && !mark.test(it);
  const isPicture = (it: string) => /\p{Extended_Pictographic}/u.test(it) && it !== ARROW;
  const letter = setOf((it) => isLetter(it) && isShown(it));
  const joined = setOf((it) => joining.test(it) && mark.test(it) && isShown(it));
  const picture = setOf((it) => isPicture(it) && isShown(it));
  const mongolian = setOf((it) => /(?!\p{M})\p{Script=Mongolian}/u.test(it) && isShown(it));
  const other = setOf((it) => !isLetter(it) && !isPicture(it) && isShown(it));
  const space = setOf((it) => /\p{Zs}/u.test(it));
  const tone = "[\u{1f3fb}-\u{1f3ff}]";
  const character = [
    other,
    // A joiner stands between letters that it joins or parts; the first may have marks.
    `${letter}(?:${joined}*[\u200c\u200d]${letter})*`,
    // Pictures with joiners.
    `(?:(?:${picture}${tone}?\ufe0f?|${ARROW}\ufe0f)\u200d)*` +
    `(?:${picture}(?:${tone}?\ufe0f)?|${ARROW}\ufe0f)`,
    `${mongolian}[\u180b-\u180d\u180f]`,
    "[0-9#*]\ufe0f\u20e3",
    // Flags of parts of countries.
    "\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{1,6}\u{e007f}",
  ].join("|");
  const around = `[${AROUND}${space.slice(1)}`;
  return `^${around}*(?:(?:${character})${space}*)+(?:[${AROUND}]${around}*)?$`;
}

/** Whether a character, no space, may stand in a name by itself, and stays one character. */
function isShown(it: string): boolean {
  return !INVISIBLE.test(it) && !/[\p{Zs}\ufffd]/u.test(it) &&
    [...it.normalize("NFC")].length === 1;
}

function setOf(test: CharacterTest): string {
  return `[${rangesOf(test)}]`;
}

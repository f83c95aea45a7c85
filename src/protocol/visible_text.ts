/**
 * Text that people can see.
 *
 * @module
 */

/** Characters that Unicode does not call blank, and whose glyphs are: Braille, music, hieroglyphs. */
const BLANK = "\\u2800\\ufffc\\u{13441}\\u{13442}\\u{16fe4}\\u{1d159}";
/** Format characters that are drawn: signs of numbers and verses (Prepended_Concatenation_Mark). */
const DRAWN = "\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u{110bd}\\u{110cd}";

/** One character that is drawn. */
const VISIBLE = new RegExp(
  `(?![\\s\\p{Cc}\\p{Default_Ignorable_Code_Point}${BLANK}])(?:[^\\p{Cf}]|[${DRAWN}])`,
  "u",
);

/** One character that is not drawn, or of which nobody knows how. */
export const INVISIBLE: RegExp = new RegExp(
  `[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Cn}\\p{Co}\\p{Default_Ignorable_Code_Point}${BLANK}]` +
    `|(?![${DRAWN}])\\p{Cf}`,
  "u",
);

/**
 * Scripts whose letters look different with a joiner or a non-joiner between them, as what stands
 * between the brackets of a pattern.
 */
export const JOINING: string = [
  "Adlam",
  "Arabic",
  "Balinese",
  "Bengali",
  "Devanagari",
  "Gujarati",
  "Gurmukhi",
  "Javanese",
  "Kannada",
  "Khmer",
  "Malayalam",
  "Mandaic",
  "Manichaean",
  "Mongolian",
  "Myanmar",
  "Nko",
  "Oriya",
  "Phags_Pa",
  "Sinhala",
  "Syriac",
  "Tamil",
  "Telugu",
  "Tibetan",
].map((script) => `\\p{Script_Extensions=${script}}`).join("");

/**
 * A picture with its skin tone and presentation. Some of Unicode's are reserved, and not drawn yet;
 * the arrow U+2194 is one with U+FE0F only, since a stroke that follows makes another sign of it.
 */
const PICTURE =
  "(?:\\u2194\\ufe0f|(?![\\u2194\\p{Cn}])\\p{Extended_Pictographic}\\p{Emoji_Modifier}?\\ufe0f?)";

/** Sequences in which a character that is not drawn changes what is. */
const SEQUENCES = [
  // Flags of parts of countries, spelt in tags.
  "\\u{1f3f4}[\\u{e0030}-\\u{e0039}\\u{e0061}-\\u{e007a}]{1,6}\\u{e007f}",
  // Families, professions and flags: pictures with joiners.
  `${PICTURE}(?:\\u200d${PICTURE})*`,
  // Keys: 1️⃣.
  "[0-9#*]\\ufe0f\\u20e3",
  // Forms of a Mongolian letter.
  "(?!\\p{M})\\p{Script=Mongolian}[\\u180b-\\u180d\\u180f]",
  // A joiner between letters that it joins or parts; the first may have marks.
  `(?!\\p{M})[${JOINING}](?:(?=\\p{M})[${JOINING}])*[\\u200c\\u200d](?=(?!\\p{M})[${JOINING}])`,
].map((sequence) => new RegExp(sequence, "gu"));

/**
 * Whether nothing of a text is drawn: white space, zero-width characters, fillers, variation
 * selectors alone.
 *
 * @param text The text.
 * @returns True if people see nothing.
 *
 * @example
 * ```ts
 * import { isBlank } from "./visible_text.ts";
 *
 * isBlank(" \u200b\u2800"); // true
 * ```
 */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}

/**
 * Whether a name holds a character that people cannot see, so that two names could look the same.
 * Joiners stay where they change what is drawn: in emoji, and between letters of Persian or Hindi.
 *
 * @param name The name.
 * @returns True if it does.
 *
 * @example
 * ```ts
 * import { holdsInvisible } from "./visible_text.ts";
 *
 * holdsInvisible("ann\u200b"); // true
 * holdsInvisible("علی\u200cرضا"); // false
 * ```
 */
export function holdsInvisible(name: string): boolean {
  // Most names need no second look.
  if (!INVISIBLE.test(name)) return false;
  return INVISIBLE.test(SEQUENCES.reduce((rest, sequence) => rest.replace(sequence, "x"), name));
}

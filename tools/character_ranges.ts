/**
 * Sets of characters, spelt for patterns: as ranges, since readers of schemas in other languages do
 * not know `\p{…}`, or know another version of Unicode.
 *
 * @module
 */

/** A property of one character. */
export type CharacterTest = (character: string) => boolean;

/** Characters with a meaning inside brackets. */
const SPECIAL = /[\\\]\[^-]/;

/**
 * Spells the characters that have a property.
 *
 * @param test Whether a character has it.
 * @returns What stands between the brackets of a pattern.
 */
export function rangesOf(test: CharacterTest): string {
  let [ranges, from] = ["", -1];
  for (let code = 0; code <= 0x110000; code++) {
    const isSurrogate = code >= 0xd800 && code <= 0xdfff;
    const isIn = code < 0x110000 && !isSurrogate && test(String.fromCodePoint(code));
    if (isIn && from < 0) from = code;
    if (isIn || from < 0) continue;
    ranges += spell(from) + (code - from > 2 ? "-" : "") + (code - from > 1 ? spell(code - 1) : "");
    from = -1;
  }
  return ranges;
}

function spell(code: number): string {
  const character = String.fromCodePoint(code);
  return SPECIAL.test(character) ? `\\${character}` : character;
}

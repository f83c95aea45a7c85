/**
 * The length of texts.
 *
 * @module
 */

/**
 * Whether a text has 1 to so many characters (code points, as JSON Schema counts them).
 *
 * @param value The text, or anything else.
 * @param max The most characters.
 * @returns True for a text of that length.
 *
 * @example
 * ```ts
 * import { isTextWithin } from "./text_length.ts";
 *
 * console.log(isTextWithin("👍👍", 2), isTextWithin("", 2), isTextWithin(7, 2)); // true false false
 * ```
 */
export function isTextWithin(value: unknown, max: number): value is string {
  if (typeof value !== "string" || value === "") return false;
  if (value.length <= max) return true;
  // A character takes at most two units of UTF-16, so long texts need no counting.
  return value.length <= 2 * max && [...value].length <= max;
}

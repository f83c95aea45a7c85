/**
 * Mentions of users in texts.
 *
 * @module
 */

/** What a name may go on with: behind it, `@ann` is a part of a longer name or of an address. */
const GOES_ON = /^(?:[\p{L}\p{M}\p{N}_@]|[-.](?=[\p{L}\p{N}_]))/u;
/** What may not stand before the `@`: then it is the middle of an address. */
const BEFORE = /[\p{L}\p{M}\p{N}_.+-]$/u;

/**
 * Finds the places at which a text mentions somebody: `@` and the name, in upper or lower case, where
 * neither is a part of something longer. `@annette` and `ann@bob.example` do not mention ann.
 *
 * @param text The text.
 * @param names The user, and the name that is shown beside it, where there is one.
 * @returns By place, where each mention begins and ends, in UTF-16 code units.
 *
 * @example
 * ```ts
 * import { findMentions } from "@hubbub/hub/protocol";
 *
 * console.log(findMentions("is @Ann there, @annette?", ["ann"])); // [{ start: 3, end: 7 }]
 * ```
 */
export function findMentions(
  text: string,
  names: readonly string[],
): readonly { readonly start: number; readonly end: number }[] {
  // Lower case may be of another length, for a few letters: then places would not fit.
  const isFolded = text.toLowerCase().length === text.length;
  const fold = (part: string) => isFolded ? part.toLowerCase() : part;
  const searched = fold(text);
  const wanted = names.map(fold).filter((name) => name !== "");
  const found: { start: number; end: number }[] = [];
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    if (BEFORE.test(text.slice(Math.max(0, at - 2), at))) continue;
    const ends = wanted.map((name) => {
      const end = at + 1 + name.length;
      return searched.startsWith(name, at + 1) && !GOES_ON.test(text.slice(end)) ? end : at;
    });
    const end = Math.max(at, ...ends);
    if (end > at) found.push({ start: at, end });
  }
  return found;
}

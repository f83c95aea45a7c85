/**
 * Patterns of room names.
 *
 * @module
 */

/**
 * Whether a name matches a pattern, in which `*` stands for any characters, or none.
 *
 * @param pattern The pattern.
 * @param name The name.
 * @returns True if all of the name matches. Takes time in proportion to both lengths, at worst.
 *
 * @example
 * ```ts
 * import { matches } from "./room_pattern.ts";
 *
 * matches("team-*", "team-a"); // true
 * ```
 */
export function matches(pattern: string, name: string): boolean {
  const [first, ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === name;
  const last = rest.pop()!;
  const isLongEnough = name.length >= first.length + last.length;
  if (!isLongEnough || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}

/**
 * Patterns of room names.
 *
 * @module
 */

/**
 * A pattern of names, in which `*` stands for any characters, or none, and may stand anywhere. A name
 * is matched in time in proportion to both lengths, at worst: never is a star tried again.
 *
 * @example
 * ```ts
 * import { RoomPattern } from "./room_pattern.ts";
 *
 * new RoomPattern("team-*").matches("team-a"); // true
 * ```
 */
export class RoomPattern {
  /** What stands before the first star, or is all of it. */
  readonly #first: string;
  /** What stands between stars. */
  readonly #between: readonly string[];
  /** What stands behind the last star; undefined where there is none. */
  readonly #last: string | undefined;

  /** @param pattern The pattern. */
  constructor(pattern: string) {
    const [first, ...rest] = pattern.split("*");
    this.#first = first;
    this.#last = rest.pop();
    this.#between = rest.filter((part) => part !== "");
  }

  /**
   * Whether a name matches.
   *
   * @param name The name.
   * @returns True if all of it does.
   */
  matches(name: string): boolean {
    const [first, last] = [this.#first, this.#last];
    if (last === undefined) return name === first;
    const isLongEnough = name.length >= first.length + last.length;
    if (!isLongEnough || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const part of this.#between) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= name.length - last.length;
  }
}

/**
 * Users in some state, and what holds each of them there.
 *
 * @module
 */

/**
 * A sorted set of users with reference counts: a user is in it while anything holds them, such as a
 * connection, or another isolate that says so. Adding or removing twice changes nothing.
 *
 * @example
 * ```ts
 * import { UserSet } from "./user_set.ts";
 *
 * const typing = new UserSet<string>();
 * typing.add("ann", "tab 1"); // true: ann began
 * typing.add("ann", "tab 2"); // false
 * typing.remove("ann", "tab 1"); // false: the other tab still holds her
 * typing.remove("ann", "tab 2"); // true: ann stopped
 * ```
 */
export class UserSet<Holder> {
  readonly #holders = new Map<string, Set<Holder>>();
  /** The users, sorted: kept up from one change to the next, for each newcomer is told of all. */
  readonly #sorted: string[] = [];

  /** How many users are in it. */
  get size(): number {
    return this.#holders.size;
  }

  /**
   * Adds a holder of a user.
   *
   * @param user The user.
   * @param holder What holds the user.
   * @returns True where nothing held the user before.
   */
  add(user: string, holder: Holder): boolean {
    const holders = this.#holders.get(user);
    if (holders) {
      holders.add(holder);
      return false;
    }
    this.#holders.set(user, new Set([holder]));
    this.#sorted.splice(this.#placeOf(user), 0, user);
    return true;
  }

  /**
   * Removes a holder of a user.
   *
   * @param user The user.
   * @param holder What held the user.
   * @returns True where it was the last holder.
   */
  remove(user: string, holder: Holder): boolean {
    const holders = this.#holders.get(user);
    if (!holders?.delete(holder) || holders.size > 0) return false;
    this.#holders.delete(user);
    this.#sorted.splice(this.#placeOf(user), 1);
    return true;
  }

  /**
   * Whether a user is in the set.
   *
   * @param user The user.
   * @returns True while anything holds the user.
   */
  has(user: string): boolean {
    return this.#holders.has(user);
  }

  /**
   * What holds a user.
   *
   * @param user The user.
   * @returns The holders, which change with the set; empty for a user that is not in it.
   */
  holders(user: string): ReadonlySet<Holder> {
    return this.#holders.get(user) ?? NOTHING;
  }

  /** Removes everybody. */
  clear(): void {
    this.#holders.clear();
    this.#sorted.length = 0;
  }

  /** The users in the set, sorted by code unit, as a copy. */
  users(): string[] {
    return this.#sorted.slice();
  }

  /** Where a user stands, or belongs, among those that are sorted. */
  #placeOf(user: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle] < user) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const NOTHING: ReadonlySet<never> = new Set<never>();

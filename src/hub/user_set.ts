/**
 * Who is in some state, and through what.
 *
 * @module
 */

/**
 * Users and what holds each of them in a state: a connection, or another isolate that says so. A
 * user is in it while anything holds them. Adding or removing twice changes nothing.
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
   * Lets something hold a user.
   *
   * @param user Whom.
   * @param holder What holds them.
   * @returns True where nothing held them before.
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
   * Lets something hold a user no longer.
   *
   * @param user Whom.
   * @param holder What held them.
   * @returns True where it was the last that held them.
   */
  remove(user: string, holder: Holder): boolean {
    const holders = this.#holders.get(user);
    if (!holders?.delete(holder) || holders.size > 0) return false;
    this.#holders.delete(user);
    this.#sorted.splice(this.#placeOf(user), 1);
    return true;
  }

  /**
   * Tells whether anything holds a user.
   *
   * @param user Whom.
   * @returns True while something does.
   */
  has(user: string): boolean {
    return this.#holders.has(user);
  }

  /**
   * What holds a user.
   *
   * @param user Whom.
   * @returns What holds them now; stays as it is.
   */
  holders(user: string): readonly Holder[] {
    return [...this.#holders.get(user) ?? []];
  }

  /** Forgets everybody. */
  clear(): void {
    this.#holders.clear();
    this.#sorted.length = 0;
  }

  /** The users in it, sorted by code unit. */
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

/**
 * Display names of users, by what says them.
 *
 * @module
 */

/**
 * The name that is shown beside each user. Whatever holds a user in a room says one, or none; the
 * one that was said last is shown, for as long as who said it holds the user.
 *
 * @example
 * ```ts
 * import { DisplayNames } from "./display_names.ts";
 *
 * const names = new DisplayNames<string>();
 * names.set("u1", "tab 1", "Ann"); // true: it has changed
 * names.set("u1", "tab 2", "Ann Lee"); // true
 * names.delete("u1", "tab 2"); // true
 * console.log(names.of("u1")); // Ann
 * ```
 */
export class DisplayNames<Holder> {
  /** By user and holder, in the order in which the names were said. Who has none is not in it. */
  readonly #names = new Map<string, Map<Holder, string>>();

  /**
   * The name of a user.
   *
   * @param user The user.
   * @param counts Which holders count. @default {all}
   * @returns The name that was said last; undefined where there is none.
   */
  of(user: string, counts: (holder: Holder) => boolean = () => true): string | undefined {
    const names = this.#names.get(user);
    // Most have none, and each newcomer asks for all of them.
    if (!names) return undefined;
    let found: string | undefined;
    for (const [holder, name] of names) if (counts(holder)) found = name;
    return found;
  }

  /**
   * Sets what a holder says.
   *
   * @param user The user.
   * @param holder The holder.
   * @param name The name; undefined for none.
   * @returns Whether another name is shown from now on.
   */
  set(user: string, holder: Holder, name: string | undefined): boolean {
    if (name === undefined) return this.delete(user, holder);
    let names = this.#names.get(user);
    if (names?.get(holder) === name) return false;
    const before = this.of(user);
    if (!names) this.#names.set(user, names = new Map());
    // What was said last stands last.
    names.delete(holder);
    names.set(holder, name);
    return before !== name;
  }

  /**
   * Forgets what a holder has said.
   *
   * @param user The user.
   * @param holder The holder.
   * @returns Whether another name is shown from now on, or none.
   */
  delete(user: string, holder: Holder): boolean {
    const names = this.#names.get(user);
    if (!names?.has(holder)) return false;
    const before = this.of(user);
    names.delete(holder);
    if (names.size === 0) this.#names.delete(user);
    return this.of(user) !== before;
  }
}

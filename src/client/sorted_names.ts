/**
 * Names in order.
 *
 * @module
 */

/**
 * Set of names, sorted by code unit as the server sorts them. Adding and removing cost a binary
 * search; a list is made only when it is asked for.
 *
 * @example
 * ```ts
 * import { SortedNames } from "./sorted_names.ts";
 *
 * const names = new SortedNames();
 * names.reset(["cleo", "ann"]);
 * names.add("bob");
 * console.log(names.list); // ["ann", "bob", "cleo"]
 * ```
 */
export class SortedNames {
  #names: string[] = [];
  /** What was given out last. */
  #list: readonly string[] = [];
  #isStale = false;

  /** The names; the same list until one of them changes, and never changed itself. */
  get list(): readonly string[] {
    if (this.#isStale) {
      const [now, before] = [this.#names, this.#list];
      const isSame = now.length === before.length && now.every((name, at) => name === before[at]);
      if (!isSame) this.#list = now.slice();
      this.#isStale = false;
    }
    return this.#list;
  }

  /** How many names there are. */
  get size(): number {
    return this.#names.length;
  }

  /**
   * Replaces all names.
   *
   * @param names The names, in any order.
   */
  reset(names: Iterable<string>): void {
    this.#names = [...new Set(names)].sort();
    this.#isStale = true;
  }

  /**
   * Adds a name.
   *
   * @param name The name.
   * @returns False where it was there already.
   */
  add(name: string): boolean {
    const index = this.#indexOf(name);
    if (this.#names[index] === name) return false;
    this.#names.splice(index, 0, name);
    this.#isStale = true;
    return true;
  }

  /**
   * Removes a name.
   *
   * @param name The name.
   * @returns False where it was not there.
   */
  delete(name: string): boolean {
    const index = this.#indexOf(name);
    if (this.#names[index] !== name) return false;
    this.#names.splice(index, 1);
    this.#isStale = true;
    return true;
  }

  /** Where a name stands, or would stand. */
  #indexOf(name: string): number {
    let [low, high] = [0, this.#names.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#names[middle] < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

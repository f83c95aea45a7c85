/**
 * Display names of users.
 *
 * @module
 */

import type { PresentUser } from "../protocol/mod.ts";

/** Display names of the users in a room, for those that have one beside their user name. */
export class RoomNames {
  #names: ReadonlyMap<string, string> = new Map();

  /** The display names by user; another map after each change. */
  get map(): ReadonlyMap<string, string> {
    return this.#names;
  }

  /**
   * Replaces everything, on a new stay.
   *
   * @param users Who is there.
   */
  reset(users: readonly PresentUser[]): void {
    this.#names = new Map();
    this.change(users, []);
  }

  /**
   * Adds and removes users.
   *
   * @param joined Who came.
   * @param left Who went.
   */
  change(joined: readonly PresentUser[], left: readonly string[]): void {
    const named = joined.filter(({ name }) => typeof name === "string");
    const nameless = joined.filter(({ name }) => name === undefined).map(({ user }) => user);
    const gone = [...left, ...nameless].filter((user) => this.#names.has(user));
    if (named.length + gone.length === 0) return;
    const names = new Map(this.#names);
    for (const user of gone) names.delete(user);
    for (const { user, name } of named) names.set(user, name!);
    this.#names = names;
  }
}

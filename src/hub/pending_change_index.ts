/**
 * Changes on their way into the log, by what they are looked for.
 *
 * @module
 */

import type { StoredMessageChange } from "../store/change.ts";
import type { ChangeAppend } from "./change_append.ts";

/** The changes of a room that are on their way: by id, by sender and `ref`, and by message. */
export class PendingChangeIndex {
  readonly #byId = new Map<string, ChangeAppend>();
  readonly #byRef = new Map<string, ChangeAppend>();
  readonly #byMessage = new Map<string, Set<ChangeAppend>>();

  /** How many there are. */
  get size(): number {
    return this.#byId.size;
  }

  /** All of them, oldest first. */
  all(): Iterable<ChangeAppend> {
    return this.#byId.values();
  }

  /**
   * Adds a change.
   *
   * @param append The change.
   */
  add(append: ChangeAppend): void {
    const { id, user, ref, message } = append.change;
    this.#byId.set(id, append);
    if (ref !== undefined) this.#byRef.set(refKey(user, ref), append);
    const ofMessage = this.#byMessage.get(message);
    if (ofMessage) ofMessage.add(append);
    else this.#byMessage.set(message, new Set([append]));
  }

  /**
   * Removes a change.
   *
   * @param id Its unique id.
   * @returns The change; undefined where it is not here.
   */
  take(id: string): ChangeAppend | undefined {
    const append = this.#byId.get(id);
    if (!append) return undefined;
    const { user, ref, message } = append.change;
    this.#byId.delete(id);
    if (ref !== undefined) this.#byRef.delete(refKey(user, ref));
    const ofMessage = this.#byMessage.get(message);
    ofMessage?.delete(append);
    if (ofMessage?.size === 0) this.#byMessage.delete(message);
    return append;
  }

  /**
   * Finds the change that a sender named.
   *
   * @param user The sender.
   * @param ref The name.
   * @returns The change; undefined where it is not here.
   */
  find(user: string, ref: string): ChangeAppend | undefined {
    return this.#byRef.get(refKey(user, ref));
  }

  /**
   * Lists the changes of a message.
   *
   * @param message Its cursor.
   * @returns Them, oldest first.
   */
  of(message: string): StoredMessageChange[] {
    return [...this.#byMessage.get(message) ?? []].map(({ change }) => change);
  }
}

function refKey(user: string, ref: string): string {
  // No name of a user holds a line feed.
  return `${user}\n${ref}`;
}

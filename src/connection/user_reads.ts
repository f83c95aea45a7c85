/**
 * The read marks of a connection's user.
 *
 * @module
 */

import type { Hub } from "../hub/hub.ts";
import type { ReaderMarks } from "../hub/read_marks.ts";
import type { Reader } from "../hub/user_marks.ts";

/** The marks of a user, read before the connection is made that uses them. */
export class UserReads implements Reader, Disposable {
  #marks: ReaderMarks | undefined;
  #listener: Reader["onRead"] = () => {};

  /**
   * Reads the marks of a user. Where that fails the connection is made without them.
   *
   * @param hub The hub.
   * @param user The user; undefined where nobody is known.
   * @returns The marks, to be disposed of when the connection ends. Never rejects.
   */
  static async open({ reads }: Hub, user: string | undefined): Promise<UserReads> {
    const opened = new UserReads();
    if (user === undefined) return opened;
    opened.#marks = await reads.attach(user, opened);
    return opened;
  }

  /** The marks; undefined where nobody is known, and where they could not be read. */
  get marks(): ReaderMarks | undefined {
    return this.#marks;
  }

  /**
   * Listens for marks that other connections of the user move.
   *
   * @param listener Called with each. Must not throw.
   */
  listen(listener: Reader["onRead"]): void {
    this.#listener = listener;
  }

  onRead(...read: Parameters<Reader["onRead"]>): void {
    this.#listener(...read);
  }

  [Symbol.dispose](): void {
    this.#marks?.[Symbol.dispose]();
    this.#marks = undefined;
  }
}

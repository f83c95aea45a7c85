/**
 * Pages of a room's log.
 *
 * @module
 */

import type { PagePlace, StoredMessage } from "../client/mod.ts";
import { eraseUser } from "../client/message_fold.ts";
import { isStored, type RoomFeed } from "./room_feed.ts";

/** Pages of a room's log: of what the client keeps, else of what the server has. */
export class LogPages {
  readonly #feed: RoomFeed;

  /** @param feed The room. */
  constructor(feed: RoomFeed) {
    this.#feed = feed;
  }

  /**
   * Gives the newest messages.
   *
   * @param limit How many at most.
   * @returns Those that the client keeps, oldest first.
   */
  latest(limit: number): StoredMessage[] {
    return this.#kept.slice(-limit);
  }

  /**
   * Reads the messages just before a place.
   *
   * @param cursor The place; the end, where it is undefined.
   * @param limit How many at most.
   * @returns Oldest first; none at the beginning of the room.
   */
  before(cursor: string | undefined, limit: number): StoredMessage[] | Promise<StoredMessage[]> {
    const kept = this.#kept;
    const at = kept.findIndex((message) => cursor !== undefined && message.cursor >= cursor);
    if (at > 0) return kept.slice(Math.max(0, at - limit), at);
    return this.#read({ before: cursor, limit });
  }

  /**
   * Reads the messages just after a place.
   *
   * @param cursor The place.
   * @param limit How many at most.
   * @returns Oldest first; none at the end of the room.
   */
  after(cursor: string, limit: number): StoredMessage[] | Promise<StoredMessage[]> {
    return this.keptAfter(cursor)?.slice(0, limit) ?? this.#read({ after: cursor, limit });
  }

  /**
   * Gives all that follows a place.
   *
   * @param cursor The place.
   * @returns Oldest first; undefined where what the client keeps begins later.
   */
  keptAfter(cursor: string): StoredMessage[] | undefined {
    const kept = this.#kept;
    if (kept.length === 0 || kept[0].cursor > cursor) return undefined;
    return kept.filter((message) => message.cursor > cursor);
  }

  /**
   * Gives the messages of others after a place.
   *
   * @param cursor The place.
   * @returns Those that the client keeps, oldest first.
   */
  othersAfter(cursor: string): StoredMessage[] {
    return this.#kept.filter((message) => {
      return message.cursor > cursor && message.user !== this.#feed.user && !message.deleted;
    });
  }

  /**
   * Finds a message.
   *
   * @param cursor Its cursor.
   * @returns The message; undefined where there is none.
   */
  find(cursor: string): Promise<StoredMessage | undefined> {
    return this.#feed.room.find(cursor);
  }

  get #kept(): StoredMessage[] {
    return this.#feed.snapshot.messages.filter(isStored);
  }

  async #read(place: PagePlace): Promise<StoredMessage[]> {
    const feed = this.#feed;
    const changed = new Set<string>();
    const note = ({ detail }: { readonly detail: { readonly change: { message: string } } }) =>
      void changed.add(detail.change.message);
    const erased = new Set<string>();
    feed.addEventListener("change", note);
    const end = feed.onErased((user) => void erased.add(user));
    try {
      let messages = [...await feed.room.read(place)];
      // What happened to them while they were on their way.
      for (const user of erased) {
        messages = messages.map((message) => eraseUser(message, user, feed.user));
      }
      for (const [index, { cursor }] of messages.entries()) {
        if (changed.has(cursor)) messages[index] = await this.find(cursor) ?? messages[index];
      }
      return messages;
    } finally {
      feed.removeEventListener("change", note);
      end();
    }
  }
}

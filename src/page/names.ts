/**
 * Names of people as they are shown.
 *
 * @module
 */

import type { RoomMessage } from "../client/mod.ts";
import { create } from "./elements.ts";
import type { RoomFeed } from "./room_feed.ts";

/** Names that are remembered of people who wrote and are not here. */
const KEPT = 1_000;

/** The display names of the people in a room, and of those who wrote in it. */
export class Names {
  readonly #feed: RoomFeed;
  readonly #written = new Map<string, string>();

  /** @param feed The room. */
  constructor(feed: RoomFeed) {
    this.#feed = feed;
  }

  /** Remembers the names in messages. */
  note(messages: readonly RoomMessage[]): void {
    for (const { user, name } of messages) if (name !== undefined) this.#written.set(user, name);
    for (const user of this.#written.keys()) {
      if (this.#written.size <= KEPT) break;
      this.#written.delete(user);
    }
  }

  /**
   * Gives the name to show for a user.
   *
   * @param user The user.
   * @returns The display name, or the user's own where none is known.
   */
  readonly of = (user: string): string => {
    const { snapshot, user: own, name } = this.#feed;
    const known = snapshot.names.get(user) ?? this.#written.get(user);
    return known ?? (user === own ? name : undefined) ?? user;
  };
}

/**
 * Creates the elements that name a user: the display name, and beside it the user name where that is
 * another one.
 *
 * @param user The user.
 * @param name The display name.
 * @param className The class of the name.
 * @returns One element, or two.
 */
export function createNames(user: string, name: string, className: string): HTMLElement[] {
  const shown = create("bdi", { class: className, text: name });
  if (name === user) return [shown];
  return [shown, create("bdi", { class: "user-id", text: user })];
}

/**
 * Names of people as they are shown.
 *
 * @module
 */

import type { RoomMessage } from "../client/mod.ts";
import { create } from "./elements.ts";
import type { RoomFeed } from "./room_feed.ts";

/** How many colours there are for people; the style sheet has as many. */
const HUES = 16;
/** Names that are remembered of people who wrote and are not here. */
const KEPT = 1_000;

/** The display names and the colours of the people in a room, and of those who wrote in it. */
export class Names {
  readonly #feed: RoomFeed;
  readonly #written = new Map<string, string>();
  readonly #hues = new Map<string, number>();

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

  /** The other users: those who wrote last first, then those who are here. */
  get others(): readonly string[] {
    const { user, snapshot: { messages, users } } = this.#feed;
    const wrote = messages.toReversed().flatMap(({ user, deleted }) => deleted ? [] : [user]);
    return [...new Set([...wrote, ...users])].filter((other) => other !== user);
  }

  /** The names by which others mention the reader. */
  get own(): readonly string[] {
    const { user, name } = this.#feed;
    return name === undefined ? [user] : [user, name];
  }

  /**
   * Gives the colour of a user. The first ones that appear have one each.
   *
   * @param user The user.
   * @returns A class of the style sheet.
   */
  hue(user: string): string {
    let hue = this.#hues.get(user);
    if (hue === undefined) this.#hues.set(user, hue = this.#hues.size % HUES);
    return `hue-${hue}`;
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

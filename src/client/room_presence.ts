/**
 * Presence and typing in a room.
 *
 * @module
 */

import type { TypingStatusEnvelope } from "../protocol/mod.ts";
import { SortedNames } from "./sorted_names.ts";

/** Names that are kept of a room whose users are counted rather than listed. */
const LISTED_MAX = 10_000;

/** Who is in a room, as the server says when it lets a member in. */
export interface Present {
  /** The users, or the first of them. */
  readonly users: readonly string[];
  /** The other users who are typing. */
  readonly typing: readonly string[];
  /** How many users there are. @default {the length of `users`} */
  readonly userCount?: number;
}

/** Users in the room and users who are typing, as the server last told. */
export class RoomPresence {
  readonly #users = new SortedNames();
  readonly #typing = new SortedNames();
  readonly #onChange: () => void;
  /** Users in the room who are not listed. */
  #unlisted = 0;

  /** @param onChange Called after each change. */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  /** The users in the room, sorted; the list is never changed. */
  get users(): readonly string[] {
    return this.#users.list;
  }

  /** How many users are in the room, also where not all are listed. */
  get userCount(): number {
    return this.#users.size + this.#unlisted;
  }

  /** The other users who are typing, sorted; the list is never changed. */
  get typingUsers(): readonly string[] {
    return this.#typing.list;
  }

  /**
   * Replaces everything, on a new connection.
   *
   * @param present Who is there.
   */
  reset({ users, typing, userCount = users.length }: Present): void {
    this.#users.reset(users);
    this.#unlisted = Math.max(0, userCount - users.length);
    this.#typing.reset(typing);
    this.#onChange();
  }

  /**
   * Adds and removes users of a room that may be too large to list.
   *
   * @param joined Who came.
   * @param left Who went.
   */
  change(joined: readonly string[], left: readonly string[]): void {
    let hasChanged = false;
    for (const user of joined) {
      if (this.#users.size >= LISTED_MAX) this.#unlisted++;
      else if (!this.#users.add(user)) continue;
      hasChanged = true;
    }
    for (const user of left) {
      if (!this.#users.delete(user)) {
        if (this.#unlisted === 0) continue;
        this.#unlisted--;
      }
      hasChanged = true;
    }
    if (hasChanged) this.#onChange();
  }

  /**
   * Sets whether a user is typing.
   *
   * @param typing Who began or stopped.
   */
  setTyping({ user, status }: TypingStatusEnvelope["payload"]): void {
    if (status ? this.#typing.add(user) : this.#typing.delete(user)) this.#onChange();
  }

  /** Ends all typing: without a connection nobody would be told of its end. */
  disconnect(): void {
    if (this.typingUsers.length === 0) return;
    this.#typing.reset([]);
    this.#onChange();
  }
}

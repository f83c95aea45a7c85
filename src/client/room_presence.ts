/**
 * Presence and typing in a room.
 *
 * @module
 */

import type { JoinedEnvelope, PresenceEnvelope, TypingStatusEnvelope } from "../protocol/mod.ts";
import { SortedNames } from "./sorted_names.ts";

/** Users in the room and users who are typing, as the server last told. */
export class RoomPresence {
  readonly #users = new SortedNames();
  readonly #typing = new SortedNames();
  readonly #onChange: () => void;
  #isChangeDue = false;

  /** @param onChange Called once at the end of a turn in which anything changed. */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  /** The users in the room, sorted; the list is never changed. */
  get users(): readonly string[] {
    return this.#users.list;
  }

  /** The other users who are typing, sorted; the list is never changed. */
  get typingUsers(): readonly string[] {
    return this.#typing.list;
  }

  /**
   * Replaces everything, on a new connection.
   *
   * @param joined Who is there.
   */
  reset({ users, typing }: JoinedEnvelope["payload"]): void {
    this.#users.reset(users);
    this.#typing.reset(typing);
    this.#changed();
  }

  /**
   * Adds or removes a user.
   *
   * @param presence Who came or went.
   */
  setPresence({ user, status }: PresenceEnvelope["payload"]): void {
    const isNew = status === "joined" ? this.#users.add(user) : this.#users.delete(user);
    if (isNew) this.#changed();
  }

  /**
   * Sets whether a user is typing.
   *
   * @param typing Who began or stopped.
   */
  setTyping({ user, status }: TypingStatusEnvelope["payload"]): void {
    if (status ? this.#typing.add(user) : this.#typing.delete(user)) this.#changed();
  }

  /** Ends all typing: without a connection nobody would be told of its end. */
  disconnect(): void {
    if (this.typingUsers.length === 0) return;
    this.#typing.reset([]);
    this.#changed();
  }

  #changed(): void {
    if (this.#isChangeDue) return;
    this.#isChangeDue = true;
    queueMicrotask(() => {
      this.#isChangeDue = false;
      this.#onChange();
    });
  }
}

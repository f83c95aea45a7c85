/**
 * Whom one meets in a room.
 *
 * @module
 */

import type { JoinedEnvelope, PresenceEnvelope, TypingStatusEnvelope } from "../protocol/mod.ts";

/** Who is in the room and who is typing, as the server tells it. The lists are never changed. */
export class RoomPresence {
  #users: readonly string[] = [];
  #typingUsers: readonly string[] = [];

  /** The users in the room, sorted. */
  get users(): readonly string[] {
    return this.#users;
  }

  /** The other users who are typing, sorted. */
  get typingUsers(): readonly string[] {
    return this.#typingUsers;
  }

  /**
   * Begins anew, on a new connection.
   *
   * @param joined Who is there.
   */
  meet({ users, typing }: JoinedEnvelope["payload"]): void {
    this.#users = users;
    this.#typingUsers = typing;
  }

  /**
   * Somebody came or went.
   *
   * @param presence Who.
   */
  move({ user, status }: PresenceEnvelope["payload"]): void {
    this.#users = listed(this.#users, user, status === "joined");
  }

  /**
   * Somebody began or stopped typing.
   *
   * @param typing Who.
   */
  type({ user, status }: TypingStatusEnvelope["payload"]): void {
    this.#typingUsers = listed(this.#typingUsers, user, status);
  }

  /** The connection is gone: nobody would be told that somebody stopped typing. */
  part(): void {
    this.#typingUsers = [];
  }
}

/** The names with one of them listed, or not; sorted, as the server sorts them. */
function listed(names: readonly string[], name: string, isListed: boolean): readonly string[] {
  const others = names.filter((other) => other !== name);
  return isListed ? [...others, name].sort() : others;
}

/**
 * The envelope `joined`.
 *
 * @module
 */

import { encodeEnvelope, type Limits, USERS_LISTED_MAX } from "../protocol/mod.ts";
import type { LastEnvelope } from "./message_batch.ts";
import type { RoomSubscription } from "./subscription.ts";

/** What {@linkcode joinedOf} says. */
export interface JoinedOptions {
  /** The room. */
  readonly room: {
    /** Its name. */
    readonly name: string;
    /** The place up to which everything has been delivered. */
    readonly cursor: string;
    /** The users that are present, sorted by code unit, as a copy. */
    users(): string[];
    /** Gives the display name of a user who is there. */
    nameOf(user: string): string | undefined;
    /** The users that are typing. */
    typingUsers(): readonly string[];
  };
  /** What members may do. */
  readonly limits: Limits;
  /** The place up to which the member's user has read the room; undefined where nobody keeps it. */
  readonly read: string | undefined;
  /** Whether the member has everything since the cursor that it came with. */
  readonly recovered: boolean;
}

/**
 * Makes `joined`, which is encoded in the protocol of the member, and within this turn.
 *
 * @param subscription The member's subscription.
 * @param options The room, and how the member came.
 * @returns The envelope.
 */
export function joinedOf(
  { user = "", member, presence, role }: RoomSubscription,
  { room, limits, read, recovered }: JoinedOptions,
): LastEnvelope {
  const { name, cursor } = room;
  const all = room.users();
  if (user !== "" && presence && !all.includes(user)) insert(all, user);
  const typing = presence ? room.typingUsers().filter((other) => other !== user) : [];
  // One's own name is that of this connection, which is about to be there.
  const named = (other: string) => {
    return { user: other, name: (other === user && member.name) || room.nameOf(other) };
  };
  return {
    encode() {
      const users = presence ? all : [];
      const payload = { room: name, user, cursor, recovered, users, typing, limits };
      return encodeEnvelope({ type: "joined", payload });
    },
    encodeV2() {
      const users = presence ? listed(all, user).map(named) : [];
      const user_count = all.length;
      const payload = { cursor, recovered, user_count, users, typing, read, role };
      return encodeEnvelope({ type: "joined", room: name, payload });
    },
  };
}

/** The first users, and one of them in any case where it is among them all. */
function listed(users: readonly string[], user: string): readonly string[] {
  if (users.length <= USERS_LISTED_MAX) return users;
  const first = users.slice(0, USERS_LISTED_MAX);
  if (user > first[first.length - 1]) first[first.length - 1] = user;
  return first;
}

/** Inserts a user where it belongs among sorted ones. */
function insert(users: string[], user: string): void {
  let at = users.length;
  while (at > 0 && users[at - 1] > user) at--;
  users.splice(at, 0, user);
}

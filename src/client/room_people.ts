/**
 * The people in a room, and what the user may do among them.
 *
 * @module
 */

import type { EnvelopeOfRoom } from "./hub_envelope.ts";
import { RoomNames } from "./room_names.ts";
import type { Arrived, RoomObserver } from "./room_observer.ts";
import { RoomPresence } from "./room_presence.ts";
import { RoomStanding } from "./room_standing.ts";
import type { RoomSnapshot } from "./room_state.ts";

/** What {@linkcode RoomPeople} says of a snapshot. */
export type PeopleSnapshot = Pick<
  RoomSnapshot,
  "users" | "userCount" | "typing" | "names" | "role" | "muted"
>;

/** Users in a room, those who type, and the user's own role: as the hub last told. */
export class RoomPeople {
  /** The users in the room, and those who type. */
  readonly presence: RoomPresence;
  readonly #names = new RoomNames();
  readonly #standing: RoomStanding;
  readonly #observer: Required<RoomObserver>;
  readonly #onChange: () => void;

  /**
   * @param observer What to call with what happens.
   * @param onChange Called after each change.
   */
  constructor(observer: Required<RoomObserver>, onChange: () => void) {
    this.#observer = observer;
    this.#onChange = onChange;
    this.#standing = new RoomStanding(onChange);
    this.presence = new RoomPresence(() => {
      onChange();
      observer.onUsers();
    });
  }

  /** The part of a snapshot that is about people. */
  get snapshot(): PeopleSnapshot {
    const { users, userCount, typingUsers: typing } = this.presence;
    const { role, muted } = this.#standing;
    return { users, userCount, typing, names: this.#names.map, role, muted };
  }

  /**
   * Takes what an envelope says of people.
   *
   * @param envelope The envelope; one that says nothing of them is passed over.
   */
  take(envelope: EnvelopeOfRoom): void {
    switch (envelope.type) {
      case "presence": {
        const { joined, left, renamed = [] } = envelope.payload;
        this.#names.change([...joined, ...renamed], left);
        if (renamed.length > 0) this.#onChange();
        this.presence.change(joined.map(({ user }) => user), left);
        return this.#observer.onPresence(envelope.payload);
      }
      case "typing_status":
        this.presence.setTyping(envelope.payload);
        return this.#observer.onTyping(envelope.payload);
      case "user_erased":
        return this.#observer.onErased(envelope.payload.user);
      case "role":
        this.#standing.role = envelope.payload.role;
        return;
      case "error":
        return this.#standing.refused(envelope.payload);
    }
  }

  /**
   * Takes who is there as a stay begins.
   *
   * @param joined What the hub said.
   */
  joined({ users, typing, user_count: userCount, role }: Arrived): void {
    this.#standing.role = role;
    this.#names.reset(users);
    this.presence.reset({ users: users.map(({ user }) => user), typing, userCount });
  }

  /** The stay has ended; those who were there are still shown. */
  lost(): void {
    this.#standing.unmute();
    this.presence.disconnect();
  }

  /** The room was left: nobody is known to be there. */
  left(): void {
    this.#names.reset([]);
    this.presence.reset({ users: [], typing: [] });
  }
}

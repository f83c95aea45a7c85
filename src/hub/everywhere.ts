/**
 * What holds in all rooms.
 *
 * @module
 */

import type { Problem, Role } from "../protocol/mod.ts";
import type { RoomSubscription } from "./subscription.ts";

/** The name of the log of what holds in all rooms, which no room can have. */
export const EVERYWHERE = "*";

/** A room, as {@linkcode Everywhere} sees it. */
export interface EverywhereRoom {
  /** Its name. */
  readonly name: string;
  /** What is changed in it. */
  readonly changes: {
    /** Its sanctions. */
    readonly sanctions: {
      /** Tells what keeps a user from being there. */
      banOf(user: string, role: Role): Problem | undefined;
      /** Tells what keeps a user from sending. */
      problemOf(user: string, role: Role): Problem | undefined;
    };
  };
  /** Reads it, once. */
  open(): Promise<void>;
  /** Keeps it in memory. */
  hold(): Disposable;
  /** Its subscriptions. */
  all(): readonly RoomSubscription[];
}

/** What {@linkcode Everywhere} needs. */
export interface EverywhereOptions<R extends EverywhereRoom> {
  /** The rooms of the hub. */
  readonly rooms: {
    /** Those in memory. */
    all(): Iterable<R>;
    /** Brings one into memory. */
    obtain(name: string): R;
  };
  /** Called when its log is read for the first time: from then on its changes are needed. */
  readonly onOpen: () => void;
}

/** What a room needs of {@linkcode Everywhere}. */
export interface EverywhereParts {
  /** What holds in all rooms; undefined where the room is the log of that. */
  readonly everywhere: Everywhere | undefined;
  /** Reads it. */
  readonly openEverywhere: (() => Promise<unknown>) | undefined;
  /** Those whom control records of the room put out. */
  readonly subscriptions: () => readonly RoomSubscription[];
}

/**
 * The sanctions that operators impose in all rooms. Their control records stand in a log of their
 * own, under a name that no room has, which is kept up like that of a room: read before the first
 * room is opened, told by the fan-out, and looked at where it grew.
 */
export class Everywhere<R extends EverywhereRoom = EverywhereRoom> {
  readonly #options: EverywhereOptions<R>;
  #room: R | undefined;
  #hold: Disposable | undefined;

  /** @param options The hub's rooms. */
  constructor(options: EverywhereOptions<R>) {
    this.#options = options;
  }

  /**
   * Reads what holds, once.
   *
   * @returns The room of that log, which stays in memory.
   * @throws Whatever the store rejects with; a later call tries again.
   */
  async open(): Promise<R> {
    // Another one where the database was put back.
    const room = this.#options.rooms.obtain(EVERYWHERE);
    if (room !== this.#room) {
      this.#hold?.[Symbol.dispose]();
      this.#room = room;
      this.#hold = room.hold();
      this.#options.onOpen();
    }
    await room.open();
    return room;
  }

  /**
   * Tells what keeps a user from being in any room.
   *
   * @param user The user.
   * @param role The user's role in one of them.
   * @returns `banned`, or undefined.
   */
  banOf(user: string, role: Role): Problem | undefined {
    return this.#room?.changes.sanctions.banOf(user, role);
  }

  /**
   * Tells what keeps a user from sending in any room.
   *
   * @param user The user.
   * @param role The user's role in one of them.
   * @returns `banned` or `muted`, or undefined.
   */
  problemOf(user: string, role: Role): Problem | undefined {
    return this.#room?.changes.sanctions.problemOf(user, role);
  }

  /**
   * What a room needs of it.
   *
   * @param name The name of the room.
   * @param subscriptions Its subscriptions.
   * @returns Nothing for its own log but the subscriptions of all rooms.
   */
  partsFor(name: string, subscriptions: () => readonly RoomSubscription[]): EverywhereParts {
    if (name !== EVERYWHERE) {
      return { everywhere: this, openEverywhere: () => this.open(), subscriptions };
    }
    const { rooms } = this.#options;
    const others = () => [...rooms.all()].filter((room) => room.name !== EVERYWHERE);
    const everyone = () => others().flatMap((room) => room.all());
    return { everywhere: undefined, openEverywhere: undefined, subscriptions: everyone };
  }
}

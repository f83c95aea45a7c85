/**
 * Whether a room is to be joined.
 *
 * @module
 */

import type { RoomMembership } from "./room_membership.ts";

/** How {@linkcode RoomInterest} behaves. */
export interface RoomInterestOptions {
  /** The membership that joins and leaves. */
  readonly membership: RoomMembership;
  /** Tells whether somebody subscribes to the room, or something waits for it. */
  readonly isUsed: () => boolean;
  /** Tells whether a list shows the room. */
  readonly isWatched: () => boolean;
  /** Called before the room is joined, and where it stays so, perhaps for something else. */
  readonly onWant: () => void;
  /** Called before the room is left. */
  readonly onLeave: () => void;
  /** Called when the room was left because nobody wants it. */
  readonly onLeft: () => void;
}

/** Joins a room while it is used, and leaves it when it no longer is. */
export class RoomInterest {
  readonly #options: RoomInterestOptions;
  #isLeft = false;
  #isSettling = false;

  /** @param options The room. */
  constructor(options: RoomInterestOptions) {
    this.#options = options;
  }

  /** Whether somebody subscribes to the room, or something waits for it, and it was not left. */
  get isUsed(): boolean {
    return !this.#isLeft && this.#options.isUsed();
  }

  /** The room is wanted, also where it was left before. */
  renew(): void {
    this.#isLeft = false;
    this.settleSoon();
  }

  /**
   * Does what the room is to be joined for, unless the hub has said that it is in vain.
   *
   * @param act What to do.
   * @returns What that returns. Rejects with what the hub said.
   */
  during<T>(act: () => Promise<T>): Promise<T> {
    const { status, error } = this.#options.membership;
    if (status === "closed") return Promise.reject(error);
    this.renew();
    return act();
  }

  /** Leaves the room now, whatever it is used for. */
  leave(): void {
    this.#isLeft = true;
    this.#settle();
  }

  /** Joins or leaves at the end of this turn, so that who comes as another goes costs nothing. */
  settleSoon(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    queueMicrotask(() => {
      this.#isSettling = false;
      this.#settle();
    });
  }

  #settle(): void {
    const { membership, isWatched, onWant, onLeave, onLeft } = this.#options;
    const isWanted = this.isUsed || isWatched();
    if (isWanted) onWant();
    else onLeave();
    if (membership.want(isWanted) && !isWanted) onLeft();
  }
}

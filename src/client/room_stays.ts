/**
 * The ways to be in a room.
 *
 * @module
 */

import { MemberStay, type MemberStayOptions } from "./member_stay.ts";
import type { RoomMembership } from "./room_membership.ts";
import type { RoomStay } from "./room_stay.ts";
import { WatchStay } from "./watch_stay.ts";

/** How {@linkcode RoomStays} behaves. */
export interface RoomStaysOptions extends Omit<MemberStayOptions, "isPresent"> {
  /** Whether a member is shown as here, at first. */
  readonly isPresent: boolean;
  /** The membership that joins and leaves. */
  readonly membership: () => RoomMembership;
  /** Called when the user was let in, whichever way. */
  readonly onEntered: () => void;
}

/** The two ways to be in a room: as a member, or watching it for a list of rooms. */
export class RoomStays {
  /** The stay of a member. */
  readonly member: MemberStay;
  readonly #options: RoomStaysOptions;
  readonly #watch: WatchStay;
  #current: RoomStay;
  #isPresent: boolean;

  /** @param options The parts of the room. */
  constructor(options: RoomStaysOptions) {
    this.#options = options;
    const { reading, user, membership, onArrive, onEntered } = options;
    const enter = () => {
      membership().live();
      onEntered();
    };
    const arrive = () => {
      onArrive();
      enter();
    };
    this.#isPresent = options.isPresent;
    const isPresent = () => this.#isPresent;
    this.member = new MemberStay({ ...options, isPresent, onArrive: arrive });
    this.#watch = new WatchStay({ reading, user, onArrive: enter });
    this.#current = this.member;
  }

  /** The present one, or the next. */
  get current(): RoomStay {
    return this.#current;
  }

  /** Whether the room is in a list alone. */
  get isWatch(): boolean {
    return this.#current === this.#watch;
  }

  /** Sets whether a member is shown as here: the room is joined anew for that. */
  set isPresent(isPresent: boolean) {
    if (isPresent === this.#isPresent) return;
    this.#isPresent = isPresent;
    if (!this.isWatch) this.#options.membership().rejoin();
  }

  /**
   * Goes over to what the room is wanted for. What a member has is given up where nobody uses it.
   *
   * @param isUsed Whether an application uses it; else it is in a list alone.
   */
  adapt(isUsed: boolean): void {
    if (isUsed !== this.isWatch) return;
    const { timeline, people, reading } = this.#options;
    const membership = this.#options.membership();
    reading.flush();
    if (!isUsed) {
      timeline.reset();
      people.left();
      // Who opens a room that was shut asks anew.
    } else if (membership.status === "closed") membership.want(false);
    membership.rejoin(() => this.#current = isUsed ? this.member : this.#watch);
  }
}

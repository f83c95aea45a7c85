/**
 * What a member may do in a room.
 *
 * @module
 */

import type { ProblemV2, Role } from "../protocol/mod.ts";

/** The longest that a timer runs, in milliseconds. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Why the user may not send in a room for a while, as the hub said with its last refusal. */
export interface Muted {
  /** What the hub said, in a sentence: the moderator's reason is in it. */
  readonly message: string;
  /** Until when, in milliseconds since the epoch; undefined where nobody has set an end. */
  readonly until: number | undefined;
}

/** What a member may do in a room, as far as the hub has told. */
export class RoomStanding {
  readonly #onChange: () => void;
  #role: Role | undefined;
  #muted: Muted | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onChange Called after each change. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** The member's role, once the hub has told. */
  get role(): Role | undefined {
    return this.#role;
  }
  set role(role: Role) {
    this.#role = role;
    this.#onChange();
  }

  /** Why the member may not send; undefined where nothing is known to hinder it. */
  get muted(): Muted | undefined {
    return this.#muted;
  }

  /**
   * Takes what a refusal says of the member.
   *
   * @param problem The refusal.
   */
  refused({ code, message, retry_after_ms: ms }: ProblemV2): void {
    if (code !== "muted") return;
    this.unmute();
    this.#muted = { message, until: ms === undefined ? undefined : Date.now() + ms };
    if (ms !== undefined && ms < TIMER_MAX_MS) this.#timer = setTimeout(() => this.unmute(), ms);
    this.#onChange();
  }

  /** Forgets a refusal: it is over, or not known of the next stay. */
  unmute(): void {
    clearTimeout(this.#timer);
    if (this.#muted === undefined) return;
    this.#muted = undefined;
    this.#onChange();
  }
}

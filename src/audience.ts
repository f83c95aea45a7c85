/**
 * The members of a room, and what they are told about each other.
 *
 * @module
 */

import { Frame } from "./frame.ts";
import { News } from "./news.ts";
import { encodeEnvelope, type TypingStatusEnvelope } from "./protocol.ts";
import { Roster } from "./roster.ts";
import type { Seat } from "./seat.ts";
import { Typing } from "./typing.ts";

/** How {@linkcode Audience} behaves. */
export interface AudienceOptions {
  /** Milliseconds after the last sign of typing. */
  readonly typingTimeoutMs: number;
  /** Hears when a user's first connection to this isolate comes, and when the last one goes. */
  readonly onPresence: (user: string, status: boolean) => void;
  /** Hears when a user begins or stops typing on this isolate, and now and then that it lasts. */
  readonly onTyping: (user: string, status: boolean) => void;
  /** Hears when the last user stopped typing. */
  readonly onSilence: () => void;
}

/**
 * The seats of a room. Sends to all of them, and tells them who came, who went and who is typing.
 * Whoever comes or goes while something is sent neither gets it twice nor disturbs the others.
 */
export class Audience {
  /** Each seat and when it was taken, in steps of `#news.now`. */
  readonly #seats = new Map<Seat, number>();
  /** The seats as a sending loop sees them: made anew after a change, never changed. */
  #snapshot: readonly Seat[] | undefined;
  readonly #options: AudienceOptions;
  readonly #here = new Roster<Seat>();
  /** Held by seats here, and by the names of other isolates. */
  readonly #everywhere = new Roster<Seat | string>();
  readonly #typing: Typing;
  readonly #news = new News({
    seats: () => this.seats(),
    since: (seat) => this.#seats.get(seat),
  });

  /**
   * Begins without seats.
   *
   * @param options After how long typing ends by itself, and what other isolates should know.
   */
  constructor(options: AudienceOptions) {
    this.#options = options;
    this.#typing = new Typing({
      onChange: (user, status) => this.#tellTyping(user, status),
      onHere: options.onTyping,
      timeoutMs: options.typingTimeoutMs,
    });
  }

  /** How many seats are taken. */
  get size(): number {
    return this.#seats.size;
  }

  /** Whether anybody is typing. */
  get isTyping(): boolean {
    return this.#typing.size > 0;
  }

  /** Who is here or on another isolate, sorted. */
  users(): string[] {
    return this.#everywhere.users();
  }

  /** Who is typing, sorted. */
  typingUsers(): string[] {
    return this.#typing.users();
  }

  /**
   * Takes a seat in. From now on it gets everything.
   *
   * @param seat The seat.
   * @param welcome Makes its first frame, when the seat's user is already counted as here.
   */
  add(seat: Seat, welcome: () => Frame): void {
    const { user } = seat;
    const isNewHere = user !== undefined && this.#here.add(user, seat);
    const isNew = user !== undefined && this.#everywhere.add(user, seat);
    seat.send(welcome());
    // Whoever leaves on being sent its history was never here.
    if (seat.state === "left") {
      if (user === undefined) return;
      this.#here.remove(user, seat);
      this.#everywhere.remove(user, seat);
      return;
    }
    // Its own arrival, which is told below, is nothing new to it.
    this.#seats.set(seat, this.#news.now + (isNew ? 1 : 0));
    this.#snapshot = undefined;
    if (isNewHere) this.#options.onPresence(user, true);
    if (isNew) this.#news.add(user, "joined");
  }

  /**
   * Lets a seat go.
   *
   * @param seat The seat.
   * @returns False where it was not here.
   */
  remove(seat: Seat): boolean {
    if (!this.#seats.has(seat)) return false;
    // While the seat is taken: the end of the typing in an empty room would end the room.
    this.stopTyping(seat);
    this.#seats.delete(seat);
    this.#snapshot = undefined;
    const { user } = seat;
    if (user === undefined) return true;
    if (this.#here.remove(user, seat)) this.#options.onPresence(user, false);
    if (this.#everywhere.remove(user, seat)) this.#news.add(user, "left");
    return true;
  }

  /**
   * Takes note that a user is, or is no longer, connected to another isolate.
   *
   * @param isolate Which isolate.
   * @param user Who.
   * @param status Whether they are there.
   */
  elsewhere(isolate: string, user: string, status: boolean): void {
    if (!status) this.#typing.elsewhere(isolate, user, false);
    const hasChanged = status
      ? this.#everywhere.add(user, isolate)
      : this.#everywhere.remove(user, isolate);
    if (hasChanged) this.#news.add(user, status ? "joined" : "left");
  }

  /**
   * Takes note that a user is, or is no longer, typing on another isolate.
   *
   * @param isolate Which isolate.
   * @param user Who.
   * @param status Whether they are typing there.
   */
  typingElsewhere(isolate: string, user: string, status: boolean): void {
    this.#typing.elsewhere(isolate, user, status);
  }

  /**
   * Takes note of a message before it is sent: it may end typing.
   *
   * @param user Who said it.
   * @param isOurs Whether it was said on this isolate.
   */
  said(user: string, isOurs: boolean): void {
    this.#typing.said(user, isOurs);
  }

  /** Everybody who is here now. What is returned stays as it is. */
  seats(): readonly Seat[] {
    return this.#snapshot ??= [...this.#seats.keys()];
  }

  /**
   * Sends a frame to everybody.
   *
   * @param frame What to send.
   * @returns How many seats it went to.
   */
  send(frame: Frame): number {
    const seats = this.seats();
    for (const seat of seats) seat.send(frame);
    return seats.length;
  }

  /** Takes a sign of typing from a seat. */
  startTyping(seat: Seat): void {
    if (seat.user === undefined || !this.#seats.has(seat)) return;
    this.#typing.start(seat, seat.user);
  }

  /** Ends the typing of a seat; does nothing where it is not typing. */
  stopTyping(seat: Seat): void {
    if (seat.user !== undefined) this.#typing.stop(seat, seat.user);
  }

  /**
   * Lets everybody go without telling anyone, and stops all timers.
   *
   * @returns Who was here.
   */
  dismiss(): readonly Seat[] {
    const seats = this.seats();
    this.#seats.clear();
    this.#snapshot = undefined;
    this.#here.clear();
    this.#everywhere.clear();
    this.#typing.clear();
    this.#news.clear();
    return seats;
  }

  #tellTyping(user: string, status: boolean): void {
    const envelope: TypingStatusEnvelope = { type: "typing_status", payload: { user, status } };
    const frame = new Frame([encodeEnvelope(envelope)], { ephemeral: true });
    for (const seat of this.seats()) if (seat.user !== user) seat.send(frame);
    if (!this.isTyping) this.#options.onSilence();
  }
}

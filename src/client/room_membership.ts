/**
 * Joins and leaves of a room.
 *
 * @module
 */

import type { ClientEnvelopeV2, JoinedEnvelopeV2, ProblemV2 } from "../protocol/mod.ts";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import { ChatError, type ChatErrorCode, errorOf, isTemporary } from "./chat_error.ts";
import type { RoomStatus } from "./room_state.ts";
import type { RoomStay } from "./room_stay.ts";
import type { EnvelopeOfRoom } from "./hub_envelope.ts";

/** Milliseconds for which a stay must have been live for the backoff to start anew. */
const STABLE_MS = 5_000;
/** The codes of `left` after which the hub wants no further try. */
const FINAL_LEFTS = [
  "kicked",
  "banned",
  "forbidden",
  "room_deleted",
] as const satisfies readonly ChatErrorCode[];

/** What a membership needs of the connection that it shares. */
export interface SharedConnection {
  /** Whether envelopes can be sent. */
  readonly isOpen: boolean;
  /** Whether the connection was lost, and another one is opened after a wait. */
  readonly isWaiting: boolean;
  /** Whether the connection has ended for good. */
  readonly isClosed: boolean;
  /** The rooms that the hub has yet to let the member into. */
  readonly joining: Set<string>;
  /** Sends an envelope, at the end of this turn, together with the others of the turn. */
  send(envelope: ClientEnvelopeV2): void;
  /**
   * Loses the connection and opens another one later, where it is for this room alone: a stay that
   * ends for a while ends the connection with it.
   */
  lose?(error: ChatError): void;
}

/** How {@linkcode RoomMembership} behaves. */
export interface RoomMembershipOptions {
  /** The room's name. */
  readonly room: string;
  /** The connection. */
  readonly connection: SharedConnection;
  /** How long to wait before another try. */
  readonly delays: BackoffOptions;
  /** Gives what is done with a stay: the same from the join that asks for it to its end. */
  readonly stay: () => RoomStay;
  /** Called when the hub wants no further try, after the end of the stay. */
  readonly onClosed: (error: ChatError) => void;
  /** Called when the status may have changed. */
  readonly onChange: () => void;
}

/**
 * Membership of a room on a connection that it shares with others: joins while the room is wanted
 * and again after whatever passes, leaves when it is not, and takes nothing of an old stay for a
 * part of the next one.
 */
export class RoomMembership {
  readonly #options: RoomMembershipOptions;
  readonly #backoff: Backoff;
  #isWanted = false;
  #stage: "out" | "joining" | "in" = "out";
  #liveSince: number | undefined;
  /** Leaves that the hub has not answered: until then, what comes is of an old stay. */
  #leaves = 0;
  #stay = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #error: ChatError | undefined;
  #isClosed = false;

  /** @param options The room, and what to call. */
  constructor(options: RoomMembershipOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.delays);
  }

  /** How far the member is. */
  get status(): RoomStatus {
    if (this.#isClosed) return "closed";
    if (!this.#isWanted) return "idle";
    if (this.#liveSince !== undefined) return "live";
    return this.#timer !== undefined || this.#options.connection.isWaiting ? "waiting" : "joining";
  }

  /** Why the hub wants no further try, or the last one failed. */
  get error(): ChatError | undefined {
    return this.#error;
  }

  /**
   * Joins the room, or leaves it.
   *
   * @param isWanted Which.
   * @returns Whether that is a change.
   */
  want(isWanted: boolean): boolean {
    if (this.#isWanted === isWanted) return false;
    this.#isWanted = isWanted;
    this.#stopTimer();
    if (isWanted) this.#joinWhenDue();
    else {
      if (!this.#options.connection.isClosed) {
        this.#isClosed = false;
        this.#error = undefined;
      }
      if (this.#stage !== "out") this.#leave();
    }
    this.#options.onChange();
    return true;
  }

  /** Marks the stay as complete: the member has what it missed. */
  live(): void {
    this.#liveSince = performance.now();
    this.#error = undefined;
    this.#options.onChange();
  }

  /**
   * Ends the stay, and joins again later.
   *
   * @param reason Why, for people.
   */
  tryLater(reason: string): void {
    if (this.#stage === "out") return;
    this.#leave();
    this.#wait(new ChatError(reason, { code: "unreachable", temporary: true }));
  }

  /**
   * Joins anew, in another way, where a stay is being made or is live.
   *
   * @param change Called between the two.
   */
  rejoin(change?: () => void): void {
    if (this.#stage !== "out") this.#leave();
    change?.();
    this.#joinWhenDue();
  }

  /**
   * Ends the membership for good.
   *
   * @param error Why.
   */
  close(error: ChatError): void {
    this.#stopTimer();
    this.#end();
    this.#error = error;
    this.#isClosed = true;
    this.#options.onClosed(error);
    this.#options.onChange();
  }

  /** The connection is open: envelopes can be sent. */
  connected(): void {
    this.#joinWhenDue();
  }

  /** The connection is lost, and every stay with it. */
  disconnected(): void {
    this.#leaves = 0;
    this.#stopTimer();
    this.#end();
    this.#options.onChange();
  }

  /**
   * Takes an envelope about the room.
   *
   * @param envelope The envelope.
   */
  take(envelope: EnvelopeOfRoom): void {
    if (this.#leaves > 0) {
      // A hub that has just ended the stay by itself refuses the leave.
      const isAnswer = envelope.type === "left" ||
        envelope.type === "error" && envelope.payload.for === "leave";
      if (isAnswer) this.#leaves--;
      return;
    }
    switch (envelope.type) {
      case "joined":
        return this.#joined(envelope);
      case "left":
        return this.#left(envelope.payload);
      case "error":
        this.#options.stay().take(envelope);
        return this.#refused(envelope.payload);
      default:
        if (this.#stage !== "out") this.#options.stay().take(envelope);
    }
  }

  #joined({ payload }: JoinedEnvelopeV2): void {
    if (this.#stage !== "joining") return;
    this.#stage = "in";
    const { connection, room, stay } = this.#options;
    connection.joining.delete(room);
    stay().joined(payload, this.#stay.signal);
  }

  #left({ code, message }: { readonly code: string; readonly message: string }): void {
    if (this.#stage === "out") return;
    this.#end();
    const final = FINAL_LEFTS.find((known) => known === code);
    if (final) return this.close(new ChatError(message, { code: final, temporary: false }));
    this.#wait(new ChatError(message, { code: "unreachable", temporary: true }));
  }

  #refused(problem: ProblemV2): void {
    const { code, for: type } = problem;
    if (type === "join" && this.#stage === "joining") {
      if (code === "already_joined") return this.tryLater(problem.message);
      this.#end();
      const isUnknownPlace = code === "bad_cursor";
      if (isUnknownPlace) this.#options.stay().restart();
      if (isUnknownPlace || isTemporary(code)) this.#wait(errorOf(problem));
      else this.close(errorOf(problem));
    } else if (code === "not_joined" && type !== "leave" && this.#stage === "in") {
      this.#end();
      this.#wait(errorOf({ ...problem, code: "unavailable" }));
    }
  }

  #joinWhenDue(): void {
    const { connection, room, stay } = this.#options;
    const isDue = this.#isWanted && !this.#isClosed && this.#stage === "out" &&
      this.#timer === undefined && connection.isOpen;
    if (!isDue) return;
    this.#stay = new AbortController();
    this.#stage = "joining";
    connection.joining.add(room);
    connection.send({ type: "join", room, payload: stay().join() });
    this.#options.onChange();
  }

  #leave(): void {
    this.#end();
    this.#leaves++;
    const { connection, room } = this.#options;
    connection.send({ type: "leave", room, payload: {} });
  }

  #wait(error: ChatError): void {
    this.#error = error;
    if (!this.#isWanted) return;
    if (this.#options.connection.lose) return this.#options.connection.lose(error);
    this.#stopTimer();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#joinWhenDue();
      this.#options.onChange();
    }, this.#backoff.bound(error.retryAfterMs));
    this.#options.onChange();
  }

  #end(): void {
    if (this.#stage === "out") return;
    this.#stage = "out";
    const { connection, room } = this.#options;
    connection.joining.delete(room);
    const liveMs = performance.now() - (this.#liveSince ?? Infinity);
    if (liveMs >= STABLE_MS) this.#backoff.reset();
    this.#liveSince = undefined;
    this.#stay.abort();
    this.#options.stay().lost();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Says what a refusal means for a message: what was sent before the end of a stay was known here
 * waits for the next one.
 *
 * @param problem The refusal.
 * @returns What it means.
 */
export function problemOfMessage(problem: ProblemV2): ProblemV2 {
  return problem.code === "not_joined" ? { ...problem, code: "unavailable" } : problem;
}

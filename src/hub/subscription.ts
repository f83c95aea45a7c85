/**
 * The subscriptions of a room's members.
 *
 * @module
 */

import { type ChangeDraft, CLOSE_CODES, type Draft, encodeEnvelope } from "../protocol/mod.ts";
import type { LeftCode, Problem, Role } from "../protocol/mod.ts";
import type { ReadMark } from "../store/user_rooms.ts";
import { ENVELOPE_OF, refusalOfChange } from "./change_rules.ts";
import { EnvelopeBatch } from "./envelope_batch.ts";
import type { JudgementQueue } from "./judgement_queue.ts";
import { closeCodeOf, closeCodeOfLeft, EARLY } from "./member_problems.ts";
import type { Member, Subscription, SubscriptionState } from "./member.ts";
import { errorBatch } from "./room_error.ts";
import type { SubscriptionRoom } from "./subscription_room.ts";

/** What a member may ask for before it is live; more is refused until then. */
const EARLY_MAX = 256;

/** A member's stay in a room, as the room manages it. */
export class RoomSubscription implements Subscription {
  readonly member: Member;
  readonly user: string | undefined;
  readonly protocol: 1 | 2;
  /** Whether the member is shown as here, and told of the others' presence and typing. */
  readonly presence: boolean;
  joined: Promise<void> = Promise.resolve();
  readonly #room: SubscriptionRoom<RoomSubscription>;
  readonly #queue: JudgementQueue | undefined;
  #state: SubscriptionState = "joining";
  /** What the member may do, once that is known. */
  #role: Role | undefined;
  /** What the member did before it was live. */
  #early: (() => void)[] = [];
  /** What is sent to the member from within the sending of its history. */
  #behindWelcome: EnvelopeBatch[] | undefined;

  /**
   * Creates a subscription whose history is still to be sent.
   *
   * @param room The room.
   * @param member The member.
   * @param presence Whether the member is shown as here. @default {true}
   */
  constructor(room: SubscriptionRoom<RoomSubscription>, member: Member, presence = true) {
    this.#room = room;
    this.member = member;
    this.user = member.user;
    this.protocol = member.protocol ?? 1;
    this.presence = presence;
    this.#queue = room.createQueue(member.connection ?? member);
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  get role(): Role {
    return this.user === undefined ? "reader" : this.accountRole;
  }

  /** The user that sanctions hold for, also where the member only reads; undefined for nobody. */
  get account(): string | undefined {
    return this.user ?? this.member.account;
  }

  /** The role of that user. */
  get accountRole(): Role {
    return this.#role ?? "member";
  }

  /** Whether something that was sent waits to go out. Never throws. */
  get isBehind(): boolean {
    if (this.#state === "left") return false;
    try {
      return (this.member.waitingBytes ?? 0) > 0;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  publish(draft: Draft): void {
    if (!this.#whenLive(() => this.#publish(draft))) this.refuse({ ...EARLY, ref: draft.ref });
  }

  change(draft: ChangeDraft): void {
    if (this.#whenLive(() => this.#change(draft))) return;
    this.refuse({ ...EARLY, ref: draft.ref }, ENVELOPE_OF[draft.kind]);
  }

  typing(status: boolean): void {
    this.#whenLive(() => {
      if (!status) this.#room.stopTyping(this);
      else {
        const problem = this.#room.problemOf(this);
        if (!problem) this.#room.startTyping(this);
        else if (this.user !== undefined) this.refuse(problem, "typing_status");
      }
    });
  }

  read(cursor: string): void {
    this.#whenLive(() => this.#room.reads.move(this, cursor));
  }

  tellRead(mark: ReadMark): void {
    void this.#room.reads.tell(this, mark);
  }

  setRole(role: Role): void {
    const before = this.role;
    this.#role = role;
    if (this.role === before || this.#state !== "live") return;
    this.#room.refresh(this);
    // What a moderator has said does not hold for moderators.
    const ban = this.#room.banOf(this);
    if (ban) return this.putOut("banned", ban.message);
    if (role === "reader") this.#room.stopTyping(this);
    if (this.protocol !== 2) return;
    const { name: room } = this.#room;
    const text = encodeEnvelope({ type: "role", room, payload: { role } });
    this.send(new EnvelopeBatch([], { v2: { encode: () => [text] } }));
  }

  refreshName(): void {
    this.#room.refresh(this);
  }

  /** Sets the role that a join has asked for, unless a newer one came meanwhile. */
  setFirstRole(role: Role): void {
    this.#role ??= role;
  }

  leave(): void {
    if (this.#state === "left") return;
    this.#state = "left";
    this.#early = [];
    this.#room.remove(this);
  }

  disconnect(code: number, reason: string): void {
    this.leave();
    this.#guarded(() => this.member.close(code, reason), "member_close_failed");
  }

  /**
   * Sends envelopes to the member. One that throws leaves the room, once the loop that sends has
   * reached the others. Never throws.
   *
   * @param batch The envelopes.
   */
  send(batch: EnvelopeBatch): void {
    if (this.#state === "left" || (!this.presence && batch.ephemeral)) return;
    if (this.#behindWelcome) return void this.#behindWelcome.push(batch);
    try {
      this.member.send(batch);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Sends the history and `joined`. What the room sends from within that, because the member does
   * something in its `send`, comes after it.
   *
   * @param batch The envelopes.
   */
  sendWelcome(batch: EnvelopeBatch): void {
    const later: EnvelopeBatch[] = this.#behindWelcome = [];
    try {
      this.member.send(batch);
    } catch (error) {
      this.#fail(error);
    }
    this.#behindWelcome = undefined;
    for (const held of later) this.send(held);
  }

  /**
   * Sends the member an `error` envelope.
   *
   * @param problem What is wrong.
   * @param type The type of the envelope that is refused. @default {"chat_message"}
   */
  refuse(problem: Problem, type: string = "chat_message"): void {
    this.send(errorBatch(problem, { room: this.#room.name, for: type }));
  }

  /**
   * Ends the subscription because the room cannot be joined. A member that has no way to say so
   * loses its connection.
   *
   * @param problem Why not.
   */
  refuseJoin(problem: Problem): void {
    const { member } = this;
    if (!member.refuseJoin) {
      this.send(errorBatch(problem, { room: this.#room.name, for: "join" }));
      return this.disconnect(closeCodeOf(problem), problem.message);
    }
    if (this.#state === "left") return;
    this.leave();
    this.#guarded(() => member.refuseJoin?.(problem));
  }

  /** Ends the stay of a member that has to leave, and says why. */
  putOut(code: LeftCode, message: string): void {
    if (!this.member.putOut) return this.disconnect(closeCodeOfLeft(code), message);
    if (this.#state === "left") return;
    this.leave();
    this.#guarded(() => this.member.putOut?.(code, message));
  }

  /** Ends the member's typing: it may no longer. */
  stopTyping(): void {
    this.#room.stopTyping(this);
  }

  /** Starts what is live: what the member did before that is done now. */
  goLive(): void {
    if (this.#state !== "joining") return;
    this.#state = "live";
    // Leaving empties it, and one of these may make the member leave.
    while (this.#early.length > 0) this.#early.shift()?.();
  }

  #publish(draft: Draft): void {
    this.#room.stopTyping(this);
    const { user = "" } = this;
    const problem = this.#room.problemOf(this);
    if (problem) return this.refuse({ ...problem, ref: draft.ref });
    this.#room.publish({
      user,
      name: this.member.name,
      draft,
      queue: this.#queue,
      check: () => this.#room.problemOf(this),
      answer: (result) => {
        if (result.status === "refused") this.refuse(result.problem);
        else if (result.status === "duplicate") this.#room.repeat(this, result.record);
      },
    });
  }

  #change(draft: ChangeDraft): void {
    const { user = "", role } = this;
    const type = ENVELOPE_OF[draft.kind];
    const check = () => refusalOfChange(draft, this.#room.problemOf(this));
    const problem = check();
    if (problem) return this.refuse({ ...problem, ref: draft.ref }, type);
    this.#room.change({
      user,
      role,
      draft,
      queue: this.#queue,
      check,
      answer: (result) => {
        if (result.status === "refused") return this.refuse(result.problem, type);
        if (result.status === "stored") return;
        // It was stored before, or is not: others have heard of it, or will not.
        const { change } = result;
        this.#room.repeat(this, { ...change, user, ref: draft.ref });
      },
    });
  }

  #guarded(action: () => void, event = "member_failed"): void {
    try {
      action();
    } catch (error) {
      this.#count(event, error);
    }
  }

  #fail(error: unknown): void {
    queueMicrotask(() => {
      if (this.#state === "left") return;
      this.#count("member_failed", error);
      this.disconnect(CLOSE_CODES.internalError.code, "Sending failed");
    });
  }

  #count(event: string, error: unknown): void {
    const { logger, metrics, name } = this.#room;
    metrics.memberFailures++;
    logger("warn", event, { room: name, user: this.user, error });
  }

  #whenLive(action: () => void): boolean {
    if (this.#state === "live") action();
    else if (this.#state === "joining") {
      if (this.#early.length >= EARLY_MAX) return false;
      this.#early.push(action);
    }
    return true;
  }
}

/**
 * The read marks of a room's members.
 *
 * @module
 */

import { encodeEnvelope, type Problem } from "../protocol/mod.ts";
import { commitOf } from "../store/cursor.ts";
import { placeAfter, type ReadMark } from "../store/user_rooms.ts";
import type { Guard } from "../telemetry/guard.ts";
import { EnvelopeBatch } from "./envelope_batch.ts";
import type { RecentMessages } from "./recent_messages.ts";
import type { Member, SubscriptionState } from "./member.ts";

/** Recent messages among which the last one that was read is looked for. */
const RECENT = 100;

/** What {@linkcode RoomReads} belongs to. */
export interface RoomReadsOptions {
  /** The name of the room. */
  readonly room: string;
  /** The room's newest messages. */
  readonly recent: Pick<RecentMessages, "last">;
  /** The place up to which everything has been delivered. */
  readonly cursor: () => string;
  /** Reports failures. */
  readonly guard: Guard;
}

/** A subscription of the room. */
export interface ReadingSubscription {
  /** The member. */
  readonly member: Member;
  /** The user whose subscription it is. */
  readonly user: string | undefined;
  /** The protocol that it is told in. */
  readonly protocol: 1 | 2;
  /** Whether the member is shown as here. */
  readonly presence: boolean;
  /** Whether it is live. */
  readonly state: SubscriptionState;
  /** Sends envelopes. */
  send(batch: EnvelopeBatch): void;
  /** Sends an `error` envelope. */
  refuse(problem: Problem, type: string): void;
}

/** Moves the marks of a room's members, and tells members where theirs are. */
export class RoomReads {
  readonly #options: RoomReadsOptions;

  /** @param options The room. */
  constructor(options: RoomReadsOptions) {
    this.#options = options;
  }

  /**
   * Tells up to where the user of a subscription has read the room.
   *
   * @param subscription The subscription.
   * @returns A cursor that can be compared with those of messages; undefined where nobody keeps it.
   */
  placeOf({ member }: ReadingSubscription): string | undefined {
    if (!member.marks) return undefined;
    const mark = member.marks.markOf(this.#options.room);
    return mark === undefined ? this.#options.cursor() : this.#cursorOf(mark);
  }

  /**
   * Writes the room down for the user of a subscription that has joined. Who only watches it, such
   * as a list of rooms, was not in it: else a room that was taken off the list on one device would
   * be back as soon as another one comes back.
   *
   * @param subscription The subscription.
   */
  enter({ member, presence }: ReadingSubscription): void {
    if (presence) member.marks?.enter(this.#options.room, this.#options.cursor());
  }

  /**
   * Moves the mark of a subscription's user on.
   *
   * @param subscription The subscription.
   * @param cursor The newest message that was read.
   */
  move(subscription: ReadingSubscription, cursor: string): void {
    const { room } = this.#options;
    const { marks } = subscription.member;
    const refuse = (code: "forbidden" | "not_found", message: string) =>
      subscription.refuse({ code, message }, "read");
    if (!marks) return refuse("forbidden", "Read marks are for users whom the server knows");
    if (cursor > this.#options.cursor()) return refuse("not_found", "There is no such message yet");
    marks.read(room, cursor);
  }

  /**
   * Tells a member that another connection of its user has moved the mark.
   *
   * @param subscription The subscription.
   * @param mark Up to where the room was read.
   */
  async tell(subscription: ReadingSubscription, mark: ReadMark): Promise<void> {
    const { room, guard } = this.#options;
    const { user = "", member: { name, marks }, protocol } = subscription;
    if (!marks || protocol !== 2 || subscription.state !== "live") return;
    try {
      const head = this.#options.cursor();
      const unread = await marks.count(room, { head, mark }, { user, name });
      // Where it has moved on meanwhile, that is told by itself, and must not be taken back.
      if (marks.markOf(room) !== mark) return;
      const payload = { cursor: this.#cursorOf(mark), ...unread };
      const text = encodeEnvelope({ type: "read", room, payload });
      subscription.send(new EnvelopeBatch([], { v2: { encode: () => [text] } }));
    } catch (error) {
      guard.failed("read_marks_failed", error);
    }
  }

  /** The cursor of the last message up to a mark, or a place after it that no message has. */
  #cursorOf(mark: ReadMark): string {
    const cursor = this.#options.cursor();
    if (commitOf(cursor) <= mark) return cursor;
    const read = this.#options.recent.last(RECENT)
      .findLast(({ cursor }) => commitOf(cursor) <= mark);
    return read?.cursor ?? placeAfter(mark);
  }
}

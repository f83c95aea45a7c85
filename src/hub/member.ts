/**
 * A connection in a room, as the hub and the embedding program see it.
 *
 * @module
 */

import type { ChangeDraft, Draft, LeftCode, Problem, Role } from "../protocol/mod.ts";
import type { ReadMark } from "../store/user_rooms.ts";
import type { EnvelopeBatch } from "./envelope_batch.ts";
import type { ReaderMarks } from "./read_marks.ts";

/**
 * One connection to a room, implemented by the program around the hub. A user may have several.
 *
 * @example
 * ```ts
 * import { Hub, type Member, KvRoomLog } from "@hubbub/hub";
 *
 * // Answers everybody who says "ping".
 * const bot: Member = {
 *   user: "bot",
 *   send(batch) {
 *     for (const text of batch.envelopes) {
 *       const { type, payload } = JSON.parse(text);
 *       if (type === "chat_message" && payload.text === "ping") subscription.publish({ text: "pong" });
 *     }
 *   },
 *   close() {},
 * };
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * const subscription = hub.join("lobby", bot, { history: 0 });
 * await subscription.joined;
 * await hub.publish("lobby", "ann", { text: "ping" });
 * ```
 */
export interface Member {
  /** The user whose connection it is; missing for one that only reads and is not shown as here. */
  readonly user?: string;
  /**
   * The user of a member that only reads: it is not shown as here, and sanctions hold for it.
   *
   * @default {undefined} nobody that is known
   */
  readonly account?: string;
  /** A name to show beside the user. @default {undefined} the user is shown alone */
  readonly name?: string;
  /**
   * Where the connection comes from: what is read of logs for those of one address waits in turn with
   * what is read for others.
   *
   * @default {undefined} by the room
   */
  readonly address?: string;
  /**
   * What stands for the connection where it has a member in each of several rooms.
   *
   * @default {undefined} the member itself
   */
  readonly connection?: object;
  /**
   * The user's read marks. The hub writes the room down with them, and moves its mark.
   *
   * @default {undefined} there are none
   */
  readonly marks?: ReaderMarks;
  /**
   * The protocol that the connection speaks: what it reads of a batch. Members of protocol 2 get
   * presence in larger batches.
   *
   * @default {1}
   */
  readonly protocol?: 1 | 2;
  /**
   * Sends envelopes to the connection. Must not wait, and must not block; a member that throws
   * leaves the room.
   *
   * @param batch The envelopes.
   */
  send(batch: EnvelopeBatch): void;
  /**
   * Ends the connection; the hub has already forgotten the member.
   *
   * @param code One of the close codes.
   * @param reason For people, at most 123 bytes of UTF-8.
   */
  close(code: number, reason: string): void;
  /**
   * Says that the room cannot be joined; the hub has already forgotten the member.
   *
   * @param problem Why not.
   * @default {undefined} an `error` is sent, and the connection closed
   */
  refuseJoin?(problem: Problem): void;
  /**
   * Says that the member has to leave the room; the hub has already forgotten it.
   *
   * @param code Why, for programs.
   * @param message Why, in a sentence.
   * @default {undefined} the connection is closed with 4503, or 4504 where the room was deleted
   */
  putOut?(code: LeftCode, message: string): void;
  /** Bytes that were sent and wait to go out. @default {undefined} none ever wait */
  readonly waitingBytes?: number;
  /**
   * Whether history may be sent now, where the connection is in several rooms.
   *
   * @returns Undefined where it may; otherwise resolves when that may be asked again.
   * @default {undefined} always
   */
  ready?(): Promise<void> | undefined;
  /** Resolves when the member can take the next page of a long recovery. @default {undefined} always */
  drained?(): Promise<void>;
}

/** Whether a subscription waits for its history, gets what is live, or has ended. */
export type SubscriptionState = "joining" | "live" | "left";

/**
 * One member's stay in one room, from the call of `Hub.join` to `leave()`. What the member does
 * before its history is complete waits until then.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * const subscription = hub.join("lobby", { user: "ann", send() {}, close() {} });
 * subscription.typing(true);
 * subscription.publish({ text: "hello" }); // once the history is complete
 * await subscription.joined;
 * subscription.leave();
 * console.log(subscription.state); // left
 * ```
 */
export interface Subscription {
  /** The member. */
  readonly member: Member;
  /** The user whose subscription it is; undefined for a member that only reads. */
  readonly user: string | undefined;
  /** What the member may do; `reader` for one that only reads. */
  readonly role: Role;
  /** Whether the member waits for its history, is live, or has left. */
  readonly state: SubscriptionState;
  /** Settles when the member is live, or has left before that. Never rejects. */
  readonly joined: Promise<void>;
  /**
   * Publishes a message of the member, who gets it back when it is stored; where it cannot be, an
   * `error` envelope.
   *
   * @param draft The message. It is not checked again: what comes from outside goes through
   * `decodeDraft` of the protocol first.
   */
  publish(draft: Draft): void;
  /**
   * Changes a message: one's own, or any as a moderator; everybody reacts to all. The member gets the
   * change back when it is stored, with everybody else; where it cannot be, an `error` envelope.
   *
   * @param draft The change. It is not checked again: what comes from outside goes through
   * `decodeEdit`, `decodeDelete` or `decodeReaction` of the protocol first.
   */
  change(draft: ChangeDraft): void;
  /**
   * Starts, renews or ends the member's typing.
   *
   * @param status Whether the member is typing.
   */
  typing(status: boolean): void;
  /**
   * Moves the user's read mark of the room on. Where it cannot, the member gets an `error`.
   *
   * @param cursor The newest message that was read.
   */
  read(cursor: string): void;
  /**
   * Tells the member that another connection of its user has moved the mark. Only members of protocol
   * 2 are told.
   *
   * @param mark Up to where the room was read.
   */
  tellRead(mark: ReadMark): void;
  /**
   * Changes what the member may do, from now on. A member of protocol 2 is told.
   *
   * @param role The new role.
   */
  setRole(role: Role): void;
  /** Shows the name that the member has by now beside the user, where that has changed. */
  refreshName(): void;
  /** Leaves the room. A second call does nothing. */
  leave(): void;
  /**
   * Leaves the room and closes the connection.
   *
   * @param code One of the close codes.
   * @param reason For people.
   */
  disconnect(code: number, reason: string): void;
}

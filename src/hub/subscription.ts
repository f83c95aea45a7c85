/**
 * One member's place in a room.
 *
 * @module
 */

import { EnvelopeBatch } from "./envelope_batch.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { CLOSE_CODES, type Draft, encodeEnvelope, type Problem } from "../protocol/mod.ts";

/** What a member may ask for before it is live; more is refused until then. */
const HELD_MAX = 256;

/**
 * One connection in a room, as far as the hub knows it. A user may have several.
 *
 * @example
 * ```ts
 * import { Hub, type Member, KvRoomLog } from "@hubbub/hub";
 *
 * // Answers whoever says "ping".
 * const bot: Member = {
 *   user: "bot",
 *   send(frame) {
 *     for (const text of frame.envelopes) {
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
  /** Whose connection it is; missing for one that only reads, and is not counted as here. */
  readonly user?: string;
  /**
   * Takes a frame. Must not wait, and must not block; a member that throws leaves the room.
   *
   * @param frame What to pass on.
   */
  send(frame: EnvelopeBatch): void;
  /**
   * Ends the connection; the hub has already forgotten the member.
   *
   * @param code One of the close codes.
   * @param reason For people, at most 123 bytes of UTF-8.
   */
  close(code: number, reason: string): void;
  /** Bytes that were sent and wait to go out; where it is missing, none ever do. */
  readonly waitingBytes?: number;
  /** Resolves when the member can take a long replay's next page; where it is missing, always. */
  drained?(): Promise<void>;
}

/** A room, as far as its subscriptions know it. */
export interface SubscribedRoom {
  /** Its name. */
  readonly name: string;
  /** Publishes a message of a member. */
  publishFrom(subscription: Subscription, draft: Draft): void;
  /** Receives a sign of typing of a member, or its end. */
  typingFrom(subscription: Subscription, status: boolean): void;
  /** Removes a member that leaves. */
  left(subscription: Subscription): void;
}

/** Who hears of a member that fails. */
export interface SubscriptionObservers {
  /** Takes what an operator should know. */
  readonly logger: Logger;
  /** What is counted. */
  readonly metrics: Metrics;
}

/** Where a subscription stands: it waits for its history, gets what is live, or is gone. */
export type SubscriptionState = "joining" | "live" | "left";

/**
 * A member's place in a room, from the call of `Hub.join` to `leave()`. What the member does
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
export class Subscription {
  /** Who sits here. */
  readonly member: Member;
  /** Settles when the member is live, or has left before that. Never rejects. */
  joined: Promise<void> = Promise.resolve();
  readonly #room: SubscribedRoom;
  readonly #observers: SubscriptionObservers;
  #state: SubscriptionState = "joining";
  #held: (() => void)[] = [];

  /**
   * Made by the room.
   *
   * @internal
   * @param room The room.
   * @param member Who is to sit in it.
   * @param observers Who hears of a member that fails.
   */
  constructor(room: SubscribedRoom, member: Member, observers: SubscriptionObservers) {
    this.#room = room;
    this.member = member;
    this.#observers = observers;
  }

  /** Where the subscription stands. */
  get state(): SubscriptionState {
    return this.#state;
  }

  /** Whether something that was sent waits to go out. */
  get isBehind(): boolean {
    return this.#state !== "left" && (this.member.waitingBytes ?? 0) > 0;
  }

  /** Whose subscription it is; undefined for a member that only reads. */
  get user(): string | undefined {
    return this.member.user;
  }

  /**
   * Says something. The member gets the message back when it is stored; where it cannot be, an
   * `error` envelope.
   *
   * @param draft What to say. It is not checked again: what comes from outside goes through
   * `decodeDraft` of the protocol first.
   */
  publish(draft: Draft): void {
    const held = this.#whenLive(() => this.#room.publishFrom(this, draft));
    if (!held) {
      const message = "Too much was sent before the history was complete";
      const { ref } = draft;
      this.refuse({ code: "rate_limited", message, ref, retry_after_ms: 1000 });
    }
  }

  /**
   * Takes a sign of typing, or its end.
   *
   * @param status Whether the member is typing.
   */
  typing(status: boolean): void {
    this.#whenLive(() => this.#room.typingFrom(this, status));
  }

  /** Leaves the room. A second call does nothing. */
  leave(): void {
    if (this.#state === "left") return;
    this.#state = "left";
    this.#held = [];
    this.#room.left(this);
  }

  /**
   * Leaves the room and ends the connection.
   *
   * @param code One of the close codes.
   * @param reason For people.
   */
  disconnect(code: number, reason: string): void {
    this.leave();
    try {
      this.member.close(code, reason);
    } catch (error) {
      this.#failed("member_close_failed", error);
    }
  }

  /**
   * Passes a frame to the member. One that throws leaves the room, once the loop that sends has
   * reached the others.
   *
   * @param frame What to pass on.
   */
  send(frame: EnvelopeBatch): void {
    if (this.#state === "left") return;
    try {
      this.member.send(frame);
    } catch (error) {
      queueMicrotask(() => {
        if (this.#state === "left") return;
        this.#failed("member_failed", error);
        this.disconnect(CLOSE_CODES.internalError.code, "Sending failed");
      });
    }
  }

  /**
   * Tells the member, and nobody else, what is wrong.
   *
   * @param problem What it is.
   */
  refuse(problem: Problem): void {
    this.send(new EnvelopeBatch([encodeEnvelope({ type: "error", payload: problem })]));
  }

  /** Called by the room when the history has been sent: what was held goes on. */
  goLive(): void {
    if (this.#state !== "joining") return;
    this.#state = "live";
    // Leaving empties it, and one of these may make the member leave.
    while (this.#held.length > 0) this.#held.shift()?.();
  }

  #failed(event: string, error: unknown): void {
    const { logger, metrics } = this.#observers;
    metrics.memberFailures++;
    logger("warn", event, { room: this.#room.name, user: this.user, error });
  }

  #whenLive(action: () => void): boolean {
    if (this.#state === "live") action();
    else if (this.#state === "joining") {
      if (this.#held.length >= HELD_MAX) return false;
      this.#held.push(action);
    }
    return true;
  }
}

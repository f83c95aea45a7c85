/**
 * Those who join a room, until they are live.
 *
 * @module
 */

import type { Subscribers } from "./subscribers.ts";
import { EnvelopeBatch } from "./envelope_batch.ts";
import { CLOSE_CODES, encodeEnvelope, HISTORY_DEFAULT } from "../protocol/mod.ts";
import { canRecover, recoverPage, type RecoveryOptions } from "./recovery.ts";
import type { RoomContext } from "./room_context.ts";
import type { Subscription } from "./subscription.ts";
import type { RecentMessages } from "./recent_messages.ts";

/** What a member asks for when it joins. */
export interface JoinOptions {
  /** Resume after this cursor. */
  readonly after?: string;
  /** Messages of history for a newcomer. @default {10} */
  readonly history?: number;
}

/** What {@linkcode Joining} join. */
export interface JoiningOptions {
  /** The room, which goes on delivering meanwhile. */
  readonly room: RecoveryOptions["room"] & {
    /** Whether its tail has been read. */
    readonly isOpen: boolean;
    /** Reads the tail, once. */
    open(): Promise<void>;
  };
  /** The room's newest records. */
  readonly tail: RecentMessages;
  /** Who is live. */
  readonly subscribers: Subscribers;
  /** The log, and who hears where it cannot be read. */
  readonly context: Pick<RoomContext, "limits" | "log" | "logger" | "metrics">;
  /** Hears that one waits no longer. */
  readonly onSettled: () => void;
}

/**
 * Gives each of those who join a room what it missed, or some history; then `joined`; then a place
 * in the audience. The last step happens within one turn of the event loop: nothing can fall
 * between what was and what comes.
 *
 * @example What a newcomer gets, in one frame
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * await hub.publish("lobby", "ann", { text: "hello" });
 * const subscription = hub.join("lobby", {
 *   user: "bob",
 *   send: ({ envelopes }) => console.log(envelopes.map((text) => JSON.parse(text).type)),
 *   close() {},
 * }, { history: 10 });
 * await subscription.joined; // ["chat_message", "joined"]
 * ```
 */
export class Joining {
  readonly #options: JoiningOptions;
  /** Who waits for its history, and some who are live since this turn of the event loop. */
  readonly #waiting = new Set<Subscription>();
  #isDismissed = false;

  /** @param options What they join. */
  constructor(options: JoiningOptions) {
    this.#options = options;
  }

  /** How many are on their way in. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Takes one in. In an open room all of it happens before this returns, but for a resume from
   * before the tail.
   *
   * @param subscription Its subscription.
   * @param options From where, or how much history.
   * @returns Settles when it is live, or is gone. Never rejects.
   */
  take(subscription: Subscription, options: JoinOptions): Promise<void> {
    const { room, context: { logger, metrics }, onSettled } = this.#options;
    this.#waiting.add(subscription);
    return this.#admit(subscription, options).catch((error) => {
      metrics.readFailures++;
      logger("error", "join_failed", { room: room.name, error });
      subscription.refuse({ code: "unavailable", message: "The room could not be read" });
      subscription.disconnect(CLOSE_CODES.internalError.code, "The room could not be read");
    }).finally(() => {
      this.#waiting.delete(subscription);
      onSettled();
    });
  }

  /**
   * Lets nobody in any more.
   *
   * @returns Who still waits for its history.
   */
  dismiss(): readonly Subscription[] {
    this.#isDismissed = true;
    return [...this.#waiting].filter((subscription) => subscription.state === "joining");
  }

  async #admit(subscription: Subscription, options: JoinOptions): Promise<void> {
    const { room, tail, subscribers, context: { log } } = this.#options;
    if (!room.isOpen) await room.open();
    let { after } = options;
    const isGone = () => subscription.state === "left" || this.#isDismissed;
    const source = { room, tail, log };
    if (after !== undefined && !this.#reaches(after) && !await canRecover(after, source)) {
      after = undefined;
    }
    while (after !== undefined && !isGone() && !this.#reaches(after)) {
      after = await recoverPage(subscription, after, source);
    }
    if (isGone()) return;
    // From here on nothing waits.
    const records = after === undefined
      ? tail.last(options.history ?? HISTORY_DEFAULT)
      : tail.after(after);
    const kept = records.filter((record) => log.keeps(record));
    const recovered = options.after === undefined || after !== undefined;
    subscribers.add(subscription, () => {
      const envelopes = kept.map((record) => record.envelope);
      envelopes.push(this.#welcome(subscription, recovered));
      return new EnvelopeBatch(envelopes);
    });
    subscription.goLive();
  }

  #reaches(cursor: string): boolean {
    return cursor === this.#options.room.cursor || this.#options.tail.has(cursor);
  }

  #welcome(subscription: Subscription, recovered: boolean): string {
    const { room: { name: room, cursor }, subscribers, context: { limits } } = this.#options;
    const { user = "" } = subscription;
    const users = subscribers.users();
    const typing = subscribers.typingUsers().filter((other) => other !== user);
    const payload = { room, user, cursor, recovered, users, typing, limits };
    return encodeEnvelope({ type: "joined", payload });
  }
}

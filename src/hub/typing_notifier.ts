/**
 * Typing notifications.
 *
 * @module
 */

import type { StatusChange } from "./envelope_batch.ts";
import type { RoomHold } from "./room_holds.ts";
import { statusBatch } from "./status_batch.ts";
import type { StatusFrames } from "./status_frames.ts";
import { StatusGatherer, type UserStatus } from "./status_gatherer.ts";
import type { RoomSubscription } from "./subscription.ts";
import { Typing } from "./typing.ts";

/** Envelopes in a batch: one that is much longer leaves each connection with a long buffer. */
const PER_BATCH = 16;

/**
 * Envelopes every 250 ms for all subscriptions together about users that change all the time: 200 of
 * them before 200 others took all of a processor.
 */
const FREQUENT_ENVELOPES = 1_000;
/** Subscriptions that are looked at, spread over all, whether the room has what it was sent. */
const LOOKED_AT = 8;

/** How {@linkcode TypingNotifier} behaves. */
export interface TypingNotifierOptions {
  /** The name of the room. */
  readonly room: string;
  /** Milliseconds after the last sign of typing. */
  readonly timeoutMs: number;
  /** All subscriptions of the room. What is returned does not change. */
  readonly subscriptions: () => readonly RoomSubscription[];
  /** The frames of all rooms. */
  readonly statusFrames: StatusFrames;
  /** Tells the other isolates that a user is, or is no longer, typing here. Must not throw. */
  readonly post: (user: string, status: boolean) => void;
  /** Keeps the room while anybody is typing, or that is still to be sent. */
  readonly hold: RoomHold;
}

/**
 * Notifies the subscriptions of a room, and the other isolates, who begins and who stops typing. In
 * a room in which many do at once it is gathered for 250 ms, or for longer where all rooms together
 * send too much, and only the net change is sent.
 */
export class TypingNotifier {
  readonly #options: TypingNotifierOptions;
  #pending = 0;
  readonly #toMembers = new StatusGatherer({
    send: (changes) => this.#send(changes),
    isBusy: () => this.#options.statusFrames.isOver || this.#isBehind(),
    frequentMax: () => Math.ceil(FREQUENT_ENVELOPES / (this.#options.subscriptions().length + 1)),
    onPending: (isPending) => this.#setPending(isPending),
  });
  readonly #toIsolates = new StatusGatherer({
    send: (changes) => changes.forEach(([user, status]) => this.#options.post(user, status)),
    onPending: (isPending) => this.#setPending(isPending),
  });
  readonly #typing: Typing;

  /**
   * Starts with nobody typing.
   *
   * @param options The subscriptions to notify, and how to reach the other isolates.
   */
  constructor(options: TypingNotifierOptions) {
    this.#options = options;
    this.#typing = new Typing({
      onChange: (user, status) => {
        this.#toMembers.set(user, status);
        this.#updateHold();
      },
      onLocalChange: (user, status) => this.#toIsolates.set(user, status),
      onLocalRefresh: (user) => {
        if (this.#toIsolates.sent.has(user)) options.post(user, true);
      },
      timeoutMs: options.timeoutMs,
    });
  }

  /**
   * The users that are typing, as far as the subscriptions know, sorted.
   *
   * @returns What a newcomer is shown: what comes later changes this.
   */
  users(): string[] {
    return [...this.#toMembers.sent].sort();
  }

  /**
   * Starts or renews the typing of a subscription.
   *
   * @param subscription The subscription; one without a user is passed over.
   */
  start(subscription: RoomSubscription): void {
    if (subscription.user !== undefined) this.#typing.start(subscription, subscription.user);
  }

  /**
   * Ends the typing of a subscription.
   *
   * @param subscription The subscription; may not be typing.
   */
  stop(subscription: RoomSubscription): void {
    if (subscription.user !== undefined) this.#typing.stop(subscription, subscription.user);
  }

  /**
   * Sets whether a user is typing on another isolate.
   *
   * @param isolate The id of the isolate.
   * @param user The user.
   * @param status Whether the user is typing there.
   */
  setRemote(isolate: string, user: string, status: boolean): void {
    this.#typing.setRemote(isolate, user, status);
  }

  /** Tells the other isolates once more who is typing on this one: one has opened the room. */
  announce(): void {
    for (const user of this.#toIsolates.sent) this.#options.post(user, true);
  }

  /**
   * Ends typing because of a message; to be called before the message is sent, so that nobody sees
   * its sender typing afterwards.
   *
   * @param user The user that sent the message.
   * @param isLocal Whether it was sent on this isolate.
   */
  endByMessage(user: string, isLocal: boolean): void {
    this.#typing.endByMessage(user, isLocal);
    this.#toMembers.flush(user);
    // The others take the message for the end of it, and must learn of a new beginning.
    this.#toIsolates.flush(user);
  }

  /** Sends everything that waits at once: nobody is left for whom it could be gathered. */
  flushAll(): void {
    this.#toMembers.flushAll();
    this.#toIsolates.flushAll();
  }

  /** Forgets everybody without notifying anybody, and stops all timers. */
  clear(): void {
    this.#typing.clear();
    this.#toMembers.clear();
    this.#toIsolates.clear();
  }

  /** Whether most of the room still waits for what it was sent before. */
  #isBehind(): boolean {
    const subscriptions = this.#options.subscriptions();
    const step = Math.max(1, subscriptions.length / LOOKED_AT);
    let [looked, behind] = [0, 0];
    for (let at = 0; at < subscriptions.length; at += step) {
      looked++;
      if (subscriptions[Math.floor(at)].isBehind) behind++;
    }
    return 2 * behind > looked;
  }

  #setPending(isPending: boolean): void {
    this.#pending += isPending ? 1 : -1;
    this.#updateHold();
  }

  #updateHold(): void {
    this.#options.hold.set(this.#pending > 0 || this.#typing.size > 0);
  }

  #send(changes: readonly UserStatus[]): void {
    const subscriptions = this.#options.subscriptions();
    if (subscriptions.length === 0) return;
    const { room, statusFrames } = this.#options;
    statusFrames.spend(subscriptions.length * Math.ceil(changes.length / PER_BATCH));
    for (let i = 0; i < changes.length; i += PER_BATCH) {
      sendTo(subscriptions, room, changes.slice(i, i + PER_BATCH));
    }
  }
}

/** Sends changes to all subscriptions, to each without those of its own user. */
function sendTo(
  subscriptions: readonly RoomSubscription[],
  room: string,
  statuses: readonly UserStatus[],
): void {
  const changes = statuses.map(([user, status]): StatusChange => ({
    kind: "typing",
    user,
    status,
  }));
  const users = new Set(changes.map(({ user }) => user));
  const forMany = changes.length > 1;
  const batch = statusBatch(room, changes, { forMany });
  for (const subscription of subscriptions) {
    const { user } = subscription;
    if (user === undefined || !users.has(user)) {
      subscription.send(batch);
      continue;
    }
    const others = changes.filter((change) => change.user !== user);
    if (others.length > 0) subscription.send(statusBatch(room, others, { forMany }));
  }
}

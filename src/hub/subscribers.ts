/**
 * The members of a room, and what they are told about each other.
 *
 * @module
 */

import { EnvelopeBatch } from "./envelope_batch.ts";
import { JoinLeaveNotifier } from "./join_leave.ts";
import { encodeEnvelope, type TypingStatusEnvelope } from "../protocol/mod.ts";
import { UserSet } from "./user_set.ts";
import type { Subscription } from "./subscription.ts";
import { Typing } from "./typing.ts";

/** How {@linkcode Subscribers} behaves. */
export interface SubscribersOptions {
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
 * The subscriptions of a room. Sends to all of them, and tells them who came, who went and who is typing.
 * Whoever comes or goes while something is sent neither gets it twice nor disturbs the others.
 */
export class Subscribers {
  /** Each subscription and when it was taken, in steps of `#news.now`. */
  readonly #subscriptions = new Map<Subscription, number>();
  /** The subscriptions as a sending loop sees them: made anew after a change, never changed. */
  #snapshot: readonly Subscription[] | undefined;
  readonly #options: SubscribersOptions;
  readonly #here = new UserSet<Subscription>();
  /** Held by subscriptions here, and by the names of other isolates. */
  readonly #everywhere = new UserSet<Subscription | string>();
  readonly #typing: Typing;
  readonly #news = new JoinLeaveNotifier({
    subscriptions: () => this.subscriptions(),
    since: (subscription) => this.#subscriptions.get(subscription),
  });

  /**
   * Begins without subscriptions.
   *
   * @param options After how long typing ends by itself, and what other isolates should know.
   */
  constructor(options: SubscribersOptions) {
    this.#options = options;
    this.#typing = new Typing({
      onChange: (user, status) => this.#tellTyping(user, status),
      onHere: options.onTyping,
      timeoutMs: options.typingTimeoutMs,
    });
  }

  /** How many subscriptions are taken. */
  get size(): number {
    return this.#subscriptions.size;
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
   * Takes a subscription in. From now on it gets everything.
   *
   * @param subscription The subscription.
   * @param welcome Makes its first frame, when the subscription's user is already counted as here.
   */
  add(subscription: Subscription, welcome: () => EnvelopeBatch): void {
    const { user } = subscription;
    const isNewHere = user !== undefined && this.#here.add(user, subscription);
    const isNew = user !== undefined && this.#everywhere.add(user, subscription);
    subscription.send(welcome());
    // Whoever leaves on being sent its history was never here.
    if (subscription.state === "left") {
      if (user === undefined) return;
      this.#here.remove(user, subscription);
      this.#everywhere.remove(user, subscription);
      return;
    }
    // Its own arrival, which is told below, is nothing new to it.
    this.#subscriptions.set(subscription, this.#news.now + (isNew ? 1 : 0));
    this.#snapshot = undefined;
    if (isNewHere) this.#options.onPresence(user, true);
    if (isNew) this.#news.add(user, "joined");
  }

  /**
   * Lets a subscription go.
   *
   * @param subscription The subscription.
   * @returns False where it was not here.
   */
  remove(subscription: Subscription): boolean {
    if (!this.#subscriptions.has(subscription)) return false;
    // While the seat is taken: the end of the typing in an empty room would end the room.
    this.stopTyping(subscription);
    this.#subscriptions.delete(subscription);
    this.#snapshot = undefined;
    const { user } = subscription;
    if (user === undefined) return true;
    if (this.#here.remove(user, subscription)) this.#options.onPresence(user, false);
    if (this.#everywhere.remove(user, subscription)) this.#news.add(user, "left");
    return true;
  }

  /**
   * Takes note that a user is, or is no longer, connected to another isolate.
   *
   * @param isolate Which isolate.
   * @param user Who.
   * @param status Whether they are there.
   */
  remote(isolate: string, user: string, status: boolean): void {
    if (!status) this.#typing.remote(isolate, user, false);
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
  typingRemote(isolate: string, user: string, status: boolean): void {
    this.#typing.remote(isolate, user, status);
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
  subscriptions(): readonly Subscription[] {
    return this.#snapshot ??= [...this.#subscriptions.keys()];
  }

  /**
   * Sends a frame to everybody.
   *
   * @param frame What to send.
   * @returns How many subscriptions it went to.
   */
  send(frame: EnvelopeBatch): number {
    const subscriptions = this.subscriptions();
    for (const subscription of subscriptions) subscription.send(frame);
    return subscriptions.length;
  }

  /** Takes a sign of typing from a subscription. */
  startTyping(subscription: Subscription): void {
    if (subscription.user === undefined || !this.#subscriptions.has(subscription)) return;
    this.#typing.start(subscription, subscription.user);
  }

  /** Ends the typing of a subscription; does nothing where it is not typing. */
  stopTyping(subscription: Subscription): void {
    if (subscription.user !== undefined) this.#typing.stop(subscription, subscription.user);
  }

  /**
   * Lets everybody go without telling anyone, and stops all timers.
   *
   * @returns Who was here.
   */
  dismiss(): readonly Subscription[] {
    const subscriptions = this.subscriptions();
    this.#subscriptions.clear();
    this.#snapshot = undefined;
    this.#here.clear();
    this.#everywhere.clear();
    this.#typing.clear();
    this.#news.clear();
    return subscriptions;
  }

  #tellTyping(user: string, status: boolean): void {
    const envelope: TypingStatusEnvelope = { type: "typing_status", payload: { user, status } };
    const changes = [{ kind: "typing", user, status }] as const;
    const batch = new EnvelopeBatch([encodeEnvelope(envelope)], { changes });
    for (const subscription of this.subscriptions()) {
      if (subscription.user !== user) subscription.send(batch);
    }
    if (!this.isTyping) this.#options.onSilence();
  }
}

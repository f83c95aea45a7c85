/**
 * The subscriptions of a room.
 *
 * @module
 */

import type { Presence } from "../cluster/presence.ts";
import type { PresentUser } from "../cluster/room_presence.ts";
import type { EnvelopeBatch } from "./envelope_batch.ts";
import type { Hooks } from "./hooks.ts";
import { JoinLeaveNotifier } from "./join_leave.ts";
import { RenameNotifier } from "./rename_notifier.ts";
import type { RoomHold } from "./room_holds.ts";
import type { RoomSubscription } from "./subscription.ts";

/** How {@linkcode Subscribers} behaves. */
export interface SubscribersOptions {
  /** The name of the room. */
  readonly room: string;
  /** The users in each room. */
  readonly presence: Presence;
  /** Are told who joined and who left. */
  readonly hooks?: Hooks;
  /** Keeps the room while there are subscriptions. */
  readonly hold: RoomHold;
}

/**
 * The live subscriptions of a room: sends to all of them, and notifies them who joins and who
 * leaves. A subscription that comes or goes while something is sent neither gets it twice nor
 * disturbs the others.
 */
export class Subscribers {
  /** Each subscription, and how many joins and leaves it knows of from its `joined`. */
  readonly #subscriptions = new Map<RoomSubscription, number>();
  /** The subscriptions as a sending loop sees them: made anew after a change, never changed. */
  #snapshot: readonly RoomSubscription[] | undefined;
  readonly #options: SubscribersOptions;
  readonly #notifier: JoinLeaveNotifier;
  readonly #renames: RenameNotifier;

  /**
   * Starts without subscriptions.
   *
   * @param options The room, and who is in it.
   */
  constructor(options: SubscribersOptions) {
    this.#options = options;
    const { presence, room } = options;
    this.#renames = new RenameNotifier({
      room,
      subscriptions: () => this.all(),
      nameOf: (user) => presence.nameOf(room, user),
      has: (user) => presence.has(room, user),
    });
    this.#notifier = new JoinLeaveNotifier({
      room,
      subscriptions: () => this.all(),
      // One without presence knows of nobody.
      since: (subscription) => {
        return subscription.presence ? this.#subscriptions.get(subscription) : undefined;
      },
    });
  }

  /** How many subscriptions there are. */
  get size(): number {
    return this.#subscriptions.size;
  }

  /**
   * Whether a subscription is live in this room.
   *
   * @param subscription The subscription.
   * @returns True from {@linkcode Subscribers.add} to {@linkcode Subscribers.remove}.
   */
  has(subscription: RoomSubscription): boolean {
    return this.#subscriptions.has(subscription);
  }

  /** All subscriptions. What is returned does not change. */
  all(): readonly RoomSubscription[] {
    return this.#snapshot ??= [...this.#subscriptions.keys()];
  }

  /**
   * Adds a subscription: it gets its welcome, then everything that is sent.
   *
   * @param subscription The subscription.
   * @param welcome Its history and `joined`, whose users include its own.
   */
  add(subscription: RoomSubscription, welcome: EnvelopeBatch): void {
    const { presence, room, hold, hooks } = this.#options;
    this.#subscriptions.set(subscription, this.#notifier.now);
    this.#snapshot = undefined;
    hold.set(true);
    subscription.sendWelcome(welcome);
    // One that leaves on being sent its history was never here.
    if (subscription.state === "left" || !this.has(subscription)) return;
    const { user } = subscription;
    if (user !== undefined && subscription.presence) {
      presence.add(room, user, subscription, saidBy(subscription));
    }
    hooks?.joined(room, subscription);
  }

  /**
   * Shows the display name and the role that the member of a subscription has by now.
   *
   * @param subscription The subscription; may be none of this room's.
   */
  refresh(subscription: RoomSubscription): void {
    const { presence, room } = this.#options;
    const { user } = subscription;
    if (user === undefined || !subscription.presence || !this.has(subscription)) return;
    presence.add(room, user, subscription, saidBy(subscription));
  }

  /**
   * Removes a subscription.
   *
   * @param subscription The subscription; may be none of this room's.
   */
  remove(subscription: RoomSubscription): void {
    if (!this.#subscriptions.delete(subscription)) return;
    this.#snapshot = undefined;
    const { presence, room, hold, hooks } = this.#options;
    const { user } = subscription;
    if (user !== undefined) presence.remove(room, user, subscription);
    hooks?.left(room, subscription);
    hold.set(this.size > 0);
  }

  /**
   * Notifies the subscriptions that a user joined or left the room, on any isolate, or has another
   * display name.
   *
   * @param user The user.
   * @param status Whether the user is here now; undefined where the name alone has changed.
   */
  notify(user: string, status: boolean | undefined): void {
    const name = this.#options.presence.nameOf(this.#options.room, user);
    if (status !== undefined) return this.#notifier.add(user, status, name);
    this.#notifier.rename(user, name);
    this.#renames.add(user);
  }

  /**
   * Sends envelopes to all subscriptions. Never throws.
   *
   * @param batch The envelopes.
   * @returns How many subscriptions there are.
   */
  send(batch: EnvelopeBatch): number {
    const subscriptions = this.all();
    for (const subscription of subscriptions) subscription.send(batch);
    return subscriptions.length;
  }

  /**
   * Removes all subscriptions without notifying anybody, and stops the timers. Who is present is
   * left to the end of the presence, which comes next.
   *
   * @returns The subscriptions.
   */
  dismiss(): readonly RoomSubscription[] {
    const subscriptions = this.all();
    const { hooks, room } = this.#options;
    for (const subscription of subscriptions) hooks?.left(room, subscription);
    this.#subscriptions.clear();
    this.#snapshot = undefined;
    this.#notifier.clear();
    this.#renames.clear();
    return subscriptions;
  }
}

function saidBy({ member, role }: RoomSubscription): PresentUser {
  return { name: member.name, isModerator: role === "moderator" };
}

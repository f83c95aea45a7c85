/**
 * Notifications of new display names.
 *
 * @module
 */

import { EnvelopeBatch, type StatusChange } from "./envelope_batch.ts";
import { encodeStatusesV2 } from "./status_batch.ts";
import type { RoomSubscription } from "./subscription.ts";

/** Milliseconds between two notifications: a user who changes names all the time costs little. */
const PAUSE_MS = 1_000;

/** How {@linkcode RenameNotifier} behaves. */
export interface RenameNotifierOptions {
  /** The name of the room. */
  readonly room: string;
  /** All subscriptions of the room. */
  readonly subscriptions: () => readonly RoomSubscription[];
  /** Gives the display name of a user; undefined where there is none. */
  readonly nameOf: (user: string) => string | undefined;
  /** Whether a user is in the room. */
  readonly has: (user: string) => boolean;
}

/**
 * Notifies the members of a room of protocol 2 of users who have another display name than before:
 * at once, and those who follow within a second together.
 */
export class RenameNotifier {
  readonly #options: RenameNotifierOptions;
  readonly #users = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param options The subscriptions to notify. */
  constructor(options: RenameNotifierOptions) {
    this.#options = options;
  }

  /**
   * Adds a user.
   *
   * @param user The user whose name has changed.
   */
  add(user: string): void {
    this.#users.add(user);
    if (this.#timer === undefined) this.#send();
  }

  /** Forgets what was not sent yet. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#users.clear();
  }

  #send(): void {
    this.#timer = undefined;
    const { has, nameOf, room, subscriptions } = this.#options;
    const changes = [...this.#users].filter(has).map((user): StatusChange => {
      return { kind: "presence", user, status: true, name: nameOf(user), isRename: true };
    });
    this.#users.clear();
    if (changes.length === 0) return;
    const v2 = { encode: () => encodeStatusesV2(room, changes) };
    const batch = new EnvelopeBatch(() => [], { changes, v2, forMany: true });
    for (const subscription of subscriptions()) {
      if (subscription.protocol === 2) subscription.send(batch);
    }
    this.#timer = setTimeout(() => this.#send(), PAUSE_MS);
  }
}

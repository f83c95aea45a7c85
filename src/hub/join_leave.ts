/**
 * Join and leave notifications.
 *
 * @module
 */

import type { EnvelopeBatch, StatusChange } from "./envelope_batch.ts";
import { FlushTracker, lastInTime } from "./flush_tracker.ts";
import { statusBatch } from "./status_batch.ts";
import type { RoomSubscription } from "./subscription.ts";

/** Members up to which a room is notified at once: with more, changes are gathered. */
const GATHER_FROM = 20;
/** Milliseconds without a change after which gathered ones are sent. */
const QUIET_MS = 100;
/** How often that may be waited for. */
const QUIET_MAX = 10;
/** Envelopes in a batch: one that is much longer leaves each connection with a long buffer. */
const PER_BATCH = 16;
/** The same for members of protocol 2, in which a batch is one envelope. */
const PER_BATCH_V2 = 256;
/**
 * Envelopes that are sent in one turn of the event loop. Notifying n members of n arrivals takes n²:
 * in one go it would hold everybody's messages up, and all of it would wait in memory.
 */
const SLICE = 200;

/** One round of notifications: what, and to whom. */
interface Round {
  /** The number of the first of the changes, as {@linkcode JoinLeaveNotifier.now} counts. */
  readonly from: number;
  readonly changes: readonly StatusChange[];
  /** All of them, for who was there before, by how many are in each batch but the last. */
  readonly batches: ReadonlyMap<number, readonly EnvelopeBatch[]>;
  readonly subscriptions: readonly RoomSubscription[];
  next: number;
}

/** How {@linkcode JoinLeaveNotifier} behaves. */
export interface JoinLeaveNotifierOptions {
  /** The name of the room. */
  readonly room: string;
  /** All subscriptions of the room. What is returned does not change. */
  readonly subscriptions: () => readonly RoomSubscription[];
  /**
   * How many changes a subscription knows of from its `joined`, as {@linkcode JoinLeaveNotifier.now}
   * counts; undefined where it has ended.
   */
  readonly since: (subscription: RoomSubscription) => number | undefined;
}

/**
 * Notifies the subscriptions of a room who joins and who leaves. In a small room at once; in a large
 * one changes are gathered until there are none for a moment, and sent little by little, to each
 * subscription in the order in which they happened. None is notified of what it knows from its
 * `joined`, its own user included.
 */
export class JoinLeaveNotifier {
  readonly #options: JoinLeaveNotifierOptions;
  #now = 0;
  #changes: StatusChange[] = [];
  /** How many changes there were when it was last looked whether more come, and how often it was. */
  #seen = 0;
  #looks = 0;
  readonly #flushes = new FlushTracker();
  #round: Round | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts without changes.
   *
   * @param options The subscriptions to notify.
   */
  constructor(options: JoinLeaveNotifierOptions) {
    this.#options = options;
  }

  /** How many changes there have been: what a subscription that is added now knows. */
  get now(): number {
    return this.#now;
  }

  /**
   * Adds a change.
   *
   * @param user The user that joined or left.
   * @param status Whether the user is here now.
   * @param name The user's display name, of who left the last one. @default {undefined} none
   */
  add(user: string, status: boolean, name?: string): void {
    this.#changes.push({ kind: "presence", user, status, ...(name !== undefined && { name }) });
    this.#now++;
    if (this.#timer !== undefined || this.#round) return;
    if (this.#options.subscriptions().length <= GATHER_FROM) return this.#send();
    this.#sendLater(QUIET_MS);
  }

  /**
   * Gives a user another display name in what is not sent yet.
   *
   * @param user The user.
   * @param name The name; undefined for none.
   */
  rename(user: string, name: string | undefined): void {
    this.#changes = this.#changes.map((change) => {
      return change.user === user && change.status ? { ...change, name } : change;
    });
  }

  /** Forgets what was not sent yet. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#changes = [];
    this.#round = undefined;
  }

  #sendLater(wait: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#round || this.#isLull()) this.#send();
      else this.#sendLater(QUIET_MS);
    }, wait);
  }

  /** Whether no change has come since the last look, or they do not stop coming. */
  #isLull(): boolean {
    const isQuiet = this.#changes.length === this.#seen;
    this.#seen = this.#changes.length;
    return isQuiet || this.#looks++ === QUIET_MAX;
  }

  #send(): void {
    const round = this.#round ??= this.#begin();
    for (let left = SLICE; left > 0 && round.next < round.subscriptions.length;) {
      left -= this.#sendTo(round.subscriptions[round.next++], round);
    }
    if (round.next === round.subscriptions.length) this.#round = undefined;
    if (this.#round && this.#flushes.isBusy) void this.#goOn(this.#round);
    else if (this.#round) this.#sendLater(0);
    else if (this.#changes.length > 0) this.#sendLater(QUIET_MS);
  }

  /** Sends the next slice when the last one has gone out. */
  async #goOn(round: Round): Promise<void> {
    await this.#flushes.drained();
    if (this.#round === round) this.#send();
  }

  #begin(): Round {
    const changes = this.#changes;
    this.#changes = [];
    this.#seen = this.#looks = 0;
    const { room } = this.#options;
    const batches = new Map([PER_BATCH, PER_BATCH_V2].map((size) => {
      return [size, batchesOf(room, changes, size)];
    }));
    const from = this.#now - changes.length;
    return { from, changes, batches, subscriptions: this.#options.subscriptions(), next: 0 };
  }

  /** Notifies one subscription, and returns how many envelopes that took. */
  #sendTo(subscription: RoomSubscription, { from, changes, batches }: Round): number {
    const since = this.#options.since(subscription);
    if (since === undefined) return 0;
    let first = Math.max(0, since - from);
    // The arrival of its own user comes right after its `joined`, which shows that user already.
    if (changes[first]?.user === subscription.user) first++;
    if (first >= changes.length) return 0;
    this.#flushes.sent(lastInTime([subscription]));
    // One that came in the midst of it has a part of a batch for itself.
    const size = subscription.protocol === 2 ? PER_BATCH_V2 : PER_BATCH;
    const whole = Math.ceil(first / size);
    const part = changes.slice(first, whole * size);
    if (part.length > 0) subscription.send(statusBatch(this.#options.room, part));
    const rest = batches.get(size)?.slice(whole) ?? [];
    for (const batch of rest) subscription.send(batch);
    return subscription.protocol === 2 ? rest.length + part.length : changes.length - first;
  }
}

function batchesOf(room: string, changes: readonly StatusChange[], size: number): EnvelopeBatch[] {
  const batches: EnvelopeBatch[] = [];
  for (let i = 0; i < changes.length; i += size) {
    batches.push(statusBatch(room, changes.slice(i, i + size)));
  }
  return batches;
}

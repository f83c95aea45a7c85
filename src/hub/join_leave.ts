/**
 * Who came and who went, told to those who are there.
 *
 * @module
 */

import { EnvelopeBatch, type StatusChange } from "./envelope_batch.ts";
import { FlushTracker, lastInTime } from "./flush_tracker.ts";
import { encodeEnvelope } from "../protocol/mod.ts";
import type { Subscription } from "./subscription.ts";

/** Members up to which a room is told at once: with more, such news are gathered. */
const GATHER_FROM = 20;
/** Milliseconds without news after which gathered ones are told. */
const QUIET_MS = 100;
/** How often that may be waited for. */
const QUIET_MAX = 10;
/** Envelopes in a frame: one that is much longer leaves each connection with a long buffer. */
const PER_FRAME = 16;
/**
 * Envelopes that are sent in one turn of the event loop. Telling n members of n arrivals takes n²:
 * in one go it would hold everybody's messages up, and all of it would wait in memory.
 */
const SLICE = 200;

/** A round of telling: what, and whom. */
interface Round {
  /** When the first of it happened, in steps of {@linkcode JoinLeaveNotifier.now}. */
  readonly from: number;
  readonly changes: readonly StatusChange[];
  /** All of it, for whoever was there before: {@linkcode PER_FRAME} changes in each but the last. */
  readonly batches: readonly EnvelopeBatch[];
  readonly subscriptions: readonly Subscription[];
  next: number;
}

/** Whom news are for. */
export interface JoinLeaveNotifierOptions {
  /** Everybody who is here now. What is returned stays as it is. */
  readonly subscriptions: () => readonly Subscription[];
  /** When a subscription was taken, in steps of {@linkcode JoinLeaveNotifier.now}; undefined where it is not taken. */
  readonly since: (subscription: Subscription) => number | undefined;
}

/**
 * Tells the members of a room who came and who went. In a small room at once; in a large one news
 * are gathered until there are none for a moment, and told little by little, each subscription in the order
 * in which they happened. Nobody is told of what they knew when they joined, themselves included.
 */
export class JoinLeaveNotifier {
  readonly #options: JoinLeaveNotifierOptions;
  #now = 0;
  #changes: StatusChange[] = [];
  /** How many there were when it was last looked whether more come, and how often it was. */
  #seen = 0;
  #looks = 0;
  readonly #flushes = new FlushTracker();
  #round: Round | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins without news.
   *
   * @param options Whom they are for.
   */
  constructor(options: JoinLeaveNotifierOptions) {
    this.#options = options;
  }

  /** How many news there have been: what a subscription that is taken now knows. */
  get now(): number {
    return this.#now;
  }

  /**
   * Takes note that somebody came or went.
   *
   * @param user Who.
   * @param status Which of the two.
   */
  add(user: string, status: "joined" | "left"): void {
    this.#changes.push({ kind: "presence", user, status: status === "joined" });
    this.#now++;
    if (this.#timer !== undefined || this.#round) return;
    if (this.#options.subscriptions().length <= GATHER_FROM) return this.#tell();
    this.#tellLater(QUIET_MS);
  }

  /** Forgets what was not told yet. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#changes = [];
    this.#round = undefined;
  }

  #tellLater(wait: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#round || this.#isLull()) this.#tell();
      else this.#tellLater(QUIET_MS);
    }, wait);
  }

  /** Whether no news have come since the last look, or they do not stop coming. */
  #isLull(): boolean {
    const isQuiet = this.#changes.length === this.#seen;
    this.#seen = this.#changes.length;
    return isQuiet || this.#looks++ === QUIET_MAX;
  }

  #tell(): void {
    const round = this.#round ??= this.#begin();
    for (let left = SLICE; left > 0 && round.next < round.subscriptions.length;) {
      left -= this.#tellOne(round.subscriptions[round.next++], round);
    }
    if (round.next === round.subscriptions.length) this.#round = undefined;
    if (this.#round && this.#flushes.isBusy) void this.#goOn(this.#round);
    else if (this.#round) this.#tellLater(0);
    else if (this.#changes.length > 0) this.#tellLater(QUIET_MS);
  }

  /** Tells the next slice when the last one has gone out. */
  async #goOn(round: Round): Promise<void> {
    await this.#flushes.drained();
    if (this.#round === round) this.#tell();
  }

  #begin(): Round {
    const changes = this.#changes;
    this.#changes = [];
    this.#seen = this.#looks = 0;
    const batches: EnvelopeBatch[] = [];
    for (let i = 0; i < changes.length; i += PER_FRAME) {
      batches.push(batchOf(changes.slice(i, i + PER_FRAME)));
    }
    const from = this.#now - changes.length;
    return { from, changes, batches, subscriptions: this.#options.subscriptions(), next: 0 };
  }

  /** Tells one subscription, and returns how many changes that took. */
  #tellOne(subscription: Subscription, { from, changes, batches }: Round): number {
    const since = this.#options.since(subscription);
    if (since === undefined) return 0;
    const first = Math.max(0, since - from);
    if (first >= changes.length) return 0;
    this.#flushes.sent(lastInTime([subscription]));
    // Who came in the midst of it has a part of a frame for itself.
    const whole = Math.ceil(first / PER_FRAME);
    const part = changes.slice(first, whole * PER_FRAME);
    if (part.length > 0) subscription.send(batchOf(part));
    for (const batch of batches.slice(whole)) subscription.send(batch);
    return changes.length - first;
  }
}

function batchOf(changes: readonly StatusChange[]): EnvelopeBatch {
  const envelopes = changes.map(({ user, status }) => {
    const payload = { user, status: status ? "joined" : "left" } as const;
    return encodeEnvelope({ type: "presence", payload });
  });
  return new EnvelopeBatch(envelopes, { changes });
}

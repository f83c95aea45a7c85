/**
 * Gathering of changes that come too fast, for their net effect.
 *
 * @module
 */

/** Changes within a second above which they are gathered. */
const CALM_CHANGES = 20;
/** Milliseconds that they are gathered. */
const GATHER_MS = 250;
/** Milliseconds that are added at most while what was sent last is still on its way out. */
const BUSY_MAX_MS = 2_000;
/** Milliseconds between two looks whether it has gone out. */
const BUSY_LOOK_MS = 50;
/** Changes of one user that are sent at once, and milliseconds for each one after them. */
const USER_BURST = 10;
const USER_CHANGE_MS = 500;
/** Changes in a row from which on a user's changes are frequent ones, which others' come before. */
const FREQUENT_FROM = 4;
/** Users whose rate is remembered; beyond, those are forgotten that have their whole burst again. */
const USERS_MAX = 1_000;

/** Milliseconds after which a user that changed all the time is calm again, at most. */
const CALM_MAX_MS = 5_000;

/** How often a user changes. */
interface Rate {
  /** When the whole burst is there again: what was sent is taken from it. */
  fullAt: number;
  /** When the user is calm: each change that came puts it off. */
  calmAt: number;
}

/** A user and the new status. */
export type UserStatus = readonly [user: string, status: boolean];

/** How {@linkcode StatusGatherer} behaves. */
export interface StatusGathererOptions {
  /** Sends changes, at least one, at most one of each user. Must not throw. */
  readonly send: (changes: readonly UserStatus[]) => void;
  /** Whether what was sent last is still on its way out. @default {undefined} never */
  readonly isBusy?: () => boolean;
  /** The most frequent changes that are sent at a time, at least 1. @default {undefined} no limit */
  readonly frequentMax?: () => number;
  /** Called when changes begin to wait and when none wait any more. Must not throw. */
  readonly onPending?: (isPending: boolean) => void;
}

/**
 * Sends changes of users' statuses: at once where they are few, otherwise every 250 ms and of each
 * user only the net change, if there is one. A user that changes all the time is slowed down to two
 * changes a second, and to less where many do; the last one always gets sent.
 *
 * @example
 * ```ts
 * import { StatusGatherer } from "./status_gatherer.ts";
 *
 * const typing = new StatusGatherer({ send: (changes) => console.log(changes) });
 * typing.set("ann", true); // [["ann", true]]
 * typing.set("ann", false); // [["ann", false]]
 * ```
 */
export class StatusGatherer {
  readonly #options: StatusGathererOptions;
  /** The users of whom `true` was sent last. */
  readonly #sent = new Set<string>();
  /** By user, the status that differs from what was sent. */
  readonly #pending = new Map<string, boolean>();
  readonly #rates = new Map<string, Rate>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pendingSince = 0;
  /** When the current second began, how many changes came in it, and whether there were many before. */
  #secondAt = -Infinity;
  #changes = 0;
  #wasBusy = false;

  /**
   * Starts with everybody's status `false`.
   *
   * @param options Where changes are sent to.
   */
  constructor(options: StatusGathererOptions) {
    this.#options = options;
  }

  /** The users of whom `true` was sent last, in no order. */
  get sent(): ReadonlySet<string> {
    return this.#sent;
  }

  /**
   * Sets the status of a user.
   *
   * @param user The user.
   * @param status The status from now on.
   */
  set(user: string, status: boolean): void {
    if ((this.#pending.get(user) ?? this.#sent.has(user)) === status) return;
    const now = performance.now();
    const rate = this.#rateOf(user, now);
    rate.calmAt = Math.min(Math.max(now, rate.calmAt) + USER_CHANGE_MS, now + CALM_MAX_MS);
    const isMany = this.#count(now);
    // The timer goes on where nothing is left: otherwise who changes fast would always put it off.
    if (this.#pending.delete(user)) return;
    if (!isMany && this.#timer === undefined && take(rate, now)) this.#send([[user, status]]);
    else {
      this.#pending.set(user, status);
      this.#start(now);
    }
  }

  /**
   * Sends what waits of a user at once.
   *
   * @param user The user.
   */
  flush(user: string): void {
    const status = this.#pending.get(user);
    if (status === undefined) return;
    this.#pending.delete(user);
    this.#send([[user, status]]);
  }

  /** Sends everything that waits at once. */
  flushAll(): void {
    const changes = [...this.#pending];
    this.#pending.clear();
    this.#stop();
    if (changes.length > 0) this.#send(changes);
  }

  /** Forgets everything without sending it, and stops the timer. */
  clear(): void {
    this.#stop();
    this.#pending.clear();
    this.#sent.clear();
    this.#rates.clear();
  }

  /** Counts a change, and tells whether there are many. */
  #count(now: number): boolean {
    if (now - this.#secondAt >= 1_000) {
      this.#wasBusy = this.#changes > CALM_CHANGES && now - this.#secondAt < 2_000;
      this.#secondAt = now;
      this.#changes = 0;
    }
    return ++this.#changes > CALM_CHANGES || this.#wasBusy;
  }

  #rateOf(user: string, now: number): Rate {
    let rate = this.#rates.get(user);
    if (rate) return rate;
    if (this.#rates.size >= USERS_MAX) {
      for (const [other, { fullAt, calmAt }] of this.#rates) {
        if (Math.max(fullAt, calmAt) <= now) this.#rates.delete(other);
      }
    }
    this.#rates.set(user, rate = { fullAt: now, calmAt: now });
    return rate;
  }

  #send(changes: readonly UserStatus[]): void {
    for (const [user, status] of changes) {
      if (status) this.#sent.add(user);
      else this.#sent.delete(user);
    }
    this.#options.send(changes);
  }

  #start(now: number): void {
    if (this.#timer !== undefined) return;
    this.#pendingSince = now;
    this.#timer = setTimeout(() => this.#look(), GATHER_MS);
    this.#options.onPending?.(true);
  }

  #stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#options.onPending?.(false);
  }

  /** Sends the net changes, unless those before are still on their way out. */
  #look(): void {
    const now = performance.now();
    const isLate = now - this.#pendingSince >= GATHER_MS + BUSY_MAX_MS;
    if (!isLate && this.#options.isBusy?.()) {
      this.#timer = setTimeout(() => this.#look(), BUSY_LOOK_MS);
      return;
    }
    let frequentLeft = this.#options.frequentMax?.() ?? Infinity;
    const changes: UserStatus[] = [];
    for (const [user, status] of this.#pending) {
      const rate = this.#rateOf(user, now);
      const isFrequent = rate.calmAt - now > FREQUENT_FROM * USER_CHANGE_MS;
      if ((isFrequent && frequentLeft === 0) || !take(rate, now)) continue;
      if (isFrequent) frequentLeft--;
      this.#pending.delete(user);
      changes.push([user, status]);
    }
    if (changes.length > 0) this.#send(changes);
    this.#pendingSince = now;
    if (this.#pending.size === 0) this.#stop();
    else this.#timer = setTimeout(() => this.#look(), GATHER_MS);
  }
}

/** Takes one change from what a user may have; false where nothing is left. */
function take(rate: Rate, now: number): boolean {
  const fullAt = Math.max(now, rate.fullAt) + USER_CHANGE_MS;
  if (fullAt - now > USER_BURST * USER_CHANGE_MS) return false;
  rate.fullAt = fullAt;
  return true;
}

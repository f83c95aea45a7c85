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
const BUSY_MAX_MS = 1_000;
/** Milliseconds between two looks whether it has gone out. */
const BUSY_LOOK_MS = 50;
/** Changes of one user that are sent at once, and milliseconds for each one after them. */
const USER_BURST = 10;
const USER_CHANGE_MS = 500;
/** Users whose rate is remembered; beyond, those are forgotten that have their whole burst again. */
const USERS_MAX = 1_000;

/** A user and the new status. */
export type UserStatus = readonly [user: string, status: boolean];

/** How {@linkcode StatusGatherer} behaves. */
export interface StatusGathererOptions {
  /** Sends changes, at least one, at most one of each user. Must not throw. */
  readonly send: (changes: readonly UserStatus[]) => void;
  /** Whether what was sent last is still on its way out. @default {undefined} never */
  readonly isBusy?: () => boolean;
  /** Called when changes begin to wait and when none wait any more. Must not throw. */
  readonly onPending?: (isPending: boolean) => void;
}

/**
 * Sends changes of users' statuses: at once where they are few, otherwise every 250 ms and of each
 * user only the net change, if there is one. A user that changes all the time is slowed down to two
 * changes a second; the last one always gets sent.
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
  /** By user, from when on the whole burst is there again. */
  readonly #fullAt = new Map<string, number>();
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
    const now = performance.now();
    const isMany = this.#count(now);
    if (this.#sent.has(user) === status) {
      if (this.#pending.delete(user) && this.#pending.size === 0) this.#stop();
    } else if (isMany || this.#pending.has(user) || !this.#takeOf(user, now)) {
      this.#pending.set(user, status);
      this.#start(now);
    } else this.#send([[user, status]]);
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
    if (this.#pending.size === 0) this.#stop();
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
    this.#fullAt.clear();
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

  /** Takes one change from what a user may have; false where nothing is left. */
  #takeOf(user: string, now: number): boolean {
    const fullAt = Math.max(now, this.#fullAt.get(user) ?? 0) + USER_CHANGE_MS;
    if (fullAt - now > USER_BURST * USER_CHANGE_MS) return false;
    this.#fullAt.set(user, fullAt);
    if (this.#fullAt.size > USERS_MAX) {
      for (const [other, at] of this.#fullAt) if (at <= now) this.#fullAt.delete(other);
    }
    return true;
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
    const changes: UserStatus[] = [];
    for (const [user, status] of this.#pending) {
      if (!this.#takeOf(user, now)) continue;
      this.#pending.delete(user);
      changes.push([user, status]);
    }
    if (changes.length > 0) this.#send(changes);
    this.#pendingSince = now;
    if (this.#pending.size === 0) this.#stop();
    else this.#timer = setTimeout(() => this.#look(), GATHER_MS);
  }
}

/**
 * The processor's time that is spent on each address.
 *
 * @module
 */

/** Milliseconds a second that may be spent on all addresses before any of them has to wait. */
const TOTAL_MS = 400;
/** Milliseconds a second that every address may have, also where others take almost all. */
const FLOOR_MS = 10;
/** Milliseconds between two counts of how many addresses have more than that. */
const COUNT_MS = 100;
/** Milliseconds after which what was spent counts for 37 % (1/e). */
const DECAY_MS = 1_000;
/**
 * Milliseconds that an answer of the runtime may take before there is less to share, and under which
 * there is more again: a message waits for some five of them.
 */
const SLOW_MS = 20;
const FAST_MS = 8;
/**
 * By how much less, at most and at least, and how much more. Looks are as rare as answers are slow, so
 * that it is less by as much as they are slower.
 */
const LESS = [0.3, 0.8] as const;
const MORE = 1.05;
/**
 * How little there is at least: a process that has a fifth of a processor, in a container or on a busy
 * machine, has no more to share. And from how little it begins where nobody had to wait for long: at
 * first nothing tells how much there is.
 */
const LEAST = 0.2;
const FIRST = 0.5;
/** How often what an address has goes into what the busiest one has, for there to be no less for it. */
const LITTLE = 4;
/** Accounts from which on those of addresses that have long been quiet are deleted. */
const SWEEP_FROM = 1_000;
/** Milliseconds that count for nothing. */
const NOTHING_MS = 0.05;

/** The milliseconds that were spent, as of a time. */
interface Spent {
  ms: number;
  atMs: number;
}

/** The processor's time that was spent on one address. */
export interface ProcessorAccount {
  /**
   * Counts time.
   *
   * @param ms Milliseconds. Not measured where it is spent: that is longer the less of the processor
   * the process gets, and an address that is counted so would wait for what others do.
   */
  charge(ms: number): void;
  /**
   * Tells whether the address has its share, so that what it wants next has to wait.
   *
   * @returns True where it has.
   */
  isOver(): boolean;
}

/** How {@linkcode ProcessorShares} behave. */
export interface ProcessorSharesOptions {
  /** Milliseconds a second for all addresses. @default {400} */
  readonly totalMs?: number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/**
 * The shares of addresses in the processor's time. One thread serves everybody: an address that keeps it busy
 * keeps others waiting, whatever it is that takes the time. So the time is counted by address, and
 * who has used more than an even share waits until it is less: one address can have half of what
 * there is, two a third each, and every one a little, so that those who want little never wait. What
 * cannot be counted, such as the runtime's own work and a slow processor, shows in how long answers of
 * the runtime take: there is less to share while they are slow.
 *
 * @example
 * ```ts
 * import { ProcessorShares } from "./processor_shares.ts";
 *
 * const shares = new ProcessorShares({ totalMs: 400 });
 * shares.charge("192.0.2.1", 300);
 * console.log(shares.isOver("192.0.2.1"), shares.isOver("192.0.2.2")); // true false
 * ```
 */
export class ProcessorShares {
  readonly #totalMs: number;
  readonly #now: () => number;
  readonly #accounts = new Map<string, Spent>();
  #sweepAt = SWEEP_FROM;
  /** The part of the total that there is to share now. */
  #part = FIRST;
  /** Addresses that have more than the least, as counted last, and one more that may come. */
  #busy = 0;
  /** What the busiest of them has, as counted last. */
  #most = 0;
  #countedAt = -Infinity;

  /** @param options How much there is to share. */
  constructor({ totalMs = TOTAL_MS, now = () => performance.now() }: ProcessorSharesOptions = {}) {
    this.#totalMs = totalMs;
    this.#now = now;
  }

  /** Addresses for which something is kept. */
  get size(): number {
    return this.#accounts.size;
  }

  /**
   * Counts time for an address.
   *
   * @param address The address.
   * @param ms Milliseconds.
   */
  charge(address: string, ms: number): void {
    const now = this.#now();
    let account = this.#accounts.get(address);
    if (!account) {
      if (this.#accounts.size >= this.#sweepAt) this.#sweep(now);
      this.#accounts.set(address, account = { ms: 0, atMs: now });
    }
    decay(account, now);
    account.ms += ms;
  }

  /**
   * Tells whether an address has its share.
   *
   * @param address The address.
   * @returns True where what it wants next has to wait.
   */
  isOver(address: string): boolean {
    const account = this.#accounts.get(address);
    if (!account) return false;
    const now = this.#now();
    decay(account, now);
    if (account.ms <= FLOOR_MS) return false;
    const busy = this.#countBusy(now);
    // It is not this address that keeps the processor busy.
    const isLittle = account.ms * LITTLE < this.#most;
    const part = isLittle ? Math.max(FIRST, this.#part) : this.#part;
    // Even, and not what others have left: they may take more by force, such as refusals.
    return account.ms > part * this.#totalMs / busy;
  }

  #countBusy(now: number): number {
    if (now - this.#countedAt < COUNT_MS) return this.#busy;
    this.#countedAt = now;
    this.#busy = 1;
    this.#most = 0;
    for (const account of this.#accounts.values()) {
      decay(account, now);
      this.#most = Math.max(this.#most, account.ms);
      if (account.ms > FLOOR_MS) this.#busy++;
    }
    return this.#busy;
  }

  /**
   * Adapts what there is to share to how busy the processor is.
   *
   * @param delayMs Milliseconds that an answer of the runtime took that costs it no time.
   */
  adapt(delayMs: number): void {
    if (delayMs > SLOW_MS) {
      const [most, least] = LESS;
      const less = Math.min(least, Math.max(most, SLOW_MS / delayMs));
      this.#part = Math.max(LEAST, less * this.#part);
    } else if (delayMs < FAST_MS) this.#part = Math.min(1, MORE * this.#part);
  }

  /** Begins anew with little to share: nobody has had to wait for long. */
  calm(): void {
    this.#part = Math.min(this.#part, FIRST);
  }

  /**
   * The account of an address, of which nothing is kept but its name.
   *
   * @param address The address.
   * @returns The account.
   */
  open(address: string): ProcessorAccount {
    return {
      charge: (ms) => this.charge(address, ms),
      isOver: () => this.isOver(address),
    };
  }

  #sweep(now: number): void {
    for (const [address, account] of this.#accounts) {
      decay(account, now);
      if (account.ms < NOTHING_MS) this.#accounts.delete(address);
    }
    // Else a time of many addresses would sweep at every one of them.
    this.#sweepAt = Math.max(SWEEP_FROM, 2 * this.#accounts.size);
  }
}

function decay(spent: Spent, now: number): void {
  const passedMs = now - spent.atMs;
  if (passedMs <= 0) return;
  spent.ms *= Math.exp(-passedMs / DECAY_MS);
  spent.atMs = now;
}

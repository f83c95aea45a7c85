/**
 * The look at all connections once a second.
 *
 * @module
 */

import type { Metrics } from "../telemetry/metrics.ts";

/** Milliseconds between two looks. */
const TICK_MS = 1_000;
/** Bytes waiting for a member above which it has to go, and may resume. */
const HARD_LIMIT_BYTES = 1024 * 1024;
/** The same where members that do not read hold a lot already. */
const SHORT_LIMIT_BYTES = 64 * 1024;
/** Bytes that may wait for all members together; from half of it on, each may have less. */
const BUDGET_BYTES = 256 * 1024 * 1024;
/** Milliseconds after which a member that takes nothing of what waits for it has to go. */
const STALL_MS = 30_000;

/** A connection, as far as the supervisor knows it. */
export interface MonitoredConnection {
  /** Bytes that wait for the peer, also while the connection is being closed. */
  readonly waitingBytes: number;
  /** Milliseconds since the epoch at which it must end. */
  readonly expiresAt: number;
  /** Ends it, because it takes too little of what it is sent. */
  tooSlow(): void;
  /** Ends it, because its time is over. */
  expire(): void;
}

/** How {@linkcode ConnectionMonitor} behaves. */
export interface ConnectionMonitorOptions {
  /** What is counted. */
  readonly metrics: Metrics;
  /** Bytes that may wait for all members together. @default {268435456} */
  readonly budgetBytes?: number;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly clock?: () => number;
}

/** What is known of a connection from the last look. */
interface Watched {
  waitingBytes: number;
  sinceMs: number;
}

/**
 * Looks at all connections once a second, as long as there are any: ends those whose time is over
 * and those that take nothing, and keeps what waits for all of them within bounds. That matters
 * because a peer that does not read cannot be got rid of: Deno has no way to cut it, and holds
 * what waits for it until it goes by itself.
 *
 * @example
 * ```ts
 * import { Metrics } from "@hubbub/hub";
 * import { ConnectionMonitor } from "./connection_monitor.ts";
 *
 * const monitor = new ConnectionMonitor({ metrics: new Metrics() });
 * monitor.add({
 *   waitingBytes: 0,
 *   expiresAt: Date.now() + 60_000,
 *   tooSlow: () => console.log("It takes too little"),
 *   expire: () => console.log("Its time is over"),
 * });
 * monitor.stop();
 * ```
 */
export class ConnectionMonitor {
  readonly #options: ConnectionMonitorOptions;
  readonly #budgetBytes: number;
  readonly #clock: () => number;
  readonly #watched = new Map<MonitoredConnection, Watched>();
  #waitingBytes = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #tickedAt = 0;

  /**
   * Makes one.
   *
   * @param options What is counted.
   */
  constructor(options: ConnectionMonitorOptions) {
    this.#options = options;
    this.#budgetBytes = options.budgetBytes ?? BUDGET_BYTES;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** Bytes that wait for all members together, as of the last look. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Bytes that may wait for one member before it has to go. */
  get hardLimitBytes(): number {
    return 2 * this.#waitingBytes < this.#budgetBytes ? HARD_LIMIT_BYTES : SHORT_LIMIT_BYTES;
  }

  /** Whether so much waits for all members together that nobody else can be let in. */
  get isMemoryShort(): boolean {
    return this.#waitingBytes >= this.#budgetBytes;
  }

  /**
   * Looks at a connection from now on.
   *
   * @param connection The connection.
   */
  add(connection: MonitoredConnection): void {
    this.#watched.set(connection, { waitingBytes: 0, sinceMs: this.#clock() });
    if (this.#timer !== undefined) return;
    this.#tickedAt = this.#clock();
    this.#timer = setInterval(() => this.look(), TICK_MS);
  }

  /**
   * Looks at a connection no longer: it is gone for good.
   *
   * @param connection The connection.
   */
  delete(connection: MonitoredConnection): void {
    this.#watched.delete(connection);
    if (this.#watched.size > 0) return;
    this.stop();
    this.#waitingBytes = 0;
  }

  /** Stops looking, whoever is left. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Looks once; called by the timer. */
  look(): void {
    const now = this.#clock();
    const { metrics } = this.#options;
    metrics.loopDelay.observe(Math.max(0, now - this.#tickedAt - TICK_MS) / 1000);
    this.#tickedAt = now;
    const epochMs = this.#options.now?.() ?? Date.now();
    let sum = 0;
    for (const [connection, watched] of this.#watched) {
      if (connection.expiresAt <= epochMs) connection.expire();
      const { waitingBytes } = connection;
      sum += waitingBytes;
      if (waitingBytes === 0 || waitingBytes < watched.waitingBytes) watched.sinceMs = now;
      else if (now - watched.sinceMs > STALL_MS) connection.tooSlow();
      watched.waitingBytes = waitingBytes;
    }
    this.#waitingBytes = sum;
    if (sum < this.#budgetBytes) return;
    for (const connection of this.#watched.keys()) {
      if (connection.waitingBytes > SHORT_LIMIT_BYTES) connection.tooSlow();
    }
  }
}

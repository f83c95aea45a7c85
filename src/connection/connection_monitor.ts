/**
 * The supervision of all connections and answers under way.
 *
 * @module
 */

import type { Metrics } from "../telemetry/metrics.ts";
import { type ByteAccount, ByteBudget } from "./byte_budget.ts";

/** Milliseconds between two checks. */
const CHECK_MS = 1_000;
/** Bytes waiting for a member above which it has to go, and may resume. */
const HARD_LIMIT_BYTES = 1024 * 1024;
/** The same for a member at an address that has its share of the budget. */
const SHORT_LIMIT_BYTES = 64 * 1024;
/** Milliseconds after which a member that takes nothing of what waits for it has to go. */
const STALL_MS = 30_000;
/** Milliseconds after which a socket that has not opened gives its place back. */
const OPEN_MS = 10_000;
/** How many times as long as a measurement took it is taken for true: measuring costs 2 % at most. */
const FRESH_FACTOR = 50;

/** A connection or an answer, as far as the monitor knows it. */
export interface MonitoredConnection {
  /** Bytes that wait for the peer, also while the connection is being closed. */
  readonly waitingBytes: number;
  /** Milliseconds since the epoch at which it must end. */
  readonly expiresAt: number;
  /** Whose share of the budget its bytes count against. @default {undefined} its own */
  readonly address?: string;
  /** Whether the peer's end of it has yet to open. @default {false} */
  readonly isOpening?: boolean;
  /** Ends it, because it takes too little of what it is sent. */
  tooSlow(): void;
  /** Ends it, because its time is over. */
  expire(): void;
  /** Ends it, because it never opened. */
  neverOpened?(): void;
  /** Asks the peer to come back later, and ends the connection, because the server stops. */
  sendAway?(members: number): void;
}

/** How {@linkcode ConnectionMonitor} behaves. */
export interface ConnectionMonitorOptions {
  /** Records bytes that wait, and the lateness of timers. */
  readonly metrics: Metrics;
  /** Bytes that may wait for all members together. @default {67108864} */
  readonly budgetBytes?: number;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly clock?: () => number;
}

/** What was measured of a connection last. */
interface Watched {
  readonly account: ByteAccount;
  readonly addedAtMs: number;
  waitingBytes: number;
  sinceMs: number;
}

/**
 * Checks all connections once a second, as long as there are any: closes those that have expired,
 * those that take nothing, and those of an address that has its share of the budget and holds more
 * than a little of it. A peer that does not read cannot be got rid of: Deno has no way to cut it,
 * and holds what waits for it until it goes by itself.
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
  readonly #budget: ByteBudget;
  readonly #clock: () => number;
  readonly #watched = new Map<MonitoredConnection, Watched>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #checkedAt = 0;
  #freshUntil = 0;

  /**
   * Begins without connections.
   *
   * @param options The metrics, and how many bytes may wait.
   */
  constructor(options: ConnectionMonitorOptions) {
    this.#options = options;
    this.#budget = new ByteBudget({ totalBytes: options.budgetBytes });
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** Bytes that wait for all members together, as of the last measurement. */
  get waitingBytes(): number {
    return this.#budget.bytes;
  }

  /**
   * Returns the bytes that may wait for a connection before it has to go.
   *
   * @param connection The connection.
   * @returns 1 MiB, or 64 KiB where its address has its share of the budget.
   */
  hardLimitOf(connection: MonitoredConnection): number {
    return this.#watched.get(connection)?.account.isFull ? SHORT_LIMIT_BYTES : HARD_LIMIT_BYTES;
  }

  /**
   * Tells whether an address has its share of the budget, by bytes that were measured just now.
   *
   * @param address The address.
   * @returns True where nothing more may be kept for it.
   */
  isFull(address: string | undefined): boolean {
    if (this.#clock() >= this.#freshUntil) this.#measure();
    return this.#budget.isFull(address);
  }

  /**
   * Supervises a connection from now on.
   *
   * @param connection The connection.
   */
  add(connection: MonitoredConnection): void {
    const now = this.#clock();
    const account = this.#budget.open(connection.address);
    const { waitingBytes } = connection;
    account.add(waitingBytes);
    this.#watched.set(connection, { account, addedAtMs: now, sinceMs: now, waitingBytes });
    if (this.#timer !== undefined) return;
    this.#checkedAt = now;
    this.#timer = setInterval(() => this.check(), CHECK_MS);
  }

  /**
   * Ends the supervision of a connection: it is gone for good.
   *
   * @param connection The connection.
   */
  delete(connection: MonitoredConnection): void {
    const watched = this.#watched.get(connection);
    if (!watched) return;
    this.#watched.delete(connection);
    watched.account.add(-watched.waitingBytes);
    watched.account.close();
    if (this.#watched.size > 0) return;
    this.stop();
  }

  /** Sends away those that the hub did not: connections that are in no room. */
  sendAway(): void {
    const connections = [...this.#watched.keys()];
    for (const connection of connections) connection.sendAway?.(connections.length);
  }

  /** Stops checking, whatever is left. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Checks all connections once; called by the timer. */
  check(): void {
    const now = this.#clock();
    this.#options.metrics.observeLoopDelay(Math.max(0, now - this.#checkedAt - CHECK_MS) / 1000);
    this.#checkedAt = now;
    const epochMs = this.#options.now?.() ?? Date.now();
    this.#measure();
    for (const [connection, watched] of this.#watched) {
      if (connection.expiresAt <= epochMs) connection.expire();
      if (connection.isOpening) {
        if (now - watched.addedAtMs > OPEN_MS) connection.neverOpened?.();
      } else if (now - watched.sinceMs > STALL_MS) connection.tooSlow();
      else if (watched.waitingBytes > SHORT_LIMIT_BYTES && watched.account.isFull) {
        connection.tooSlow();
      }
    }
  }

  /** Counts what waits for everybody. */
  #measure(): void {
    const startedAt = this.#clock();
    for (const [connection, watched] of this.#watched) {
      const { waitingBytes } = connection;
      if (waitingBytes === 0 || waitingBytes < watched.waitingBytes) watched.sinceMs = startedAt;
      watched.account.add(waitingBytes - watched.waitingBytes);
      watched.waitingBytes = waitingBytes;
    }
    const now = this.#clock();
    this.#freshUntil = now + FRESH_FACTOR * (now - startedAt);
  }
}

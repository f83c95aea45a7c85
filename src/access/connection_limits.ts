/**
 * How many connections there may be, and of whom.
 *
 * @module
 */

import { isLoopback } from "./client_address.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { RateLimit } from "./rate_limit.ts";
import { HttpError, httpError, retryAfter } from "./http_error.ts";

/** How many connections there may be at the same time, in one isolate. 0 is no limit. */
export interface ConnectionLimitSettings {
  /** All of them. @default {20000} */
  readonly maxConnections: number;
  /**
   * Those of one IPv4 address or IPv6 network (/64). What comes from this machine itself is a proxy
   * or a test, and only limited where this is given.
   *
   * @default {2000}
   */
  readonly maxConnectionsPerAddress: number;
  /** Those in one room. @default {10000} */
  readonly maxConnectionsPerRoom: number;
  /** Those of one user. @default {100} */
  readonly maxConnectionsPerUser: number;
}

/** What holds where nothing else is said. */
export const DEFAULT_CONNECTION_LIMITS: ConnectionLimitSettings = {
  maxConnections: 20_000,
  maxConnectionsPerAddress: 2_000,
  maxConnectionsPerRoom: 10_000,
  maxConnectionsPerUser: 100,
};

/**
 * Seconds after which an address may have opened as many connections again as it may hold at once:
 * a whole office may come back after a restart, and nobody can open and close without end.
 */
const REFILL_SECONDS = 10;

/** A limit that an entry can meet. */
export type ConnectionLimit = "isolate" | "address" | "address_rate" | "room" | "user" | "memory";

/** How {@linkcode ConnectionLimits} behaves. */
export interface ConnectionLimitsOptions {
  /** How many connections there may be; what is left out is as in {@linkcode DEFAULT_CONNECTION_LIMITS}. */
  readonly limits: Partial<ConnectionLimitSettings>;
  /** What is counted. */
  readonly metrics: Metrics;
  /** Whether so much waits for members that do not read that nobody else can be let in. */
  readonly isMemoryShort?: () => boolean;
}

/** One connection's claim on the limits, until it ends. */
export interface ConnectionSlot {
  /**
   * Claims a connection of a user in a room.
   *
   * @param room The room.
   * @param user The user, if it has a name.
   * @throws {HttpError} Where either has too many.
   */
  take(room: string, user: string | undefined): void;
  /** Gives everything back. A second call does nothing. */
  leave(): void;
}

/**
 * Counts connections from the moment they knock, which is before anybody is asked who they are, so
 * that those that wait to be let in are bounded too.
 *
 * @example
 * ```ts
 * import { Metrics } from "@hubbub/hub";
 * import { ConnectionLimits } from "./connection_limits.ts";
 *
 * const admission = new ConnectionLimits({ limits: { maxConnections: 1 }, metrics: new Metrics() });
 * const place = admission.knock("192.0.2.1");
 * place.take("lobby", "ann");
 * place.leave();
 * ```
 */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #limits: ConnectionLimitSettings;
  readonly #addresses = new Map<string, number>();
  readonly #rooms = new Map<string, number>();
  readonly #users = new Map<string, number>();
  readonly #knocks: RateLimit | undefined;
  readonly #sparesLoopback: boolean;

  /**
   * Makes one.
   *
   * @param options How many there may be.
   */
  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
    const { limits } = options;
    const limit = (name: keyof ConnectionLimitSettings) =>
      limits[name] ?? DEFAULT_CONNECTION_LIMITS[name];
    this.#limits = {
      maxConnections: limit("maxConnections"),
      maxConnectionsPerAddress: limit("maxConnectionsPerAddress"),
      maxConnectionsPerRoom: limit("maxConnectionsPerRoom"),
      maxConnectionsPerUser: limit("maxConnectionsPerUser"),
    };
    this.#sparesLoopback = limits.maxConnectionsPerAddress === undefined;
    const burst = this.#limits.maxConnectionsPerAddress;
    if (burst > 0) this.#knocks = new RateLimit({ burst, perSecond: burst / REFILL_SECONDS });
  }

  /**
   * Claims a connection from an address.
   *
   * @param address Where it comes from, if that is known.
   * @returns The claim; whoever gets it must give it back.
   * @throws {HttpError} Where there are too many.
   */
  knock(address: string | undefined): ConnectionSlot {
    const { metrics, isMemoryShort } = this.#options;
    if (isFull(metrics.connections, this.#limits.maxConnections)) throw this.#full("isolate");
    if (isMemoryShort?.()) throw this.#full("memory");
    if (address !== undefined) this.#checkAddress(address);
    metrics.connections++;
    count(this.#addresses, address, 1);
    return this.#place(address);
  }

  #place(address: string | undefined): ConnectionSlot {
    const { metrics } = this.#options;
    const limits = this.#limits;
    let [room, user]: (string | undefined)[] = [];
    let hasLeft = false;
    return {
      take: (inRoom, asUser) => {
        if (isFull(this.#rooms.get(inRoom), limits.maxConnectionsPerRoom)) {
          throw this.#tooMany("room", "The room is full");
        }
        if (isFull(this.#users.get(asUser ?? ""), limits.maxConnectionsPerUser)) {
          throw this.#tooMany("user", "This user has too many connections");
        }
        [room, user] = [inRoom, asUser];
        count(this.#rooms, room, 1);
        count(this.#users, user, 1);
      },
      leave: () => {
        if (hasLeft) return;
        hasLeft = true;
        metrics.connections--;
        count(this.#addresses, address, -1);
        count(this.#rooms, room, -1);
        count(this.#users, user, -1);
      },
    };
  }

  #checkAddress(address: string): void {
    if (this.#sparesLoopback && isLoopback(address)) return;
    const { maxConnectionsPerAddress } = this.#limits;
    if (isFull(this.#addresses.get(address), maxConnectionsPerAddress)) {
      throw this.#tooMany("address", "Too many connections come from this address");
    }
    const waitMs = this.#knocks?.take(address) ?? 0;
    if (waitMs === 0) return;
    this.#options.metrics.count("connectionsRefused", "address_rate");
    const message = "This address opens connections too fast";
    throw new HttpError({ code: "rate_limited", message }, retryAfter(waitMs));
  }

  #tooMany(limit: ConnectionLimit, message: string): HttpError {
    this.#options.metrics.count("connectionsRefused", limit);
    return httpError("too_many_connections", message, retryAfter());
  }

  #full(limit: ConnectionLimit): HttpError {
    this.#options.metrics.count("connectionsRefused", limit);
    return httpError("unavailable", "The server is full", retryAfter());
  }
}

function isFull(taken: number | undefined, limit: number): boolean {
  return limit > 0 && (taken ?? 0) >= limit;
}

function count(counts: Map<string, number>, name: string | undefined, change: 1 | -1): void {
  if (name === undefined) return;
  const sum = (counts.get(name) ?? 0) + change;
  if (sum > 0) counts.set(name, sum);
  else counts.delete(name);
}

/**
 * Limits on how many connections and requests there may be, and of whom.
 *
 * @module
 */

import { AddressRooms } from "./address_rooms.ts";
import { isLoopback } from "./client_address.ts";
import { checkInteger, checkNumber } from "../protocol/checks.ts";
import { type HttpError, httpError, retryAfter } from "./http_error.ts";
import {
  type ConnectionLimitSettings,
  DEFAULT_CONNECTION_LIMITS,
} from "./connection_limit_settings.ts";
import { RateLimit } from "./rate_limit.ts";
import type { ConnectionSlot } from "./connection_slot.ts";
import { createSlot, type RequestSlot } from "./request_slot.ts";

/**
 * Seconds after which an address may have opened as many connections again as it may hold at once:
 * a whole office may come back after a restart, and nobody can open and close without end.
 */
const REFILL_SECONDS = 10;

/**
 * Requests of an address that wait for their turn or an answer, however many connections it may have:
 * each may have 64 kB of headers, which the runtime keeps until it is answered.
 */
const REQUESTS_MAX_PER_ADDRESS = 500;

/** The name of a limit that a connection or a request can reach. */
export type ConnectionLimit =
  | "isolate"
  | "memory"
  | "address"
  | "address_rate"
  | "room"
  | "address_rooms"
  | "user"
  | "requests"
  | "address_requests"
  | "address_request_rate";

/** The options of {@linkcode ConnectionLimits}. */
export interface ConnectionLimitsOptions {
  /** The limits; what is left out is as in {@linkcode DEFAULT_CONNECTION_LIMITS}. */
  readonly limits: Partial<ConnectionLimitSettings>;
  /** Called with each limit that refuses something. Must not throw. */
  readonly onReached?: (limit: ConnectionLimit, address: string | undefined) => void;
  /** Whether so much waits for somebody who does not read it that nothing more can be kept. */
  readonly isMemoryShort?: (share: string | undefined) => boolean;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/**
 * Counts connections and requests, and refuses those over a limit. A connection counts from before
 * its user is known, so that those that wait for authorization are bounded too.
 *
 * @example
 * ```ts
 * import { ConnectionLimits } from "./connection_limits.ts";
 *
 * const limits = new ConnectionLimits({ limits: { maxConnections: 1 } });
 * const slot = limits.acquire("192.0.2.1");
 * slot.claim("lobby", "ann");
 * console.log(limits.connections); // 1
 * slot.release();
 * ```
 */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #settings: ConnectionLimitSettings;
  readonly #connectionsByAddress = new Map<string, number>();
  readonly #requestsByAddress = new Map<string, number>();
  readonly #rooms = new Map<string, number>();
  readonly #addressRooms: AddressRooms;
  readonly #owners = new Map<string, number>();
  readonly #connectionRate: RateLimit | undefined;
  readonly #requestRate: RateLimit | undefined;
  readonly #sparesLoopback: boolean;
  #connections = 0;
  #closing = 0;
  #requests = 0;

  /**
   * Creates the limits.
   *
   * @param options The limits.
   * @throws {RangeError} If one of them is not a whole number.
   */
  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
    const { limits, now } = options;
    const settings = { ...DEFAULT_CONNECTION_LIMITS };
    for (const name of Object.keys(settings) as (keyof ConnectionLimitSettings)[]) {
      const value = limits[name];
      if (name === "requestsPerSecondPerAddress") checkNumber(name, value);
      else checkInteger(name, value);
      settings[name] = value ?? settings[name];
    }
    this.#settings = settings;
    const { maxConnectionsPerAddress: burst, requestsPerSecondPerAddress: perSecond } = settings;
    this.#sparesLoopback = limits.maxConnectionsPerAddress === undefined &&
      limits.maxRoomsPerAddress === undefined && limits.requestsPerSecondPerAddress === undefined;
    this.#addressRooms = new AddressRooms(settings.maxRoomsPerAddress);
    if (burst > 0) {
      this.#connectionRate = new RateLimit({ burst, perSecond: burst / REFILL_SECONDS, now });
    }
    if (perSecond > 0) {
      const burst = Math.max(1, REFILL_SECONDS * perSecond);
      this.#requestRate = new RateLimit({ burst, perSecond, now });
    }
  }

  /** Connections now, those included that are being authorized or closed. */
  get connections(): number {
    return this.#connections;
  }

  /** Connections now that were closed and whose peer has not gone yet. */
  get closingConnections(): number {
    return this.#closing;
  }

  /** Rooms that one connection may be in at once; 0 is no limit. */
  get roomsMax(): number {
    return this.#settings.maxRoomsPerConnection;
  }

  /** Requests now. */
  get requests(): number {
    return this.#requests;
  }

  /**
   * Whether limits by address do not hold for an address: it is this machine's own, or unknown.
   *
   * @param address The address or network.
   * @returns True where they do not.
   */
  isSpared(address: string | undefined): address is undefined {
    return address === undefined || (this.#sparesLoopback && isLoopback(address));
  }

  /**
   * Acquires a place for a request, until it is answered.
   *
   * @param address The address or network it comes from, if that is known.
   * @param share Whose share of the memory for what is not read yet it would use.
   * @returns The place, to be released once.
   * @throws {HttpError} If there are too many, or too much waits there already.
   */
  acquireRequest(address: string | undefined, share: string | undefined = address): RequestSlot {
    const { maxConnections, maxConnectionsPerAddress } = this.#settings;
    if (this.#options.isMemoryShort?.(share)) {
      const message = "Too much that was sent to this address has not been read yet";
      throw this.#tooMany("memory", address, message);
    }
    if (!this.isSpared(address)) {
      const max = Math.min(maxConnectionsPerAddress, REQUESTS_MAX_PER_ADDRESS);
      if (isFull(this.#requestsByAddress.get(address), max)) {
        const message = "This address has too many requests waiting for an answer";
        throw this.#tooMany("address_requests", address, message);
      }
      const waitMs = this.#requestRate?.take(address) ?? 0;
      const message = "This address sends requests too fast";
      if (waitMs > 0) throw this.#tooFast("address_request_rate", address, message, waitMs);
    }
    if (isFull(this.#requests, maxConnections)) throw this.#full("requests", address);
    this.#requests++;
    count(this.#requestsByAddress, address, 1);
    return createSlot(() => {
      this.#requests--;
      count(this.#requestsByAddress, address, -1);
    });
  }

  /**
   * Acquires a place for a connection, until it ends.
   *
   * @param address The address or network it comes from, if that is known.
   * @returns The place, to be released once.
   * @throws {HttpError} If there are too many.
   */
  acquire(address: string | undefined): ConnectionSlot {
    const { maxConnections } = this.#settings;
    if (isFull(this.#connections, maxConnections)) throw this.#full("isolate", address);
    if (!this.isSpared(address)) this.#checkConnections(address);
    this.#connections++;
    count(this.#connectionsByAddress, address, 1);
    return this.#connectionSlot(address);
  }

  #connectionSlot(address: string | undefined): ConnectionSlot {
    const { maxConnectionsPerRoom, maxConnectionsPerUser } = this.#settings;
    let owner: string | undefined;
    const rooms = new Set<string>();
    let isClosing = false;
    const slot = createSlot(() => {
      this.#connections--;
      if (isClosing) this.#closing--;
      count(this.#connectionsByAddress, address, -1);
      for (const room of rooms) uncount(room);
      count(this.#owners, owner, -1);
    });
    const uncount = (room: string) => {
      count(this.#rooms, room, -1);
      this.#addressRooms.exit(address, room);
    };
    const checkRoom = (room: string) => {
      if (isFull(this.#rooms.get(room), maxConnectionsPerRoom)) {
        throw this.#tooMany("room", address, "The room is full");
      }
      if (!this.isSpared(address) && this.#addressRooms.isFull(address, room)) {
        throw this.#tooMany("address_rooms", address, "This address is in too many rooms");
      }
    };
    const enter = (room: string) => {
      if (rooms.has(room) || slot.isReleased) return;
      rooms.add(room);
      count(this.#rooms, room, 1);
      this.#addressRooms.enter(address, room);
    };
    return {
      release: slot.release,
      [Symbol.dispose]: slot.release,
      enter: (room) => {
        checkRoom(room);
        enter(room);
      },
      exit: (room) => {
        if (!slot.isReleased && rooms.delete(room)) uncount(room);
      },
      claim: (room, ofOwner) => {
        if (room !== undefined) checkRoom(room);
        if (ofOwner !== undefined && isFull(this.#owners.get(ofOwner), maxConnectionsPerUser)) {
          throw this.#tooMany("user", address, "This user has too many connections");
        }
        owner = ofOwner;
        if (room !== undefined) enter(room);
        count(this.#owners, owner, 1);
      },
      markClosing: () => {
        if (isClosing || slot.isReleased) return;
        isClosing = true;
        this.#closing++;
      },
    };
  }

  #checkConnections(address: string): void {
    const { maxConnectionsPerAddress } = this.#settings;
    if (isFull(this.#connectionsByAddress.get(address), maxConnectionsPerAddress)) {
      const message = "Too many connections come from this address";
      throw this.#tooMany("address", address, message);
    }
    const waitMs = this.#connectionRate?.take(address) ?? 0;
    const message = "This address opens connections too fast";
    if (waitMs > 0) throw this.#tooFast("address_rate", address, message, waitMs);
  }

  #tooMany(limit: ConnectionLimit, address: string | undefined, message: string): HttpError {
    this.#options.onReached?.(limit, address);
    return httpError("too_many_connections", message, retryAfter());
  }

  #tooFast(limit: ConnectionLimit, address: string, message: string, waitMs: number): HttpError {
    this.#options.onReached?.(limit, address);
    return httpError("rate_limited", message, retryAfter(waitMs));
  }

  #full(limit: ConnectionLimit, address: string | undefined): HttpError {
    this.#options.onReached?.(limit, address);
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

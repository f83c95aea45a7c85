/**
 * Settings of the limits on connections and requests.
 *
 * @module
 */

import { ROOMS_MAX_DEFAULT } from "../protocol/mod.ts";

/** Limits on connections and requests, in one isolate. 0 is no limit. */
export interface ConnectionLimitSettings {
  /** Connections at the same time, and requests at the same time. @default {20000} */
  readonly maxConnections: number;
  /**
   * Connections of one IPv4 address or IPv6 network (/64) at the same time, and as many requests,
   * but no more than 500.
   * This machine's own addresses are those of proxies and tests, and only limited where this or
   * `requestsPerSecondPerAddress` is given.
   *
   * @default {2000}
   */
  readonly maxConnectionsPerAddress: number;
  /** Connections in one room at the same time. @default {10000} */
  readonly maxConnectionsPerRoom: number;
  /** Connections of one user at the same time; in an open hub, of one name at one address. @default {100} */
  readonly maxConnectionsPerUser: number;
  /** Rooms that one connection of protocol 2 may be in at the same time. @default {200} */
  readonly maxRoomsPerConnection: number;
  /**
   * Rooms that the connections of one address or network may be in at the same time. They are in a
   * room together 25 times as often at most.
   *
   * @default {2000}
   */
  readonly maxRoomsPerAddress: number;
  /** Requests a second of one address or network, in the long run; ten times as many at once. @default {200} */
  readonly requestsPerSecondPerAddress: number;
}

/** The limits that hold where no others are given. */
export const DEFAULT_CONNECTION_LIMITS: ConnectionLimitSettings = {
  maxConnections: 20_000,
  maxConnectionsPerAddress: 2_000,
  maxConnectionsPerRoom: 10_000,
  maxConnectionsPerUser: 100,
  maxRoomsPerConnection: ROOMS_MAX_DEFAULT,
  maxRoomsPerAddress: 2_000,
  requestsPerSecondPerAddress: 200,
};

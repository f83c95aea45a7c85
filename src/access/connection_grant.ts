/**
 * The right to a connection.
 *
 * @module
 */

import type { Authorization, AuthorizationDenied } from "./authorization.ts";

/** A connection that was authorized, and its place within the limits. */
export interface ConnectionGrant<User extends string | undefined = string> {
  /** The user; undefined for a reader without a name. */
  readonly user: User;
  /** Milliseconds since the epoch until which it holds. */
  readonly expiresAt?: number;
  /** Authorizes a fresh token for this connection; undefined in an open hub. */
  readonly renew?: (token: string) => Promise<Authorization | AuthorizationDenied>;
  /** Takes one message from the rates of the user and, in an open hub, of the address. */
  readonly takeMessage: () => number;
  /** Counts the connection among those that were closed and whose peer has not gone yet. */
  readonly markClosing: () => void;
  /** Releases the place. Must be called when the connection ends; a second call does nothing. */
  readonly release: () => void;
}

/** The right to a connection that may be in several rooms. */
export interface RoomsGrant extends ConnectionGrant {
  /** Rooms that the connection may be in at once; 0 is no limit. */
  readonly roomsMax: number;
  /**
   * Counts the connection for a room.
   *
   * @param room The room.
   * @throws {HttpError} If the room is not open to the user, or has too many connections.
   */
  enterRoom(room: string): void;
  /**
   * Counts the connection for a room no longer.
   *
   * @param room The room.
   */
  leaveRoom(room: string): void;
  /**
   * Whether a room is open to the user.
   *
   * @param room The room.
   * @returns True if it is, by the newest token.
   */
  mayEnter(room: string): boolean;
  /**
   * Replaces the authorization by that of a fresh token.
   *
   * @param authorization The new one, of the same user.
   */
  renewed(authorization: Authorization): void;
}

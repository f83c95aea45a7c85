/**
 * The right to a connection.
 *
 * @module
 */

import type { Authorization, AuthorizationDenied } from "./authorization.ts";
import type { Renewal } from "./authorizer.ts";
import type { ConnectionSlot } from "./connection_slot.ts";
import type { Role, RoomRole } from "../protocol/mod.ts";
import type { SharedRates } from "./shared_rates.ts";

/** A connection that was authorized, and its place within the limits. */
export interface ConnectionGrant<User extends string | undefined = string> {
  /** The user; undefined for a reader without a name. */
  readonly user: User;
  /** A name to show beside the user, if there is one. */
  readonly name?: string;
  /** Milliseconds since the epoch until which it holds. */
  readonly expiresAt?: number;
  /** Authorizes a fresh token for this connection; undefined in an open hub. */
  readonly renew?: (token: string) => Promise<Renewal | AuthorizationDenied>;
  /** Authorizes the connection's session once more; undefined where it came without a cookie. */
  readonly renewSession?: () => Promise<Renewal | AuthorizationDenied>;
  /** The rates that it shares with others of its user and its address. */
  readonly rates: SharedRates;
  /** Counts the connection among those that were closed and whose peer has not gone yet. */
  readonly markClosing: () => void;
  /** Releases the place. Must be called when the connection ends; a second call does nothing. */
  readonly release: () => void;
}

/** A connection's authorization, and what its way in has found out. */
export interface AcquiredGrant<User extends string | undefined> {
  /** The authorization, and the place within the limits. */
  readonly grant: ConnectionGrant<User>;
  /** The role in the room. */
  readonly role: Role;
  /** The place. */
  readonly slot: ConnectionSlot;
}

/** The right to a connection that may be in several rooms. */
export interface RoomsGrant extends ConnectionGrant {
  /** Rooms that the connection may be in at once; 0 is no limit. */
  readonly roomsMax: number;
  /**
   * Counts the connection for a room.
   *
   * @param room The room.
   * @throws {HttpError} If the room has too many connections.
   */
  enterRoom(room: string): void;
  /**
   * Counts the connection for a room no longer.
   *
   * @param room The room.
   */
  leaveRoom(room: string): void;
  /**
   * The role of the user in a room, by the newest token.
   *
   * @param room The room.
   * @returns The role, or a promise of it; `none` shuts the room.
   * @throws {HttpError} If it cannot be decided now; a promise rejects with it.
   */
  roleIn(room: string): RoomRole | Promise<RoomRole>;
  /**
   * Replaces the authorization by that of a fresh token.
   *
   * @param authorization The new one, of the same user.
   */
  renewed(authorization: Authorization): void;
}

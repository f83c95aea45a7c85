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

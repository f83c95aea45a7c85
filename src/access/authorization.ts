/**
 * What a user may do, and who decides it.
 *
 * @module
 */

import { HttpError, httpError } from "./http_error.ts";
import { decodeUser } from "../protocol/mod.ts";

/** A user, and what that user may do. */
export interface Authorization {
  /** The user's name, as everybody sees it. */
  readonly user: string;
  /** Milliseconds since the epoch at which the connection ends. @default {undefined} never */
  readonly expiresAt?: number;
  /**
   * Whether a room is open to this user. Without it, every room is.
   *
   * @param room The room's name.
   * @returns True if it is.
   */
  readonly mayEnter?: (room: string) => boolean;
}

/** The answer to a request without a valid authorization. */
export interface AuthorizationDenied {
  /** Why, in a sentence for the client. */
  readonly denied: string;
}

/**
 * Authorizes a request to a room, before anything else is done with it. If it throws or rejects,
 * nothing is decided: the client is told to try again later, and the error is logged.
 *
 * It is also called when a connection sends a fresh token: with a request for the same address that
 * has that token, and nothing else, in its `Authorization` header.
 *
 * @example
 * ```ts
 * import { type Authorize, createServer, Hub, KvRoomLog } from "@hubbub/hub";
 *
 * const sessions = new Map([["s1", "ann"]]);
 * const authorize: Authorize = (request) => {
 *   const session = /session=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1];
 *   const user = sessions.get(session ?? "");
 *   if (user === undefined) return { denied: "Please log in" };
 *   return { user, mayEnter: (room) => room !== "staff" };
 * };
 *
 * using kv = await Deno.openKv(":memory:");
 * await using server = createServer(new Hub(new KvRoomLog(kv)), { authorize });
 * const headers = { cookie: "session=s1" };
 * const response = await server.fetch(new Request("http://localhost/rooms/staff", { headers }));
 * console.log(response.status); // 403
 * await response.body?.cancel();
 * ```
 */
export type Authorize = (
  request: Request,
) => Authorization | AuthorizationDenied | Promise<Authorization | AuthorizationDenied>;

/**
 * The name of a user: the authorization's, or in an open hub the one that the client gives.
 *
 * @param authorization The authorization; undefined in an open hub.
 * @param name What the client calls itself.
 * @returns The user.
 * @throws {HttpError} If that is no name.
 */
export function nameOf(authorization: Authorization | undefined, name: unknown): string {
  if (authorization) return authorization.user;
  if (typeof name !== "string") throw httpError("bad_user", '"user" is missing');
  const decoded = decodeUser(name);
  if (!decoded.ok) throw new HttpError(decoded.error);
  return decoded.user;
}

/**
 * What a user may do, and who decides it.
 *
 * @module
 */

import { HttpError, httpError } from "./http_error.ts";
import { decodeUser, type RoomRole } from "../protocol/mod.ts";

/** A user, and what that user may do. */
export interface Authorization {
  /** The user: a name that stays the same, and that nobody else has. */
  readonly user: string;
  /**
   * A name to show beside it, such as a first and last name; need not be unique. One that
   * `decodeUser` of the protocol refuses is left out.
   *
   * @default {undefined} the user is shown alone
   */
  readonly name?: string;
  /**
   * Milliseconds since the epoch at which the connection ends. One that came with a cookie is judged
   * once more then, and stays where that gives the same user and a later time.
   *
   * @default {undefined} never
   */
  readonly expiresAt?: number;
  /**
   * The user's role in a room. It may be asynchronous; where it throws, rejects or takes longer than
   * `authorizeTimeoutMs`, nothing is decided, and the client is told to try again later. Asked at each join and each request, and for every room
   * of a connection after a fresh token.
   *
   * @param room The room's name.
   * @returns `reader` receives, `member` sends too, `moderator` may also change what others sent and
   * put people out; `none` shuts the room.
   * @default {undefined} a member of every room
   */
  readonly roleIn?: (room: string) => RoomRole | Promise<RoomRole>;
}

/** The answer to a request without a valid authorization. */
export interface AuthorizationDenied {
  /** Why, in a sentence for the client. */
  readonly denied: string;
}

/** What a request is authorized for. */
export interface AuthorizeTarget {
  /** The room; missing for a connection of protocol 2, which asks for rooms later. */
  readonly room?: string;
  /** Aborted when the answer comes too late to count: for `fetch`. */
  readonly signal: AbortSignal;
}

/**
 * Authorizes a request, before anything else is done with it. If it throws or rejects, gives back
 * no answer, or none within the server's `authorizeTimeoutMs`, nothing is decided: the client is told
 * to try again later (`unavailable`), and that is counted and logged.
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
 *   return { user, roleIn: (room) => room === "staff" ? "none" : "member" };
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
  target: AuthorizeTarget,
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

/**
 * The display name of an authorization, in the form in which rooms show it.
 *
 * @param authorization The authorization; undefined in an open hub.
 * @returns The name; undefined where there is none, one that cannot be shown, or the user's own.
 *
 * @example
 * ```ts
 * import { displayNameOf } from "./authorization.ts";
 *
 * console.log(displayNameOf({ user: "u1", name: " Ann  Lee " })); // Ann Lee
 * ```
 */
export function displayNameOf(authorization: Authorization | undefined): string | undefined {
  const { user, name } = authorization ?? {};
  if (typeof name !== "string") return undefined;
  const decoded = decodeUser(name);
  return decoded.ok && decoded.user !== user ? decoded.user : undefined;
}

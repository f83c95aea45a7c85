/**
 * Calls of the hook that authorizes requests.
 *
 * @module
 */

import { displayNameOf, nameOf } from "./authorization.ts";
import type { Authorization, AuthorizationDenied, Authorize } from "./authorization.ts";
import { AuthorizeDeadline } from "./authorize_deadline.ts";
import { HttpError, httpError, retryAfter } from "./http_error.ts";
import { decodeUser, type Role, type RoomRole } from "../protocol/mod.ts";
import { checkCallable, checkInteger, TIMER_MAX_MS } from "../protocol/checks.ts";
import { isThenable } from "../telemetry/guard.ts";
import { readHeader } from "./request_header.ts";
import { bearerOf } from "./request_token.ts";
import { isRoomRole } from "./room_roles.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** The options of {@linkcode Authorizer}. */
export interface AuthorizerOptions {
  /** Authorizes requests. Without it the hub is open: everybody is a member of every room. */
  readonly authorize?: Authorize;
  /** Milliseconds that an answer of it, or of a `roleIn`, may take. @default {10000} */
  readonly authorizeTimeoutMs?: number;
  /** The counters. */
  readonly metrics: Pick<Metrics, "authorizeFailures" | "authorizeTimeouts">;
  /** Receives failures of the hook. */
  readonly logger: Logger;
}

/** The right to a room. */
export interface RoomAccess {
  /** The authorization; undefined in an open hub. */
  readonly authorization: Authorization | undefined;
  /** The role in the room. */
  readonly role: Role;
  /** Whether it is an operator, who may post as any user. @default {false} */
  readonly isOperator?: boolean;
}

/** A user, and what the user may do. */
export interface UserAccess {
  /** The user. */
  readonly user: string;
  /** A name to show beside the user, if there is one. */
  readonly name?: string;
  /** The role in a room, or a promise of it, which rejects where it cannot be decided now. */
  readonly roleIn: (room: string) => RoomRole | Promise<RoomRole>;
}

/** The right of an operator to any room. */
export const OPERATOR_ACCESS: RoomAccess = {
  authorization: undefined,
  role: "moderator",
  isOperator: true,
};

/** What a fresh token allows on the connection that it was sent on. */
export interface Renewal extends Authorization {
  /** The role in the connection's room; undefined where it has several rooms. */
  readonly role?: RoomRole;
}

/**
 * Asks an application's hook who a user is and what the user may do, and takes no answer for a yes
 * that is none: what throws, rejects or gives back something else has not decided.
 *
 * @example
 * ```ts
 * import { Metrics } from "@hubbub/hub";
 * import { Authorizer } from "./authorizer.ts";
 *
 * const authorizer = new Authorizer({
 *   authorize: () => ({ user: "ann", roleIn: () => "moderator" }),
 *   metrics: new Metrics(),
 *   logger: console.log,
 * });
 * const { role } = await authorizer.enter(new Request("http://localhost/rooms/lobby"), "lobby");
 * console.log(role); // moderator
 * ```
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #deadline: AuthorizeDeadline;

  /**
   * Creates what asks the hook.
   *
   * @param options The hook, and what is told of its failures.
   * @throws {TypeError | RangeError} If it is no function, or its time out of range.
   */
  constructor(options: AuthorizerOptions) {
    this.#options = options;
    const { authorize, authorizeTimeoutMs: timeoutMs, logger, metrics } = options;
    checkCallable("authorize", authorize);
    checkInteger("authorizeTimeoutMs", timeoutMs, { min: 1, max: TIMER_MAX_MS });
    this.#deadline = new AuthorizeDeadline({ timeoutMs, logger, metrics });
  }

  /** Whether everybody may do everything, under any name. */
  get isOpen(): boolean {
    return this.#options.authorize === undefined;
  }

  /** Waits for no answer any more: the server has stopped. */
  stop(): void {
    this.#deadline.stop();
  }

  /**
   * Authorizes a request.
   *
   * @param request The request, before any upgrade.
   * @param room The room; undefined where none is entered yet.
   * @returns Who the user is; undefined in an open hub.
   * @throws {HttpError} If the request is not authorized, or that cannot be decided now.
   */
  async authorize(request: Request, room?: string): Promise<Authorization | undefined> {
    if (this.isOpen) return undefined;
    let judged: Authorization | AuthorizationDenied;
    try {
      judged = await this.#judge(request, room);
    } catch (error) {
      throw this.#failed("Who you are cannot be verified now", { room, error });
    }
    if (!("denied" in judged)) return judged;
    throw httpError("unauthorized", judged.denied, { "www-authenticate": "Bearer" });
  }

  /**
   * Authorizes a request to a room.
   *
   * @param request The request, before any upgrade.
   * @param room The room.
   * @returns Who the user is, and the role there.
   * @throws {HttpError} If the room is not open to the user, or that cannot be decided now.
   */
  async enter(request: Request, room: string): Promise<RoomAccess> {
    const authorization = await this.authorize(request, room);
    const role = await this.roleIn(authorization, room);
    if (role !== "none") return { authorization, role };
    throw forbidden(authorization?.user);
  }

  /**
   * Authorizes a request of a user about what is the user's own.
   *
   * @param request The request.
   * @returns Who the user is, and what the user may do in each room.
   * @throws {HttpError} If the request is not authorized, and in an open hub, where nobody is known.
   */
  async identify(request: Request): Promise<UserAccess> {
    const authorization = await this.authorize(request);
    if (!authorization) throw httpError("not_found", "In an open hub nobody is known");
    const user = nameOf(authorization, undefined);
    const name = displayNameOf(authorization);
    return { user, name, roleIn: (room) => this.roleIn(authorization, room) };
  }

  /**
   * The role of a user in a room.
   *
   * @param authorization Who the user is; undefined in an open hub.
   * @param room The room.
   * @returns The role, at once where the hook gives it at once.
   * @throws {HttpError} If it cannot be decided now; the promise rejects with it.
   */
  roleIn(
    authorization: Authorization | undefined,
    room: string,
  ): RoomRole | Promise<RoomRole> {
    if (!authorization?.roleIn) return "member";
    const { roleIn } = authorization;
    const fail = (error: unknown) =>
      this.#failed("Whether the room is open to you cannot be told now", { room, error });
    const check = (role: unknown) => {
      if (isRoomRole(role)) return role;
      throw fail(new TypeError("roleIn() must return none, reader, member or moderator"));
    };
    let role: unknown;
    try {
      role = this.#deadline.run(room, () => roleIn.call(authorization, room));
    } catch (error) {
      throw fail(error);
    }
    if (!isThenable(role)) return check(role);
    return Promise.resolve(role).then(check, (error) => {
      throw fail(error);
    });
  }

  /**
   * Makes what authorizes fresh tokens for a connection.
   *
   * @param address The address of its request.
   * @param room The room; undefined for a connection with several.
   * @returns A function that rejects where the hook fails; undefined in an open hub.
   */
  renewer(
    address: string,
    room?: string,
  ): ((token: string) => Promise<Renewal | AuthorizationDenied>) | undefined {
    const { authorize } = this.#options;
    if (!authorize) return undefined;
    const url = new URL(address);
    // The old token may stand there.
    url.search = "";
    return (token) => {
      const headers = { authorization: bearerOf(token) };
      return this.#judgeAgain(new Request(url, { headers }), room);
    };
  }

  /**
   * Makes what authorizes a connection again by its session: by the cookie that it came with, which
   * may be good for longer by now.
   *
   * @param request Its request.
   * @param room The room; undefined for a connection with several.
   * @returns A function that rejects where the hook fails; undefined without a cookie.
   */
  sessionRenewer(
    { headers, url }: Request,
    room?: string,
  ): (() => Promise<Renewal | AuthorizationDenied>) | undefined {
    const { authorize } = this.#options;
    const cookie = readHeader(headers, "cookie");
    if (!authorize || !cookie) return undefined;
    return () => this.#judgeAgain(new Request(url, { headers: { cookie } }), room);
  }

  async #judgeAgain(
    request: Request,
    room: string | undefined,
  ): Promise<Renewal | AuthorizationDenied> {
    const judged = await this.#judge(request, room);
    if ("denied" in judged || room === undefined) return judged;
    return { ...judged, role: await this.roleIn(judged, room) };
  }

  /** Asks the hook, in time, and checks that what it gives is an answer. */
  async #judge(
    request: Request,
    room: string | undefined,
  ): Promise<Authorization | AuthorizationDenied> {
    const authorize = this.#options.authorize!;
    const judged: unknown = await this.#deadline.run(room, (target) => authorize(request, target));
    if (isAnswer(judged)) return judged;
    throw new TypeError("authorize() must return { denied }, or a { user } that is a user's name");
  }

  #failed(message: string, fields: { readonly room?: string; readonly error: unknown }): HttpError {
    // It was counted where it was made.
    if (fields.error instanceof HttpError) return fields.error;
    const { logger, metrics } = this.#options;
    metrics.authorizeFailures++;
    logger("error", "authorize_failed", { ...fields });
    return httpError("unavailable", message, retryAfter());
  }
}

/**
 * Creates the refusal of a room that is not open to a user.
 *
 * @param user The user.
 * @returns The refusal, to be thrown.
 */
export function forbidden(user: string | undefined): HttpError {
  return httpError("forbidden", `This room is not open to "${user}"`);
}

/** Whether a hook gave an answer. A name that rooms refuse would fail in each of them. */
function isAnswer(value: unknown): value is Authorization | AuthorizationDenied {
  if (typeof value !== "object" || value === null) return false;
  const { denied, user, expiresAt } = value as Record<string, unknown>;
  if ("denied" in value) return typeof denied === "string";
  if (expiresAt !== undefined && (typeof expiresAt !== "number" || isNaN(expiresAt))) return false;
  const decoded = decodeUser(typeof user === "string" ? user : "");
  return decoded.ok && decoded.user === user;
}

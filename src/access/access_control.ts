/**
 * The way in, the same for every request to a room.
 *
 * @module
 */

import { addressOf, type ConnectionInfo } from "./client_address.ts";
import { ConnectionLimits, type ConnectionLimitSettings } from "./connection_limits.ts";
import type { Authorization, AuthorizationDenied, Authorize } from "./token_auth.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { isOriginAllowed } from "./origin.ts";
import { decodeUser, type ErrorCode, type Limits, type Problem } from "../protocol/mod.ts";
import { RateLimit } from "./rate_limit.ts";
import { HttpError, httpError, retryAfter } from "./http_error.ts";

/** What a user may send on all connections together, as a multiple of what one may. */
const USER_SHARE = 2;

/** The errors that somebody meets who is not to come in, or not now. */
const UNINVITED: ReadonlySet<string> = new Set<ErrorCode>([
  "unauthorized",
  "forbidden",
  "too_many_connections",
  "rate_limited",
  "unavailable",
]);

/** How {@linkcode AccessControl} behaves. */
export interface AccessControlOptions {
  /** Decides who may come in. Where it is missing, everybody may, under any name. */
  readonly authorize?: Authorize;
  /** Origins of web pages that may come in besides the server's own. */
  readonly origins: readonly string[];
  /** Proxies in front that add to `X-Forwarded-For`. @default {0} */
  readonly proxies?: number;
  /** How many connections there may be; what is left out has its default. */
  readonly connectionLimits: Partial<ConnectionLimitSettings>;
  /** What members may do. */
  readonly limits: Limits;
  /** What is counted. */
  readonly metrics: Metrics;
  /** Takes what an operator should know. */
  readonly logger: Logger;
  /** Whether so much waits for members that do not read that nobody else can be let in. */
  readonly isMemoryShort?: () => boolean;
}

/** Somebody who was let in to stay. */
export interface ConnectionGrant<User = string> {
  /** Who it is. */
  readonly user: User;
  /** Milliseconds since the epoch until when. */
  readonly expiresAt?: number;
  /** Judges a fresh token for this request; undefined where none is needed. */
  readonly renew?: (token: string) => Promise<Authorization | AuthorizationDenied>;
  /** Gives the place within the limits back; whoever was let in must, when it goes. */
  readonly leave: () => void;
}

/**
 * Lets in or refuses. The order is that of the cost: where from, how many from there, who, where
 * to, how many of them.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { AccessControl, nameOf } from "./access_control.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * const { limits, metrics } = new Hub(new KvRoomLog(kv));
 * const access = new AccessControl({ origins: [], connectionLimits: {}, limits, metrics, logger() {} });
 * const request = new Request("http://localhost/rooms/lobby/messages", { method: "POST" });
 * access.checkOrigin(request);
 * console.log(nameOf(await access.admit(request, "lobby"), " ann ")); // ann
 * ```
 */
export class AccessControl {
  readonly #options: AccessControlOptions;
  readonly #admission: ConnectionLimits;
  readonly #users: RateLimit | undefined;

  /**
   * Makes one.
   *
   * @param options Who may come in, and how many.
   */
  constructor(options: AccessControlOptions) {
    this.#options = options;
    const { connectionLimits: limits, metrics, isMemoryShort } = options;
    this.#admission = new ConnectionLimits({ limits, metrics, isMemoryShort });
    const { messages_per_second, message_burst } = options.limits;
    if (messages_per_second === 0) return;
    const perSecond = USER_SHARE * messages_per_second;
    this.#users = new RateLimit({ perSecond, burst: USER_SHARE * message_burst });
  }

  /**
   * Refuses what a foreign web page makes a browser ask.
   *
   * @param request The request.
   * @throws {HttpError} Where its origin may not.
   */
  checkOrigin(request: Request): void {
    if (isOriginAllowed(request, this.#options.origins)) return;
    throw httpError("forbidden", "Pages of this origin may not use this server");
  }

  /**
   * Finds out who a request is from, and whether that user may enter the room.
   *
   * @param request The request, before any upgrade.
   * @param room The room.
   * @returns What the user may do; undefined in an open hub, where everybody may do everything.
   * @throws {HttpError} Where nobody may come in like that.
   */
  async admit(request: Request, room: string): Promise<Authorization | undefined> {
    const { authorize, logger, metrics } = this.#options;
    if (!authorize) return undefined;
    let judged: Authorization | AuthorizationDenied;
    try {
      judged = await authorize(request);
    } catch (error) {
      metrics.authorizeFailures++;
      logger("error", "authorize_failed", { room, error });
      throw httpError("unavailable", "Who you are cannot be verified now", retryAfter());
    }
    if ("denied" in judged) {
      throw httpError("unauthorized", judged.denied, { "www-authenticate": "Bearer" });
    }
    if (judged.mayEnter && !judged.mayEnter(room)) {
      throw httpError("forbidden", `This room is not open to "${judged.user}"`);
    }
    return judged;
  }

  /**
   * Lets in somebody who wants to stay: {@linkcode AccessControl.admit}, and a place within the limits.
   *
   * @param request The request, before any upgrade.
   * @param to Where, under which name (heard in an open hub alone), and from where.
   * @returns Who came in.
   * @throws {HttpError} Where nobody may come in like that, or too many have.
   */
  async enter(
    request: Request,
    to: { room: string; name: unknown; info: ConnectionInfo | undefined },
  ): Promise<ConnectionGrant> {
    return await this.#enter(request, to, (pass) => nameOf(pass, to.name));
  }

  /**
   * The same for somebody who only listens, and in an open hub needs no name.
   *
   * @param request The request.
   * @param to Where, and from where.
   * @returns Who came in.
   * @throws {HttpError} Where nobody may come in like that, or too many have.
   */
  async observe(
    request: Request,
    to: { room: string; info: ConnectionInfo | undefined },
  ): Promise<ConnectionGrant<string | undefined>> {
    return await this.#enter(request, to, (pass) => pass?.user);
  }

  /**
   * Takes from what a user may send on all connections, and without any.
   *
   * @param user The user.
   * @returns Milliseconds to wait; 0 where it was taken.
   */
  takeOf(user: string): number {
    return this.#users?.take(user) ?? 0;
  }

  /**
   * The same, for a request of its own.
   *
   * @param user The user.
   * @throws {HttpError} Where the user has to wait.
   */
  checkRate(user: string): void {
    const waitMs = this.takeOf(user);
    if (waitMs === 0) return;
    const message = "Too much at once: wait before sending more";
    throw new HttpError({ code: "rate_limited", message }, retryAfter(waitMs));
  }

  /**
   * Takes note that a request was refused; an operator hears of those that were uninvited.
   *
   * @param problem Why.
   * @param request The request.
   * @param to Where to, if that is a room, and from where.
   */
  note(
    { code, message: reason }: Problem,
    request: Request,
    to: { room: string | undefined; info: ConnectionInfo | undefined },
  ): void {
    const { logger, metrics } = this.#options;
    metrics.count("rejected", code);
    if (!UNINVITED.has(code)) return;
    const address = this.#addressOf(request, to.info);
    logger("warn", "access_refused", { code, reason, room: to.room, address });
  }

  #addressOf(request: Request, info: ConnectionInfo | undefined): string | undefined {
    return addressOf(request, info, this.#options.proxies ?? 0);
  }

  async #enter<User extends string | undefined>(
    request: Request,
    to: { room: string; info: ConnectionInfo | undefined },
    userOf: (pass: Authorization | undefined) => User,
  ): Promise<ConnectionGrant<User>> {
    const place = this.#admission.knock(this.#addressOf(request, to.info));
    try {
      const pass = await this.admit(request, to.room);
      const user = userOf(pass);
      place.take(to.room, user);
      const renew = this.#renewer(request.url);
      return { user, expiresAt: pass?.expiresAt, renew, leave: () => place.leave() };
    } catch (error) {
      place.leave();
      throw error;
    }
  }

  #renewer(
    address: string,
  ): ((token: string) => Promise<Authorization | AuthorizationDenied>) | undefined {
    const { authorize } = this.#options;
    if (!authorize) return undefined;
    const url = new URL(address);
    // The old token may stand there.
    url.search = "";
    return async (token) => {
      const headers = { authorization: `Bearer ${token}` };
      return await authorize(new Request(url, { headers }));
    };
  }
}

/**
 * Settles under which name somebody goes: the token's, or in an open hub the one that they give.
 *
 * @param pass What {@linkcode AccessControl.admit} returned.
 * @param name What the client calls itself.
 * @returns The user.
 * @throws {HttpError} Where that is no name.
 */
export function nameOf(pass: Authorization | undefined, name: unknown): string {
  if (pass) return pass.user;
  if (typeof name !== "string") throw httpError("bad_user", '"user" is missing');
  const decoded = decodeUser(name);
  if (!decoded.ok) throw new HttpError(decoded.error);
  return decoded.user;
}

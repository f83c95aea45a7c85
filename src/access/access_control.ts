/**
 * Access control: which requests are served, for whom, and how many.
 *
 * @module
 */

import { AdminToken } from "./admin_token.ts";
import { displayNameOf, nameOf } from "./authorization.ts";
import type { AccessControlOptions, AccessTarget } from "./access_options.ts";
import type { Authorization } from "./authorization.ts";
import { Authorizer, OPERATOR_ACCESS, type RoomAccess } from "./authorizer.ts";
import type { AcquiredGrant, ConnectionGrant, RoomsGrant } from "./connection_grant.ts";
import { ClientAddresses, type ConnectionInfo, shareOf } from "./client_address.ts";
import { ConnectionLimits } from "./connection_limits.ts";
import type { ConnectionLimit } from "./connection_limits.ts";
import { httpError, retryAfter } from "./http_error.ts";
import { checkCallable } from "../protocol/checks.ts";
import { type MessageLimit, MessageRates } from "./message_rates.ts";
import type { Problem, Role } from "../protocol/mod.ts";
import { AddressRates, type SharedRates } from "./shared_rates.ts";
import type { SharedSlot } from "./request_slot.ts";
import { RefusalLog } from "./refusal_log.ts";

/** The errors of requests that were not authorized. Limits have a log line of their own. */
const UNAUTHORIZED = ["unauthorized", "forbidden", "bad_host", "misdirected"];

/**
 * Authorizes requests and connections within the limits. The checks are made in the order of their
 * cost: address, how many there are, authorization, room and user.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { AccessControl } from "./access_control.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * const { limits, metrics } = hub;
 * const access = new AccessControl({ connectionLimits: {}, limits, metrics, logger() {} });
 * const request = new Request("http://localhost/rooms/lobby/ws");
 * const grant = await access.acquire(request, { room: "lobby", name: " ann ", info: undefined });
 * console.log(grant.user); // ann
 * grant.release();
 * ```
 */
export class AccessControl {
  /** Tells operators' requests from others. */
  readonly admin: AdminToken;
  readonly #options: AccessControlOptions;
  readonly #authorizer: Authorizer;
  readonly #addresses: ClientAddresses;
  readonly #connections: ConnectionLimits;
  readonly #messages: MessageRates;
  readonly #reactions: MessageRates;
  readonly #envelopes: AddressRates;
  readonly #refusals: RefusalLog;

  /**
   * Creates the access control of a server.
   *
   * @param options Who may use it, and how much.
   * @throws {RangeError} If a limit is out of range.
   */
  constructor(options: AccessControlOptions) {
    checkCallable("authorize", options.authorize);
    this.#options = options;
    this.#authorizer = new Authorizer(options);
    this.admin = new AdminToken(options.adminToken);
    const { connectionLimits: settings, limits, logger, isMemoryShort } = options;
    this.#addresses = new ClientAddresses({ proxies: options.proxies, logger });
    this.#refusals = new RefusalLog({ logger });
    this.#connections = new ConnectionLimits({
      limits: settings,
      isMemoryShort,
      onReached: (limit, address) => this.#onReached("connectionsRefused", limit, address),
    });
    const onReached = this.#onReached.bind(this, "messagesLimited");
    this.#envelopes = new AddressRates({ onReached });
    this.#messages = new MessageRates({ limits, onReached });
    this.#reactions = new MessageRates({ limits, onReached });
  }

  /** Connections now, those included that are being authorized or closed. */
  get connections(): number {
    return this.#connections.connections;
  }

  /** Connections that were closed and whose peer has not gone yet. */
  get closingConnections(): number {
    return this.#connections.closingConnections;
  }

  /**
   * Acquires a place within the limits on requests; those by address do not hold for operators.
   *
   * @param request The request.
   * @param info What `Deno.serve` says about it.
   * @returns The place, to be released when the request is answered.
   * @throws {HttpError} If there are too many, or too much waits where it comes from.
   */
  acquireRequest(request: Request, info: ConnectionInfo | undefined): SharedSlot {
    const address = this.#addresses.of(request, info);
    const share = shareOf(address, info);
    const limited = this.admin.isIn(request) ? undefined : address;
    return { address, share, release: this.#connections.acquireRequest(limited, share).release };
  }

  /**
   * The address whose limits hold for a request.
   *
   * @param request The request.
   * @param info What `Deno.serve` says about it.
   * @returns The address or network; undefined where it is unknown, or spared limits by address.
   */
  limitedAddress(request: Request, info: ConnectionInfo | undefined): string | undefined {
    const address = this.#addresses.of(request, info);
    return this.#connections.isSpared(address) ? undefined : address;
  }

  /**
   * Authorizes a request to a room.
   *
   * @param request The request, before any upgrade.
   * @param room The room.
   * @returns Who the user is, which is undefined in an open hub, and the role in the room.
   * @throws {HttpError} If the request is not authorized.
   */
  async enter(request: Request, room: string): Promise<RoomAccess> {
    if (this.admin.isIn(request)) return OPERATOR_ACCESS;
    return await this.#authorizer.enter(request, room);
  }

  /**
   * Authorizes a connection of a user, and acquires a place for it.
   *
   * @param request The request, before any upgrade.
   * @param to The room, where the request comes from, and the name that the client gives: in an
   * open hub it is the user's.
   * @returns The connection's authorization and place.
   * @throws {HttpError} If it is not authorized, or there are too many.
   */
  async acquire(
    request: Request,
    to: AccessTarget & { readonly name: unknown },
  ): Promise<ConnectionGrant & { readonly role: Role }> {
    const { grant, role } = await this.#acquire(request, to, (judged) => nameOf(judged, to.name));
    return { ...grant, role };
  }

  /**
   * Authorizes a connection of a user that may enter rooms, and acquires a place for it.
   *
   * @param request The request, before any upgrade.
   * @param to Where the request comes from, and the name that the client gives.
   * @returns The connection's authorization and place, in no room yet.
   * @throws {HttpError} If it is not authorized, or there are too many.
   */
  async acquireRooms(
    request: Request,
    { name, info }: { readonly name: unknown; readonly info: ConnectionInfo | undefined },
  ): Promise<RoomsGrant> {
    let authorization: Authorization | undefined;
    const { grant, slot } = await this.#acquire(request, { room: undefined, info }, (judged) => {
      authorization = judged;
      return nameOf(judged, name);
    });
    return {
      ...grant,
      roomsMax: this.#connections.roomsMax,
      enterRoom: slot.enter,
      leaveRoom: slot.exit,
      roleIn: (room) => this.#authorizer.roleIn(authorization, room),
      renewed: (judged) => authorization = judged,
    };
  }

  /**
   * Authorizes a connection that only reads, and acquires a place for it. In an open hub, and for
   * operators, it needs no name.
   *
   * @param request The request.
   * @param to The room, and where the request comes from.
   * @returns The connection's authorization and place.
   * @throws {HttpError} If it is not authorized, or there are too many.
   */
  async acquireReader(
    request: Request,
    to: AccessTarget,
  ): Promise<ConnectionGrant<string | undefined> & { readonly role: Role }> {
    const { grant, role } = await this.#acquire(request, to, (judged) => judged?.user, this);
    return { ...grant, role };
  }

  /**
   * Takes the message of a request from the rates of its user and, in an open hub, of its address.
   *
   * @param user The user.
   * @param request The request, and what `Deno.serve` says about it.
   * @param isReaction Whether it is a reaction, of which there is a rate of its own.
   * @throws {HttpError} If the user has to wait.
   */
  checkRate(user: string, request: Request, info?: ConnectionInfo, isReaction = false): void {
    const rates = isReaction ? this.#reactions : this.#messages;
    const waitMs = this.#takeMessage(user, this.#addresses.of(request, info), rates);
    if (waitMs === 0) return;
    const message = "Too much at once: wait before sending more";
    throw httpError("rate_limited", message, retryAfter(waitMs));
  }

  /**
   * Counts a request that was refused, and logs those that were not authorized.
   *
   * @param problem Why it was refused.
   * @param request The request.
   * @param to The room, if it is for one, and where the request comes from.
   */
  reportRefusal(
    { code, message: reason }: Problem,
    request: Request,
    to: { readonly room: string | undefined; readonly info: ConnectionInfo | undefined },
  ): void {
    const { logger, metrics } = this.#options;
    metrics.count("rejected", code);
    if (!UNAUTHORIZED.includes(code)) return;
    const address = this.#addresses.of(request, to.info);
    // Proxies that change the host make a server's own pages foreign: only both together tell.
    const host = URL.parse(request.url)?.host;
    const origin = request.headers.get("origin") ?? undefined;
    logger("warn", "access_refused", { code, reason, room: to.room, address, host, origin });
  }

  #onReached(
    tally: "connectionsRefused" | "messagesLimited",
    limit: ConnectionLimit | MessageLimit | "address_envelope_rate",
    address: string | undefined,
  ): void {
    this.#options.metrics.count(tally, limit);
    this.#refusals.add(limit, address);
  }

  async #acquire<User extends string | undefined>(
    request: Request,
    { room, info }: AccessTarget,
    userOf: (authorization: Authorization | undefined) => User,
    authorizer: Pick<Authorizer, "enter"> = this.#authorizer,
  ): Promise<AcquiredGrant<User>> {
    const address = this.#addresses.of(request, info);
    const slot = this.#connections.acquire(address);
    try {
      const { authorization, role } = room === undefined
        ? { authorization: await this.#authorizer.authorize(request), role: "member" as const }
        : await authorizer.enter(request, room);
      const user = userOf(authorization);
      slot.claim(room, user === undefined ? undefined : this.#ownerOf(user, address));
      const grant = {
        user,
        name: displayNameOf(authorization),
        expiresAt: authorization?.expiresAt,
        renew: this.#authorizer.renewer(request.url, room),
        renewSession: this.#authorizer.sessionRenewer(request, room),
        rates: this.#ratesOf(user ?? "", address),
        markClosing: slot.markClosing,
        release: slot.release,
      };
      return { grant, role, slot };
    } catch (error) {
      slot.release();
      throw error;
    }
  }

  /**
   * Whose limits a user counts for. In an open hub anybody may use any name, and must not use up
   * the limits of others who go by it elsewhere.
   */
  #ownerOf(user: string, address: string | undefined): string {
    return !this.#authorizer.isOpen ? user : `${address ?? ""} ${user}`;
  }

  #ratesOf(user: string, address: string | undefined): SharedRates {
    const envelopes = this.#envelopes;
    const counted = this.#connections.isSpared(address) ? undefined : address;
    return {
      takeMessage: () => this.#takeMessage(user, address),
      takeReaction: () => this.#takeMessage(user, address, this.#reactions),
      takeEnvelope: () => counted === undefined ? 0 : envelopes.takeEnvelope(counted),
      takeRefusal: () => counted === undefined ? 0 : envelopes.takeRefusal(counted),
    };
  }

  #takeMessage(user: string, address: string | undefined, rates = this.#messages): number {
    const isCounted = this.#authorizer.isOpen && !this.#connections.isSpared(address);
    const owner = this.#ownerOf(user, address);
    return rates.take({ owner, address: isCounted ? address : undefined });
  }
}

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
import { type ConnectionLimit, ConnectionLimits } from "./connection_limits.ts";
import { type HttpError, httpError, retryAfter } from "./http_error.ts";
import type { MessageLimit } from "./message_rates.ts";
import type { Problem, Role } from "../protocol/mod.ts";
import type { ProcessorShares } from "./processor_shares.ts";
import type { SharedSlot } from "./request_slot.ts";
import { RefusalLog } from "./refusal_log.ts";
import { TrafficRates, type TrafficSource } from "./traffic_rates.ts";

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
  /** Asks who a user is, and what the user may do. */
  readonly authorizer: Authorizer;
  readonly #addresses: ClientAddresses;
  readonly #connections: ConnectionLimits;
  readonly #rates: TrafficRates;
  readonly #refusals: RefusalLog;

  /**
   * Creates the access control of a server.
   *
   * @param options Who may use it, and how much.
   * @throws {RangeError} If a limit is out of range.
   */
  constructor(options: AccessControlOptions) {
    this.#options = options;
    this.authorizer = new Authorizer(options);
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
    this.#rates = new TrafficRates({ limits, isOpen: this.authorizer.isOpen, onReached });
  }

  /** Connections now, those included that are being authorized or closed. */
  get connections(): number {
    return this.#connections.connections;
  }

  /** The processor's time that is spent on each address whose limits hold. */
  get processor(): ProcessorShares {
    return this.#rates.processor;
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
    const { release } = this.#connections.acquireRequest(limited, share);
    const counted = this.#connections.isSpared(limited) ? undefined : limited;
    return { address, share, release, processor: this.#rates.processorOf(counted) };
  }

  /**
   * Makes the refusal of a request whose head is too long to be kept until it is its turn.
   *
   * @param slot The request's place.
   * @returns The refusal, to be thrown.
   */
  tooLongToWait({ address }: SharedSlot): HttpError {
    this.#onReached("connectionsRefused", "address_requests", address);
    const message = "This address is busy, and the headers of the request are too long to wait";
    return httpError("too_many_connections", message, retryAfter());
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
    return await this.authorizer.enter(request, room);
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
      roleIn: (room) => this.authorizer.roleIn(authorization, room),
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
    const source = this.#sourceOf(user, this.#addresses.of(request, info));
    const waitMs = this.#rates.take(source, isReaction);
    if (waitMs === 0) return;
    throw httpError("rate_limited", "Too much at once: wait before it", retryAfter(waitMs));
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

  /**
   * Counts work that waits because its address has its share of the processor.
   *
   * @param address The address.
   */
  reportWait(address: string): void {
    this.#options.metrics.workDelayed++;
    this.#refusals.add("address_processor", address);
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
    authorizer: Pick<Authorizer, "enter"> = this.authorizer,
  ): Promise<AcquiredGrant<User>> {
    const address = this.#addresses.of(request, info);
    const slot = this.#connections.acquire(address);
    try {
      const { authorization, role } = room === undefined
        ? { authorization: await this.authorizer.authorize(request), role: "member" as const }
        : await authorizer.enter(request, room);
      const user = userOf(authorization);
      slot.claim(room, user === undefined ? undefined : this.#rates.ownerOf({ user, address }));
      const grant = {
        user,
        name: displayNameOf(authorization),
        expiresAt: authorization?.expiresAt,
        renew: this.authorizer.renewer(request.url, room),
        renewSession: this.authorizer.sessionRenewer(request, room),
        rates: this.#rates.of(this.#sourceOf(user ?? "", address)),
        markClosing: slot.markClosing,
        release: slot.release,
      };
      return { grant, role, slot };
    } catch (error) {
      slot.release();
      throw error;
    }
  }

  #sourceOf(user: string, address: string | undefined): TrafficSource {
    return { user, address, counted: this.#connections.isSpared(address) ? undefined : address };
  }
}

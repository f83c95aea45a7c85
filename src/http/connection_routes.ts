/**
 * The routes that upgrade to a WebSocket: of one room, and of many.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { ConnectionGrant } from "../access/connection_grant.ts";
import { HttpError, httpError } from "../access/http_error.ts";
import { connectMultiRoom } from "../connection/multi_room_upgrade.ts";
import { chooseProtocol } from "../connection/upgrade.ts";
import { UserReads } from "../connection/user_reads.ts";
import { connect } from "../connection/websocket_connection.ts";
import { HISTORY_DEFAULT, HISTORY_MAX, PROTOCOL_V2 } from "../protocol/mod.ts";
import { checkHandshake, isUpgrade, nameIn, numberOf, roomOf } from "./request_params.ts";
import { upgradeRequired } from "./request_params.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** What {@linkcode connectionRoutes} needs. */
export interface ConnectionRoutesOptions {
  /** The services of the server. */
  readonly services: ServerServices;
  /** Whether everybody may use any name. */
  readonly isOpen: boolean;
}

/**
 * Creates the routes `/ws` and `/rooms/:room/ws`. Refusals are thrown.
 *
 * @param options The services of the server, and whether it is open.
 * @returns Routes for Hono.
 */
export function connectionRoutes(
  { services, isOpen }: ConnectionRoutesOptions,
): Hono<ServerEnv> {
  const { access } = services;
  const app = new Hono<ServerEnv>();

  app.get("/ws", async (context) => {
    checkPurpose(context, isOpen);
    const offered = context.req.header("sec-websocket-protocol") ?? "";
    if (isUpgrade(context.req.raw) && chooseProtocol(offered, [PROTOCOL_V2]) === undefined) {
      const message = `This path speaks ${PROTOCOL_V2}: offer it as the subprotocol`;
      throw httpError("bad_handshake", message);
    }
    const { req: { raw }, env: { info, slot } } = context;
    const grant = await access.acquireRooms(raw, { name: nameIn(context), info });
    const { reads, release } = await openReads(grant);
    return upgradeOr(release, () => {
      checkHandshake(context);
      const options = { services, grant: { ...grant, release }, reads, address: slot?.share };
      return connectMultiRoom(raw, options);
    });
  });

  app.get("/rooms/:room/ws", async (context) => {
    const room = roomOf(context);
    checkPurpose(context, isOpen);
    const history = numberOf(context, "history", HISTORY_DEFAULT, 0, HISTORY_MAX);
    const after = context.req.query("after") || undefined;
    const { req: { raw }, env: { info, slot } } = context;
    const grant = await access.acquire(raw, { room, name: nameIn(context), info });
    const { user, name, role, expiresAt, renew, renewSession, rates, markClosing } = grant;
    const { reads, release } = await openReads(grant);
    return upgradeOr(release, () => {
      checkHandshake(context);
      return connect(raw, {
        services,
        room,
        user,
        name,
        role,
        history,
        after,
        address: slot?.share,
        expiresAt,
        renew,
        renewSession,
        rates,
        marks: reads.marks,
        onClosing: markClosing,
        onEnd: release,
      });
    });
  });

  /** Reads the marks of a connection's user, and ends them with the connection. */
  async function openReads({ user, release }: ConnectionGrant) {
    const reads = await UserReads.open(services.hub, isOpen ? undefined : user);
    const releaseBoth = () => {
      reads[Symbol.dispose]();
      release();
    };
    return { reads, release: releaseBoth };
  }

  return app;
}

/** Refuses a request that neither asks for an upgrade nor may ask why one was refused. */
function checkPurpose(context: Context, isOpen: boolean): void {
  // A client that was refused may ask without an upgrade why: a browser does not tell it.
  const isAnybody = context.req.query("user") === undefined &&
    context.req.header("authorization") === undefined;
  if (!isUpgrade(context.req.raw) && isOpen && isAnybody) throw upgradeRequired(context);
}

/**
 * Checks the handshake and upgrades. It comes last: a client whose upgrade failed cannot see why, but
 * may ask again without one.
 */
function upgradeOr(release: () => void, upgrade: () => Response): Response {
  try {
    return upgrade();
  } catch (error) {
    release();
    if (error instanceof HttpError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const message = "Not a valid WebSocket handshake: " + why;
    throw httpError("bad_handshake", message);
  }
}

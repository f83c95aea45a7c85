/**
 * The routes of a room: its socket, its stream of events, and its state.
 *
 * @module
 */

import { Hono } from "hono";
import { connect } from "../connection/websocket_connection.ts";
import { EVENT_STREAM_HEADERS, openEventStream } from "../connection/event_stream.ts";
import { HISTORY_DEFAULT, HISTORY_MAX } from "../protocol/mod.ts";
import { HttpError, httpError } from "../access/http_error.ts";
import { checkHandshake, isUpgrade, nameIn, numberOf, roomOf } from "./request_params.ts";
import { upgradeRequired } from "./request_params.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** What {@linkcode roomRoutes} needs. */
export interface RoomRoutesOptions {
  /** The services of the server. */
  readonly services: ServerServices;
  /** Whether everybody may use any name. */
  readonly isOpen: boolean;
}

/**
 * Creates the routes `/rooms/:room`, `/rooms/:room/ws` and `/rooms/:room/events`. Refusals are
 * thrown.
 *
 * @param options The services of the server, and whether it is open.
 * @returns Routes for Hono.
 */
export function roomRoutes({ services, isOpen }: RoomRoutesOptions): Hono<ServerEnv> {
  const { hub, access } = services;
  const app = new Hono<ServerEnv>();

  app.get("/rooms/:room/ws", async (context) => {
    const room = roomOf(context);
    // A client that was refused may ask without an upgrade why: a browser does not tell it.
    const isAnybody = context.req.query("user") === undefined &&
      context.req.header("authorization") === undefined;
    if (!isUpgrade(context) && isOpen && isAnybody) throw upgradeRequired(context);
    const history = numberOf(context, "history", HISTORY_DEFAULT, 0, HISTORY_MAX);
    const after = context.req.query("after") || undefined;
    const { req: { raw }, env: { info, slot } } = context;
    const grant = await access.acquire(raw, { room, name: nameIn(context), info });
    const { user, expiresAt, renew, takeMessage, markClosing, release } = grant;
    try {
      // Last: a client whose upgrade failed cannot see why, but may ask again without one.
      checkHandshake(context);
      return connect(raw, {
        services,
        room,
        user,
        history,
        after,
        address: slot?.share,
        expiresAt,
        renew,
        takeOfUser: takeMessage,
        onClosing: markClosing,
        onEnd: release,
      });
    } catch (error) {
      release();
      if (error instanceof HttpError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      const message = "Not a valid WebSocket handshake: " + why;
      throw httpError("bad_handshake", message);
    }
  });

  app.get("/rooms/:room/events", async (context) => {
    const room = roomOf(context);
    const history = numberOf(context, "history", HISTORY_DEFAULT, 0, HISTORY_MAX);
    // An EventSource comes back with the URL of its first time: the header is newer.
    const after = context.req.header("last-event-id") || context.req.query("after") || undefined;
    const { req: { raw, method }, env: { info, slot } } = context;
    const { expiresAt, release } = await access.acquireReader(raw, { room, info });
    // Hono answers HEAD from here too and drops the body: nobody would ever end the stream.
    if (method === "HEAD") {
      release();
      return new Response(null, { headers: EVENT_STREAM_HEADERS });
    }
    const address = slot?.share;
    return openEventStream({
      services,
      room,
      history,
      after,
      address,
      expiresAt,
      onEnd: release,
    });
  });

  app.get("/rooms/:room", async (context) => {
    const room = roomOf(context);
    await access.authorize(context.req.raw, room);
    return context.json(await hub.roomState(room));
  });

  return app;
}

/**
 * The routes of a room: its stream of events, and its state.
 *
 * @module
 */

import { Hono } from "hono";
import { EVENT_STREAM_HEADERS, openEventStream } from "../connection/event_stream.ts";
import { HISTORY_DEFAULT, HISTORY_MAX } from "../protocol/mod.ts";
import { numberOf, roomOf } from "./request_params.ts";
import { checkBan, enterRoom } from "./room_entry.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/**
 * Creates the routes `/rooms/:room` and `/rooms/:room/events`. Refusals are thrown.
 *
 * @param services The services of the server.
 * @returns Routes for Hono.
 */
export function roomRoutes(services: ServerServices): Hono<ServerEnv> {
  const { hub, access } = services;
  const app = new Hono<ServerEnv>();

  app.get("/rooms/:room/events", async (context) => {
    const room = roomOf(context);
    const history = numberOf(context, "history", HISTORY_DEFAULT, 0, HISTORY_MAX);
    // An EventSource comes back with the URL of its first time: the header is newer.
    const after = context.req.header("last-event-id") || context.req.query("after") || undefined;
    const { req: { raw, method }, env: { info, slot } } = context;
    const { user, role, expiresAt, release } = await access.acquireReader(raw, { room, info });
    try {
      await checkBan(services, room, { user, role });
    } catch (error) {
      release();
      throw error;
    }
    // Hono answers HEAD from here too and drops the body: nobody would ever end the stream.
    if (method === "HEAD") {
      release();
      return new Response(null, { headers: EVENT_STREAM_HEADERS });
    }
    const address = slot?.share;
    return openEventStream({
      services,
      room,
      account: user,
      role,
      history,
      after,
      address,
      expiresAt,
      onEnd: release,
    });
  });

  app.get("/rooms/:room", async (context) => {
    const room = roomOf(context);
    await enterRoom(services, context.req.raw, room);
    return context.json(await hub.roomState(room));
  });

  return app;
}

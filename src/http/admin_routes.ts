/**
 * The routes of operators, who have the admin token.
 *
 * @module
 */

import { Hono } from "hono";
import { HttpError, httpError } from "../access/http_error.ts";
import { EVERYWHERE } from "../hub/everywhere.ts";
import { decodeImported, decodeRoom, type ImportBody } from "../protocol/mod.ts";
import { checkFields, readBody } from "./request_body.ts";
import { checkBrackets, numberOf, roomOf } from "./request_params.ts";
import { exportRoom } from "./room_export.ts";
import { importMessages } from "./room_import.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** Rooms in an answer without a `limit`, and at most. */
const ROOMS_DEFAULT = 50;
const ROOMS_MAX = 1_000;
/** Messages that are imported by one request, and bytes of its body. */
const IMPORT_MAX = 500;
const IMPORT_MAX_BYTES = 8 * 1024 * 1024;
const IMPORT_BODY_FIELDS: ReadonlySet<string> = new Set<keyof ImportBody>(["messages"]);

/** The paths of operators' routes, and the methods that each takes. */
export const ADMIN_ROUTES: readonly (readonly [path: string, allow: string])[] = [
  ["/rooms", "GET"],
  ["/rooms/:room/export", "GET"],
  ["/rooms/:room/import", "POST"],
];

/**
 * Creates the routes of operators: lists of rooms, export and import. Refusals are thrown.
 *
 * @param services The services of the server.
 * @returns Routes for Hono.
 */
export function adminRoutes({ hub, access }: ServerServices): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  for (const [path] of ADMIN_ROUTES) {
    app.use(path, async (context, next) => {
      access.admin.check(context.req.raw);
      await next();
    });
  }

  app.get("/rooms", async (context) => {
    checkBrackets(context, ["limit", "after"]);
    const limit = numberOf(context, "limit", ROOMS_DEFAULT, 1, ROOMS_MAX);
    const after = context.req.query("after") || undefined;
    if (after !== undefined) checkRoom(after);
    // One of them may be the log of what holds in all rooms.
    const found = await hub.log.rooms({ limit: limit + 2, after });
    const names = found.filter((name) => name !== EVERYWHERE);
    const next = names.length > limit ? names[limit - 1] : null;
    const shown = names.slice(0, limit);
    const heads = await hub.log.heads(shown);
    const rooms = shown.map((room, index) => ({ room, cursor: heads[index] }));
    return context.json({ rooms, next });
  });

  app.get("/rooms/:room/export", (context) => {
    const room = roomOf(context);
    const headers = { "content-type": "application/x-ndjson" };
    // Hono answers HEAD from here too, and drops the body.
    if (context.req.method === "HEAD") return new Response(null, { headers });
    return new Response(exportRoom(hub, room), { headers });
  });

  app.post("/rooms/:room/import", async (context) => {
    const room = roomOf(context);
    const body = await readBody(context.req.raw, { maxBytes: IMPORT_MAX_BYTES });
    checkFields(body, IMPORT_BODY_FIELDS);
    const { messages } = body;
    if (!Array.isArray(messages) || messages.length > IMPORT_MAX) {
      throw httpError("bad_body", `"messages" must be a list of ${IMPORT_MAX} at most`);
    }
    // All are checked before any is stored.
    const checked = messages.map((message, index) => {
      const decoded = decodeImported(message);
      if (decoded.ok) return decoded.imported;
      throw httpError("bad_body", `"messages[${index}]": ${decoded.error.message}`);
    });
    const cursors = await importMessages(hub, room, checked);
    return context.json({ cursors }, 201);
  });

  return app;
}

function checkRoom(name: string): void {
  const decoded = decodeRoom(name);
  if (!decoded.ok) throw new HttpError(decoded.error);
}

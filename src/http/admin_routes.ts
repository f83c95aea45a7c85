/**
 * The routes of operators, who have the admin token.
 *
 * @module
 */

import { Hono } from "hono";
import { HttpError, httpError, retryAfter } from "../access/http_error.ts";
import { EVERYWHERE } from "../hub/everywhere.ts";
import { decodeDraft, decodeRoom, decodeUser, type ImportBody } from "../protocol/mod.ts";
import { checkFields, readBody } from "./request_body.ts";
import { checkBrackets, numberOf, roomOf } from "./request_params.ts";
import { exportRoom } from "./room_export.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** Rooms in an answer without a `limit`, and at most. */
const ROOMS_DEFAULT = 50;
const ROOMS_MAX = 1_000;
/** Messages that are imported by one request, and bytes of its body. */
const IMPORT_MAX = 500;
const IMPORT_MAX_BYTES = 8 * 1024 * 1024;
const IMPORT_BODY_FIELDS: ReadonlySet<string> = new Set<keyof ImportBody>(["messages"]);
/** What an imported message has; what else an export says of it is passed over. */
const IMPORT_FIELDS = ["text", "data", "reply_to"] as const;

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
    const checked = messages.map((message, index) => decodeImported(message, index));
    const outcomes = await Promise.all(checked.map(({ user, draft, ...options }) => {
      return hub.publish(room, user, draft, { ...options, isJudged: true });
    }));
    const cursors = outcomes.map((outcome) => {
      if (outcome.status === "refused") throw new HttpError(outcome.problem, retryAfter());
      return outcome.record.cursor;
    });
    return context.json({ cursors }, 201);
  });

  return app;
}

function checkRoom(name: string): void {
  const decoded = decodeRoom(name);
  if (!decoded.ok) throw new HttpError(decoded.error);
}

/** A message of an export, as it is stored again. */
interface Imported {
  readonly user: string;
  readonly name?: string;
  readonly sentAt?: string;
  readonly draft: Parameters<ServerServices["hub"]["publish"]>[2];
}

function decodeImported(value: unknown, index: number): Imported {
  const refuse = (why: string) => httpError("bad_body", `"messages[${index}]": ${why}`);
  if (typeof value !== "object" || value === null) throw refuse("it must be an object");
  const message = value as Readonly<Record<string, unknown>>;
  const { user, name, sent_at } = message;
  const decodedUser = decodeUser(typeof user === "string" ? user : "");
  if (!decodedUser.ok) throw refuse(decodedUser.error.message);
  const fields = IMPORT_FIELDS.flatMap((field) => {
    return message[field] === undefined ? [] : [[field, message[field]] as const];
  });
  const decoded = decodeDraft(Object.fromEntries(fields), { textMaxBytes: Infinity });
  if (!decoded.ok) throw refuse(decoded.error.message);
  const isTime = typeof sent_at === "string" &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(sent_at) && !isNaN(Date.parse(sent_at));
  if (sent_at !== undefined && !isTime) throw refuse('"sent_at" must be ISO 8601 in UTC');
  const named = typeof name === "string" ? decodeUser(name) : undefined;
  return {
    user: decodedUser.user,
    draft: decoded.draft,
    ...(isTime && { sentAt: sent_at }),
    ...(named?.ok && { name: named.user }),
  };
}

/**
 * The routes of one message: reading it, and changing it.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { nameOf } from "../access/authorization.ts";
import { HttpError, httpError, problemError } from "../access/http_error.ts";
import { readPresent } from "../hub/present_page.ts";
import { decodeDelete, decodeEdit, decodeReaction } from "../protocol/mod.ts";
import type { ChangeDraft, Decoded, PatchBody } from "../protocol/mod.ts";
import { isCursor } from "../store/cursor.ts";
import { messageBody } from "./message_body.ts";
import { checkFields, maxBodyBytes, readBody } from "./request_body.ts";
import { checkBrackets, nameIn, roomOf } from "./request_params.ts";
import { enterRoom } from "./room_entry.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** The fields of the body of a `PATCH`. */
const PATCH_FIELDS: ReadonlySet<string> = new Set<keyof PatchBody>(["text", "data", "ref", "user"]);

/**
 * Creates the routes `/rooms/:room/messages/:cursor` and its reactions. Refusals are thrown.
 *
 * @param services The services of the server.
 * @returns Routes for Hono.
 */
export function changeRoutes(services: ServerServices): Hono<ServerEnv> {
  const { hub, access } = services;
  const textMaxBytes = hub.limits.text_max_bytes;
  const app = new Hono<ServerEnv>();
  const path = "/rooms/:room/messages/:cursor";

  async function answer(context: Context<ServerEnv>, room: string, cursor: string, user?: string) {
    const record = await readPresent(hub.log, room, cursor);
    if (!record) throw notFound();
    const headers = { "content-type": "application/json" };
    return context.body(messageBody(record, user), 200, headers);
  }

  app.get(path, async (context) => {
    const room = roomOf(context);
    const { authorization } = await enterRoom(services, context.req.raw, room);
    return await answer(context, room, cursorIn(context), authorization?.user);
  });

  async function change(
    context: Context<ServerEnv>,
    decode: (cursor: string) => Promise<Change> | Change,
  ) {
    const room = roomOf(context);
    const { raw } = context.req;
    const { authorization, role, isOperator } = await access.enter(raw, room);
    if (role === "reader") throw httpError("forbidden", "You may only read in this room");
    const cursor = cursorIn(context);
    const { name, decoded } = await decode(cursor);
    const user = nameOf(authorization, name);
    if (!decoded.ok) throw new HttpError(decoded.error);
    const { draft } = decoded;
    const isReaction = draft.kind === "reaction";
    if (!isOperator) access.checkRate(user, raw, context.env.info, isReaction);
    // The body may have taken longer than the token had left.
    if ((authorization?.expiresAt ?? Infinity) <= Date.now()) {
      throw httpError("unauthorized", "The token has expired", { "www-authenticate": "Bearer" });
    }
    services.written.keep(room);
    const result = await hub.change(room, user, draft, { role });
    if (result.status === "refused") throw problemError(result.problem);
    return await answer(context, room, cursor, user);
  }

  app.patch(path, (context) =>
    change(context, async (cursor) => {
      const body = await readBody(context.req.raw, { maxBytes: maxBodyBytes(textMaxBytes) });
      checkFields(body, PATCH_FIELDS);
      return { name: body.user, decoded: decodeEdit({ ...body, cursor }, { textMaxBytes }) };
    }));

  app.delete(path, (context) =>
    change(context, (cursor) => {
      checkBodiless(context, ["user", "ref"]);
      const decoded = decodeDelete({ cursor, ref: context.req.query("ref") });
      return { name: nameIn(context), decoded };
    }));

  const react = (status: boolean) => (context: Context<ServerEnv>) =>
    change(context, (cursor) => {
      checkBodiless(context, ["user", "ref", "emoji"]);
      const { searchParams } = new URL(context.req.url);
      const emoji = searchParams.get("emoji");
      const ref = searchParams.get("ref") ?? undefined;
      return { name: nameIn(context), decoded: decodeReaction({ cursor, emoji, status, ref }) };
    });
  app.put(`${path}/reactions`, react(true));
  app.delete(`${path}/reactions`, react(false));

  return app;
}

/** A change out of a request, and the name that the client gives. */
interface Change {
  readonly name: unknown;
  readonly decoded: Decoded<"draft", ChangeDraft>;
}

/** The cursor in the path; what has not the form of one names nothing. */
function cursorIn(context: Context): string {
  const cursor = context.req.param("cursor") ?? "";
  if (isCursor(cursor)) return cursor;
  throw notFound();
}

/** Refuses a body where all is in the query, and parameters that take one value. */
function checkBodiless(context: Context, names: readonly string[]): void {
  checkBrackets(context, names);
  const { headers } = context.req.raw;
  const length = headers.get("content-length");
  if ((length === null || /^0*$/.test(length)) && !headers.has("transfer-encoding")) return;
  const message = `A ${context.req.method} request to this path takes no body`;
  throw httpError("bad_body", message, { connection: "close" });
}

function notFound(): HttpError {
  return httpError("not_found", "There is no such message");
}

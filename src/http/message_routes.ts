/**
 * A room's messages for those who ask once: pages of the log, and saying something.
 *
 * @module
 */

import { Hono } from "hono";
import { messageText } from "../store/entry.ts";
import type { AccessControl } from "../access/access_control.ts";
import { nameOf } from "../access/authorization.ts";
import type { ConnectionInfo } from "../access/client_address.ts";
import type { Hub } from "../hub/hub.ts";
import { decodeDraft, PAGE_DEFAULT, PAGE_MAX } from "../protocol/mod.ts";
import { HttpError, httpError, retryAfter } from "../access/http_error.ts";
import { bodyOf, cursorOf, numberOf, roomOf } from "./request_params.ts";

/** Bytes of a request body: text may be escaped to six times its length, and there is some JSON. */
const BODY_BYTES_PER_TEXT_BYTE = 6;
const BODY_BYTES_MORE = 4_096;

/** What {@linkcode messageRoutes} needs. */
export interface MessageRoutesOptions {
  /** The hub. */
  readonly hub: Hub;
  /** Decides who may read, and who may say how much. */
  readonly access: AccessControl;
}

/**
 * Makes the routes that read messages and take them: `GET` and `POST` of `/rooms/:room/messages`.
 * What they refuse they throw.
 *
 * @param options The hub, and who may come in.
 * @returns Routes for Hono.
 */
export function messageRoutes(
  { hub, access }: MessageRoutesOptions,
): Hono<{ Bindings: { info?: ConnectionInfo } }> {
  const textMaxBytes = hub.limits.text_max_bytes;
  const maxBodyBytes = BODY_BYTES_PER_TEXT_BYTE * textMaxBytes + BODY_BYTES_MORE;
  const app = new Hono<{ Bindings: { info?: ConnectionInfo } }>();

  app.get("/rooms/:room/messages", async (context) => {
    const room = roomOf(context);
    const limit = numberOf(context, "limit", PAGE_DEFAULT, 1, PAGE_MAX);
    const before = cursorOf(context, "before");
    const after = cursorOf(context, "after");
    if (before !== undefined && after !== undefined) {
      throw httpError("bad_query", 'Give "before" or "after", not both');
    }
    await access.authorize(context.req.raw, room);
    const records = after !== undefined
      ? await hub.log.after(room, after, { limit, shownOnly: true })
      : before !== undefined
      ? await hub.log.before(room, before, { limit, shownOnly: true })
      : await hub.log.last(room, { limit, shownOnly: true });
    const messages = records.map(messageText).join(",");
    return context.body(`{"messages":[${messages}]}`, 200, { "content-type": "application/json" });
  });

  app.post("/rooms/:room/messages", async (context) => {
    const room = roomOf(context);
    const pass = await access.authorize(context.req.raw, room);
    const body = await bodyOf(context.req.raw, maxBodyBytes);
    const user = nameOf(pass, body.user);
    const decoded = decodeDraft(body, { textMaxBytes });
    if (!decoded.ok) throw new HttpError(decoded.error);
    access.checkRate(user, context.req.raw, context.env.info);
    const outcome = await hub.publish(room, user, decoded.draft);
    if (outcome.status === "refused") throw new HttpError(outcome.problem, retryAfter());
    const status = outcome.status === "stored" ? 201 : 200;
    const message = messageText(outcome.record);
    return context.body(message, status, { "content-type": "application/json" });
  });

  return app;
}

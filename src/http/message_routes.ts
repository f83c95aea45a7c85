/**
 * The routes of messages: pages of a room's log, and publishing.
 *
 * @module
 */

import { Hono } from "hono";
import { PAGE_LENGTH } from "../hub/message_page.ts";
import { readPresentPage } from "../hub/present_page.ts";
import { displayNameOf, nameOf } from "../access/authorization.ts";
import { HttpError, httpError, problemError } from "../access/http_error.ts";
import { decodeDraft, PAGE_DEFAULT, PAGE_MAX, type PostBody } from "../protocol/mod.ts";
import { FairSemaphore } from "../hub/fair_semaphore.ts";
import { messageBody } from "./message_body.ts";
import { checkFields, maxBodyBytes, readBody } from "./request_body.ts";
import { checkBrackets, cursorOf, numberOf, roomOf } from "./request_params.ts";
import { enterRoom } from "./room_entry.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** The fields of the body of a `POST`. */
const POST_FIELDS: ReadonlySet<string> = new Set<keyof PostBody>([
  "text",
  "ref",
  "data",
  "reply_to",
  "user",
]);
/**
 * Pages that are read from the store at the same time: one thread reads them, and what it has read
 * waits in memory. 400 requests for 2.4 MB each, all at once, took 2 GB.
 */
const READS_AT_ONCE = 4;
/** Messages of which a page has room for the longest. */
const PAGE_MESSAGES = 10;

/**
 * Creates the routes of messages: `GET` and `POST` of `/rooms/:room/messages`. Refusals are thrown.
 *
 * @param services The services of the server.
 * @returns Routes for Hono.
 */
export function messageRoutes(services: ServerServices): Hono<ServerEnv> {
  const { hub, access } = services;
  const textMaxBytes = hub.limits.text_max_bytes;
  const maxBytes = maxBodyBytes(textMaxBytes);
  const maxLength = Math.max(PAGE_LENGTH, PAGE_MESSAGES * maxBytes);
  const reads = new FairSemaphore(READS_AT_ONCE);
  const app = new Hono<ServerEnv>();

  app.get("/rooms/:room/messages", async (context) => {
    const room = roomOf(context);
    checkBrackets(context, ["limit", "before", "after"]);
    const limit = numberOf(context, "limit", PAGE_DEFAULT, 1, PAGE_MAX);
    const before = cursorOf(context, "before");
    const after = cursorOf(context, "after");
    if (before !== undefined && after !== undefined) {
      throw httpError("bad_query", 'Give "before" or "after", not both');
    }
    const { authorization } = await enterRoom(services, context.req.raw, room);
    const options = { limit, maxLength, before, after };
    const read = () => readPresentPage(hub.log, room, options);
    const page = await reads.run(context.env.slot?.share ?? "", read);
    const messages = page.messages.map((record) => messageBody(record, authorization?.user));
    const changes = page.changes.map(({ envelope }) =>
      JSON.stringify(JSON.parse(envelope).payload)
    );
    const erased = page.erased.length > 0 ? `"erased":${JSON.stringify(page.erased)},` : "";
    const ends = JSON.stringify({ older: page.older, newer: page.newer }).slice(1);
    const body = `{"messages":[${messages.join()}],"changes":[${changes.join()}],${erased}${ends}`;
    return context.body(body, 200, { "content-type": "application/json" });
  });

  app.post("/rooms/:room/messages", async (context) => {
    const room = roomOf(context);
    const { raw } = context.req;
    const { authorization, role, isOperator } = await access.enter(raw, room);
    if (role === "reader") throw httpError("forbidden", "You may only read in this room");
    const body = await readBody(raw, { maxBytes });
    checkFields(body, POST_FIELDS);
    const user = nameOf(authorization, body.user);
    const decoded = decodeDraft(body, { textMaxBytes });
    if (!decoded.ok) throw new HttpError(decoded.error);
    if (!isOperator) access.checkRate(user, raw, context.env.info);
    // The body may have taken longer than the token had left.
    if ((authorization?.expiresAt ?? Infinity) <= Date.now()) {
      throw httpError("unauthorized", "The token has expired", { "www-authenticate": "Bearer" });
    }
    services.written.keep(room);
    const outcome = await hub.publish(room, user, decoded.draft, {
      name: displayNameOf(authorization),
      // What holds for the user holds for who posts in their name.
      role: isOperator ? "member" : role,
    });
    if (outcome.status === "refused") throw problemError(outcome.problem);
    if (authorization) await hub.reads.enter(user, room, outcome.record.cursor);
    const status = outcome.status === "stored" ? 201 : 200;
    const message = messageBody(outcome.record, user);
    return context.body(message, status, { "content-type": "application/json" });
  });

  return app;
}

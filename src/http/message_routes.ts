/**
 * The routes of messages: pages of a room's log, and publishing.
 *
 * @module
 */

import { Hono } from "hono";
import { ORIGIN } from "../store/cursor.ts";
import { messageText } from "../store/entry.ts";
import { firstPage, lastPage, PAGE_LENGTH, withoutDuplicates } from "../hub/message_page.ts";
import { displayNameOf, nameOf } from "../access/authorization.ts";
import { HttpError, httpError, retryAfter } from "../access/http_error.ts";
import { decodeDraft, PAGE_DEFAULT, PAGE_MAX, type PostBody } from "../protocol/mod.ts";
import { FairSemaphore } from "../hub/fair_semaphore.ts";
import { readBody } from "./request_body.ts";
import { checkBrackets, cursorOf, numberOf, roomOf } from "./request_params.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** The fields of the body of a `POST`. */
const POST_FIELDS: ReadonlySet<string> = new Set<keyof PostBody>([
  "text",
  "ref",
  "data",
  "reply_to",
  "user",
]);
/** The longest name of a field that a refusal repeats. */
const FIELD_MAX_LENGTH = 64;

/** Bytes of a request body: text may be escaped to six times its length, and there is some JSON. */
const BODY_BYTES_PER_TEXT_BYTE = 6;
const BODY_BYTES_MORE = 4_096;

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
export function messageRoutes({ hub, access }: ServerServices): Hono<ServerEnv> {
  const textMaxBytes = hub.limits.text_max_bytes;
  const maxBytes = BODY_BYTES_PER_TEXT_BYTE * textMaxBytes + BODY_BYTES_MORE;
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
    await access.enter(context.req.raw, room);
    // One more than asked for tells whether there are more.
    const options = { limit: limit + 1, maxLength, shownOnly: true };
    const read = () =>
      after !== undefined
        ? hub.log.after(room, after, options)
        : before !== undefined
        ? hub.log.before(room, before, options)
        : hub.log.last(room, options);
    const records = withoutDuplicates(await reads.run(context.env.slot?.share ?? "", read));
    const page = after !== undefined
      ? firstPage(records.slice(0, limit), { maxLength })
      : lastPage(records.slice(-limit), { maxLength });
    const isAll = page.length === records.length;
    const older = page.length > 0 && (after !== undefined ? after !== ORIGIN : !isAll)
      ? page[0].cursor
      : null;
    const newer = page.length > 0 && (before !== undefined || (after !== undefined && !isAll))
      ? page[page.length - 1].cursor
      : null;
    const messages = page.map(messageText).join(",");
    const ends = JSON.stringify({ changes: [], older, newer }).slice(1);
    const headers = { "content-type": "application/json" };
    return context.body(`{"messages":[${messages}],${ends}`, 200, headers);
  });

  app.post("/rooms/:room/messages", async (context) => {
    const room = roomOf(context);
    const { raw } = context.req;
    const { authorization, role, isOperator } = await access.enter(raw, room);
    if (role === "reader") throw httpError("forbidden", "You may only read in this room");
    const body = await readBody(raw, { maxBytes });
    checkFields(body);
    const user = nameOf(authorization, body.user);
    const decoded = decodeDraft(body, { textMaxBytes });
    if (!decoded.ok) throw new HttpError(decoded.error);
    if (!isOperator) access.checkRate(user, raw, context.env.info);
    // The body may have taken longer than the token had left.
    if ((authorization?.expiresAt ?? Infinity) <= Date.now()) {
      throw httpError("unauthorized", "The token has expired", { "www-authenticate": "Bearer" });
    }
    const outcome = await hub.publish(room, user, decoded.draft, {
      name: displayNameOf(authorization),
    });
    if (outcome.status === "refused") throw new HttpError(outcome.problem, retryAfter());
    const status = outcome.status === "stored" ? 201 : 200;
    const message = messageText(outcome.record);
    return context.body(message, status, { "content-type": "application/json" });
  });

  return app;
}

/** Refuses a body with a field that is not known: what is sent must not vanish without a word. */
function checkFields(body: Record<string, unknown>): void {
  for (const name in body) {
    if (POST_FIELDS.has(name)) continue;
    const shown = JSON.stringify(name.slice(0, FIELD_MAX_LENGTH).toWellFormed());
    throw httpError("unknown_field", `The body has no field ${shown}`);
  }
}

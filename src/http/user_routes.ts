/**
 * The routes of a user's own rooms and read marks.
 *
 * @module
 */

import { Hono } from "hono";
import type { UserAccess } from "../access/authorizer.ts";
import { HttpError, httpError, retryAfter } from "../access/http_error.ts";
import { OVERVIEW_HEAD_MS, OVERVIEW_ROOM_MS } from "../access/processor_costs.ts";
import type { SharedSlot } from "../access/request_slot.ts";
import { FairSemaphore } from "../hub/fair_semaphore.ts";
import { type OverviewOptions, type OverviewRoom, readOverview } from "../hub/user_overview.ts";
import { decodeCursor, decodeRoom } from "../protocol/mod.ts";
import { commitOf } from "../store/cursor.ts";
import { messageBody } from "./message_body.ts";
import { checkFields, readBody } from "./request_body.ts";
import { checkBrackets, numberOf } from "./request_params.ts";
import { checkBan, enterRoom } from "./room_entry.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** Rooms in an answer without a `limit`, and at most. */
const ROOMS_DEFAULT = 50;
const ROOMS_MAX = 100;
/** Reads of some rooms each that are made at the same time. */
const READS_AT_ONCE = 2;
/** Bytes of a body. */
const MAX_BYTES = 1_024;
/** The place in a list after which the next page begins: where a room ends, and its name. */
const PLACE = /^[0-9A-Za-z]{20}\.[A-Za-z0-9_.-]{1,64}$/;
const FIELDS: ReadonlySet<string> = new Set(["read"]);

/**
 * Creates the routes `GET`, `PUT` and `DELETE` of `/users/me/rooms`. Refusals are thrown; in an open
 * hub there is nothing at the path.
 *
 * @param services The services of the server.
 * @returns Routes for Hono.
 */
export function userRoutes(services: ServerServices): Hono<ServerEnv> {
  const { hub, access, joinTurns } = services;
  const { log, reads } = hub;
  const semaphore = new FairSemaphore(READS_AT_ONCE);
  const app = new Hono<ServerEnv>();
  const path = "/users/me/rooms";

  app.get(path, async (context) => {
    checkBrackets(context, ["limit", "after"]);
    const limit = numberOf(context, "limit", ROOMS_DEFAULT, 1, ROOMS_MAX);
    const after = context.req.query("after");
    if (after !== undefined && !PLACE.test(after)) {
      throw httpError("bad_query", '"after" must be the "next" of the page before');
    }
    const user = await access.authorizer.identify(context.req.raw);
    const marks = await reads.list(user.user);
    const isOpen = (room: string) => isOpenTo(user, room);
    const inTurn = inTurnOf(context.env.slot);
    const { counts } = reads;
    const options = { log, counts, reader: user, marks, isOpen, inTurn, limit, after };
    const { rooms, next } = await readOverview(options);
    const body = rooms.map((room) => bodyOf(room, user.user));
    const text = `{"rooms":[${body.join()}],"next":${JSON.stringify(next)}}`;
    return context.body(text, 200, { "content-type": "application/json" });
  });

  app.put(path, async (context) => {
    const { raw } = context.req;
    const user = await access.authorizer.identify(raw);
    const room = roomIn(raw);
    await enterRoom(services, raw, room);
    const body = await readBody(raw, { maxBytes: MAX_BYTES });
    checkFields(body, FIELDS);
    const decoded = decodeCursor(body.read, "read");
    if (!decoded.ok) throw new HttpError(decoded.error);
    access.checkRate(user.user, raw, context.env.info);
    const head = await log.head(room);
    const { cursor } = decoded;
    if (cursor > head) throw httpError("not_found", "There is no such message yet");
    await reads.read(user.user, room, cursor);
    const unread = await reads.counts.count(room, { head, mark: commitOf(cursor) }, user);
    return context.json({ room, read: cursor, ...unread });
  });

  app.delete(path, async (context) => {
    const { raw } = context.req;
    const { user } = await access.authorizer.identify(raw);
    const room = roomIn(raw);
    access.checkRate(user, raw, context.env.info);
    await reads.forget(user, room);
    return context.body(null, 204);
  });

  /**
   * Makes what reads some rooms of an answer when it is the turn of the address. A hundred rooms take
   * a tenth of a second: others' requests come in between.
   */
  function inTurnOf(slot: SharedSlot | undefined): OverviewOptions["inTurn"] {
    const key = slot?.share ?? "";
    return async ({ heads = 0, rooms = 0 }, read) => {
      await joinTurns.turn(key)?.begun;
      if (hub.isDraining) throw httpError("draining", "The server is stopping", retryAfter());
      slot?.processor?.charge(heads * OVERVIEW_HEAD_MS + rooms * OVERVIEW_ROOM_MS);
      return await semaphore.run(key, read);
    };
  }

  async function isOpenTo({ user, roleIn }: UserAccess, room: string): Promise<boolean> {
    const role = await roleIn(room);
    if (role === "none") return false;
    try {
      await checkBan(services, room, { user, role });
      return true;
    } catch (error) {
      if (error instanceof HttpError) return false;
      throw error;
    }
  }

  return app;
}

function bodyOf({ last, ...room }: OverviewRoom, viewer: string): string {
  const message = last === null ? "null" : messageBody(last, viewer);
  return `${JSON.stringify(room).slice(0, -1)},"last":${message}}`;
}

function roomIn(request: Request): string {
  const decoded = decodeRoom(new URL(request.url).searchParams.get("room") ?? "");
  if (!decoded.ok) throw new HttpError(decoded.error);
  return decoded.room;
}

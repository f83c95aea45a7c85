/**
 * The routes of sanctions, for moderators and operators.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { HttpError, httpError, problemError } from "../access/http_error.ts";
import { decodeSanction, decodeUser, type Problem, type SanctionBody } from "../protocol/mod.ts";
import { readBody } from "./request_body.ts";
import { checkBrackets, roomOf } from "./request_params.ts";
import { enterRoom } from "./room_entry.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** Bytes of a body. */
const MAX_BYTES = 4_096;

/** The path of what operators impose in all rooms, and its methods. */
export const EVERYWHERE_ROUTE: readonly [path: string, allow: string] = [
  "/sanctions",
  "GET, POST, DELETE",
];

/**
 * Creates the routes `GET`, `POST` and `DELETE` of `/rooms/:room/sanctions`, and for operators of
 * `/sanctions`, which holds in all rooms. Refusals are thrown.
 *
 * @param services The services of the server.
 * @returns Routes for Hono.
 */
export function sanctionRoutes(services: ServerServices): Hono<ServerEnv> {
  const { hub, access } = services;
  const app = new Hono<ServerEnv>();
  const path = "/rooms/:room/sanctions";

  /** Lets moderators and operators in: gives the name of a moderator. */
  async function enter(request: Request, room: string): Promise<string | undefined> {
    const { authorization, role, isOperator } = await enterRoom(services, request, room);
    if (isOperator) return undefined;
    if (role !== "moderator" || !authorization) {
      throw httpError("forbidden", "Sanctions are for moderators of the room");
    }
    return authorization.user;
  }

  app.get(path, async (context) => {
    const room = roomOf(context);
    await enter(context.req.raw, room);
    return context.json({ sanctions: await hub.sanctions.list(room) });
  });

  app.post(path, async (context) => {
    const room = roomOf(context);
    const { raw } = context.req;
    const by = await enter(raw, room);
    const sanction = await sanctionIn(raw);
    if (by !== undefined) access.checkRate(by, raw, context.env.info);
    check(await hub.sanctions.impose(room, sanction, by));
    return context.json(sanction, 201);
  });

  app.delete(path, async (context) => {
    const room = roomOf(context);
    const { raw } = context.req;
    const by = await enter(raw, room);
    const user = userIn(context);
    if (by !== undefined) access.checkRate(by, raw, context.env.info);
    check(await hub.sanctions.lift(room, user, by));
    return context.body(null, 204);
  });

  const [everywhere] = EVERYWHERE_ROUTE;
  app.use(everywhere, async (context, next) => {
    access.admin.check(context.req.raw);
    await next();
  });

  app.get(everywhere, async (context) => {
    return context.json({ sanctions: await hub.sanctions.listEverywhere() });
  });

  app.post(everywhere, async (context) => {
    const sanction = await sanctionIn(context.req.raw);
    check(await hub.sanctions.imposeEverywhere(sanction));
    return context.json(sanction, 201);
  });

  app.delete(everywhere, async (context) => {
    check(await hub.sanctions.liftEverywhere(userIn(context)));
    return context.body(null, 204);
  });

  return app;
}

async function sanctionIn(request: Request): Promise<SanctionBody> {
  const decoded = decodeSanction(await readBody(request, { maxBytes: MAX_BYTES }));
  if (!decoded.ok) throw new HttpError(decoded.error);
  return decoded.sanction;
}

/** The user in the query: names may hold anything, "/" and ".." too. */
function userIn(context: Context): string {
  checkBrackets(context, ["user"]);
  const user = decodeUser(new URL(context.req.raw.url).searchParams.get("user") ?? "");
  if (!user.ok) throw new HttpError(user.error);
  return user.user;
}

function check(problem: Problem | undefined): void {
  if (!problem) return;
  throw problem.code === "not_stored" ? problemError(problem) : new HttpError(problem);
}

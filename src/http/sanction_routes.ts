/**
 * The routes of sanctions, for moderators and operators.
 *
 * @module
 */

import { Hono } from "hono";
import { HttpError, httpError, retryAfter } from "../access/http_error.ts";
import { decodeSanction, decodeUser, type Problem } from "../protocol/mod.ts";
import { readBody } from "./request_body.ts";
import { roomOf } from "./request_params.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** Bytes of a body. */
const MAX_BYTES = 4_096;

/**
 * Creates the routes `GET`, `POST` and `DELETE` of `/rooms/:room/sanctions`. Refusals are thrown.
 *
 * @param services The services of the server.
 * @returns Routes for Hono.
 */
export function sanctionRoutes({ hub, access }: ServerServices): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const path = "/rooms/:room/sanctions";

  /** Lets moderators and operators in: gives the name of a moderator. */
  async function enter(request: Request, room: string): Promise<string | undefined> {
    const { authorization, role, isOperator } = await access.enter(request, room);
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
    const decoded = decodeSanction(await readBody(raw, { maxBytes: MAX_BYTES }));
    if (!decoded.ok) throw new HttpError(decoded.error);
    if (by !== undefined) access.checkRate(by, raw, context.env.info);
    check(await hub.sanctions.impose(room, decoded.sanction, by));
    return context.json(decoded.sanction, 201);
  });

  app.delete(path, async (context) => {
    const room = roomOf(context);
    const { raw } = context.req;
    const by = await enter(raw, room);
    // Names may hold anything: "/" and ".." too.
    const user = decodeUser(new URL(raw.url).searchParams.get("user") ?? "");
    if (!user.ok) throw new HttpError(user.error);
    check(await hub.sanctions.lift(room, user.user, by));
    return context.body(null, 204);
  });

  return app;
}

function check(problem: Problem | undefined): void {
  if (problem) throw new HttpError(problem, problem.code === "not_stored" ? retryAfter() : {});
}

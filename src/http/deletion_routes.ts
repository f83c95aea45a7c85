/**
 * The routes by which operators delete rooms, erase users and give back space.
 *
 * @module
 */

import { Hono } from "hono";
import { HttpError, httpError, retryAfter } from "../access/http_error.ts";
import type { ErasureProgress } from "../hub/hub_deletions.ts";
import { decodeUser } from "../protocol/mod.ts";
import type { Logger } from "../telemetry/logger.ts";
import { checkBrackets, roomOf } from "./request_params.ts";
import type { Route } from "./route_table.ts";
import type { ServerEnv, ServerServices } from "./services.ts";

/** The paths of these routes that others have no methods of. */
export const DELETION_ROUTES: readonly Route[] = [
  ["/users", "DELETE"],
  ["/compact", "POST"],
];

const encoder = new TextEncoder();

/**
 * Creates the routes `DELETE /rooms/:room`, `DELETE /users` and `POST /compact`. Refusals are thrown.
 *
 * @param services The services of the server.
 * @returns Routes for Hono.
 */
export function deletionRoutes({ hub, access, logger }: ServerServices): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();

  app.delete("/rooms/:room", async (context) => {
    access.admin.check(context.req.raw);
    const room = roomOf(context);
    const problem = await hub.deletions.deleteRoom(room);
    if (problem) throw new HttpError(problem, retryAfter());
    logger("info", "room_deleted", { room });
    return context.body(null, 204);
  });

  app.delete("/users", (context) => {
    access.admin.check(context.req.raw);
    checkBrackets(context, ["user"]);
    // Names may hold anything: "/" and ".." too.
    const user = decodeUser(context.req.query("user") ?? "");
    if (!user.ok) throw new HttpError(user.error);
    const body = linesOf(hub.deletions.eraseUser(user.user), logger);
    return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
  });

  app.post("/compact", async (context) => {
    access.admin.check(context.req.raw);
    const startedAt = performance.now();
    const done = await hub.log.compact();
    if (!done) {
      const message =
        "The store has no file here that could be compacted: it gives back space itself";
      throw httpError("not_supported", message);
    }
    const { before, after } = done;
    const ms = Math.round(performance.now() - startedAt);
    return context.json({ before_bytes: before, after_bytes: after, took_ms: ms });
  });

  return app;
}

/** Says how far it is, a line each time. Where nobody reads on, the rest is left. */
function linesOf(
  progress: AsyncGenerator<ErasureProgress, void>,
  logger: Logger,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const line = (value: unknown) => encoder.encode(JSON.stringify(value) + "\n");
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { value, done } = await progress.next();
        if (done) return controller.close();
        if (value.done) logger("info", "user_erased", { ...value });
        controller.enqueue(line(value));
      } catch (error) {
        logger("error", "erase_failed", { error });
        const message = "It could not be finished: ask again, and it goes on";
        controller.enqueue(line({ done: false, error: { code: "unavailable", message } }));
        controller.close();
      }
    },
    async cancel() {
      await progress.return();
    },
  }, { highWaterMark: 0 });
}

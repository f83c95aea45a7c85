/**
 * The client as one module, at `/client.js`: for a plain page, on whichever origin it stands.
 *
 * @module
 */

import { Hono } from "hono";
// Made by `deno task page` of src/client.
import assets from "../page/assets.json" with { type: "json" };
import type { Route } from "./route_table.ts";
import type { ServerEnv } from "./services.ts";
import { StaticFile } from "./static_file.ts";

/** The path of the module, and its method. */
export const CLIENT_ROUTE: Route = ["/client.js", "GET"];

/** A module holds nothing of anybody: every page may import it, one that is isolated too. */
const HEADERS = {
  "access-control-allow-origin": "*",
  "cross-origin-resource-policy": "cross-origin",
  // Asked for each time, and answered with 304 while it is the same: it fits the server.
  "cache-control": "no-cache",
};

/**
 * Creates the route of the client.
 *
 * @returns The routes for the server's base.
 */
export function clientRoute(): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const file = new StaticFile(assets.files["client.js"]);
  app.get(CLIENT_ROUTE[0], (context) => file.respond(context.req.raw, HEADERS));
  return app;
}

/**
 * Headers that tell browsers what they may do with a response.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import type { AllowedOrigins } from "../access/origin.ts";
import { cors } from "hono/cors";

/** The status of an upgrade. */
const SWITCHING_PROTOCOLS = 101;
/** Seconds for which a browser may remember what a page of another origin may ask. */
const PREFLIGHT_SECONDS = 600;

/**
 * Headers of every response but that of an upgrade, where it does not say otherwise itself: what
 * this server sends is data, and no page may show it, run it or keep it.
 */
const SECURITY_HEADERS = [
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["referrer-policy", "no-referrer"],
  ["cache-control", "no-store"],
] as const;

/**
 * Adds headers for safety to a response that does not say otherwise itself.
 *
 * @param response The response. That of an upgrade stays untouched: another one would close the
 * listener.
 * @returns The same response.
 */
export function secure(response: Response): Response {
  if (response.status === SWITCHING_PROTOCOLS) return response;
  for (const [name, value] of SECURITY_HEADERS) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

/**
 * Lets pages of other origins read what they may ask for (CORS).
 *
 * @param origins The origins, at least one.
 * @param options The end of the paths that upgrade: their responses must stay untouched.
 * @returns A middleware for Hono.
 */
export function shareWith(
  origins: AllowedOrigins,
  options: { readonly except: string },
): MiddlewareHandler {
  const share = cors({
    origin: (origin) => origins.includes(origin) ? origin : null,
    allowMethods: ["GET", "POST"],
    allowHeaders: ["authorization", "content-type", "last-event-id"],
    exposeHeaders: ["retry-after"],
    maxAge: PREFLIGHT_SECONDS,
  });
  return async (context, next) => {
    if (context.req.path.endsWith(options.except)) return await next();
    return await share(context, next);
  };
}

/**
 * The headers that tell browsers what they may do with a response.
 *
 * @module
 */

import type { AllowedOrigins } from "../access/origin.ts";

/** The status of an upgrade. */
const SWITCHING_PROTOCOLS = 101;
/** Seconds for which a browser may remember what a page of another origin may ask. */
const PREFLIGHT_SECONDS = 600;
/** What pages of other origins may ask with, and read of the headers of an answer. */
const ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE";
const ALLOWED_HEADERS = "authorization, content-type, last-event-id";
const EXPOSED_HEADERS = "retry-after, www-authenticate";

/**
 * Headers of every response but that of an upgrade, where it does not say otherwise itself: what
 * this server sends is data, and no page may show it, run it or keep it.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};
const SECURITY_ENTRIES = Object.entries(SECURITY_HEADERS);

/**
 * Adds headers for safety to a response that does not say otherwise itself.
 *
 * @param response The response. That of an upgrade stays untouched: another one would close the
 * listener.
 * @returns The same response.
 */
export function secure(response: Response): Response {
  if (response.status === SWITCHING_PROTOCOLS) return response;
  for (const [name, value] of SECURITY_ENTRIES) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

/**
 * Lets pages of allowed origins read a response, whatever its status (CORS).
 *
 * @param response The response. That of an upgrade stays untouched.
 * @param request Its request.
 * @param origins The origins besides the server's own.
 * @returns The same response.
 */
export function share(response: Response, request: Request, origins: AllowedOrigins): Response {
  if (response.status === SWITCHING_PROTOCOLS || origins.isEmpty) return response;
  const { headers } = response;
  headers.append("vary", "origin");
  const origin = request.headers.get("origin");
  if (origin === null || !origins.includes(origin)) return response;
  headers.set("access-control-allow-origin", origin);
  // Sessions may be kept in a cookie.
  headers.set("access-control-allow-credentials", "true");
  headers.set("access-control-expose-headers", EXPOSED_HEADERS);
  return response;
}

/**
 * Answers the question of a browser what a page of another origin may ask.
 *
 * @param request The request.
 * @param origins The origins that may ask.
 * @returns The answer, without the headers of {@linkcode share}; undefined if the request is no such
 * question, or its origin is not allowed.
 */
export function preflight(request: Request, origins: AllowedOrigins): Response | undefined {
  const { method, headers } = request;
  const origin = headers.get("origin");
  const isPreflight = method === "OPTIONS" && headers.has("access-control-request-method");
  if (!isPreflight || origin === null || !origins.includes(origin)) return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": ALLOWED_METHODS,
      "access-control-allow-headers": ALLOWED_HEADERS,
      "access-control-max-age": String(PREFLIGHT_SECONDS),
    },
  });
}

/**
 * The parameters of requests.
 *
 * @module
 */

import type { Context } from "hono";
import { isCursor } from "../store/cursor.ts";
import { decodeRoom } from "../protocol/mod.ts";
import { HttpError, httpError } from "../access/http_error.ts";

/**
 * Reads the room in the path.
 *
 * @param context The request.
 * @returns The room's name.
 * @throws {HttpError} Where it is none.
 */
export function roomOf(context: Context): string {
  const decoded = decodeRoom(context.req.param("room") ?? "");
  if (!decoded.ok) throw new HttpError(decoded.error);
  return decoded.room;
}

/**
 * Whether a request asks for a WebSocket.
 *
 * @param request The request.
 * @returns True where it asks for that upgrade.
 */
export function isUpgrade({ headers }: Request): boolean {
  return headers.get("upgrade")?.toLowerCase() === "websocket";
}

/**
 * Creates the refusal of a request that should have asked for a WebSocket. One that has some of the
 * headers of a handshake came through a proxy that dropped the others.
 *
 * @param context The request.
 * @returns The refusal, to be thrown.
 */
export function upgradeRequired(context: Context): HttpError {
  const isProxied = isStrippedHandshake(context.req.raw);
  const message = isProxied
    ? "The request has Sec-WebSocket-Key, but no Upgrade: websocket. A proxy in front dropped it, " +
      "and has to pass the headers Upgrade and Connection on"
    : "This path speaks WebSocket: send the headers of an upgrade";
  return httpError("upgrade_required", message, { upgrade: "websocket", connection: "upgrade" });
}

/**
 * Whether a request was a WebSocket handshake until a proxy dropped the headers that it has to pass
 * on.
 *
 * @param request The request.
 * @returns True if so.
 */
export function isStrippedHandshake(request: Request): boolean {
  return !isUpgrade(request) && request.headers.has("sec-websocket-key");
}

/**
 * Checks the headers of a WebSocket handshake (RFC 6455, section 4.2.1) as far as Deno does not.
 *
 * @param context The request.
 * @throws {HttpError} Where it asks for no upgrade, or not in the right way.
 */
export function checkHandshake(context: Context): void {
  const header = (name: string) => context.req.header(name) ?? "";
  if (!isUpgrade(context.req.raw)) throw upgradeRequired(context);
  // Hono answers HEAD through GET, in a response of its own: not after an upgrade.
  if (context.req.method !== "GET") {
    throw httpError("method_not_allowed", "This path takes GET", { allow: "GET" });
  }
  if (header("sec-websocket-version") !== "13") {
    const message = "This server speaks version 13 of the WebSocket protocol";
    throw httpError("upgrade_required", message, { "sec-websocket-version": "13" });
  }
  if (!/^[A-Za-z0-9+/]{22}==$/.test(header("sec-websocket-key"))) {
    throw httpError("bad_handshake", '"Sec-WebSocket-Key" must be 16 bytes in base64');
  }
}

/**
 * Reads a whole number in the query.
 *
 * @param context The request.
 * @param name The name of the parameter.
 * @param otherwise What it is where it is missing.
 * @param min The least it may be.
 * @param max The most it may be.
 * @returns The number.
 * @throws {HttpError} Where it is none, or out of range.
 */
export function numberOf(
  context: Context,
  name: string,
  otherwise: number,
  min: number,
  max: number,
): number {
  const text = context.req.query(name);
  if (text === undefined) return otherwise;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (number >= min && number <= max) return number;
  throw httpError("bad_query", `"${name}" must be a whole number from ${min} to ${max}`);
}

/**
 * Reads the user's name in the query.
 *
 * @param context The request.
 * @returns The name, or undefined where it is missing.
 */
export function nameIn({ req }: Context): string | undefined {
  // Hono takes what is no UTF-8 for text; `URL` does not, and takes ten times as long.
  if (!req.raw.url.includes("%")) return req.query("user");
  return new URL(req.raw.url).searchParams.get("user") ?? undefined;
}

/**
 * Reads a cursor in the query.
 *
 * @param context The request.
 * @param name The name of the parameter.
 * @returns The cursor, or undefined where it is missing.
 * @throws {HttpError} Where it has not the form of one.
 */
export function cursorOf(context: Context, name: string): string | undefined {
  const text = context.req.query(name);
  if (text === undefined || isCursor(text)) return text;
  throw httpError("bad_cursor", `"${name}" is not a cursor of this server`);
}

/**
 * Refuses parameters in brackets, such as `after[0]`, of names that are known without: what is asked
 * for must not be passed over.
 *
 * @param context The request.
 * @param names The names.
 * @throws {HttpError} Where there is one.
 */
export function checkBrackets({ req }: Context, names: readonly string[]): void {
  if (!/\[|%5b/i.test(req.url)) return;
  for (const name of Object.keys(req.query())) {
    const known = names.find((known) => name.startsWith(`${known}[`));
    if (known !== undefined) {
      throw httpError("bad_query", `"${known}" takes one value, no brackets`);
    }
  }
}

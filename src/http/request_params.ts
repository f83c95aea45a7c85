/**
 * What requests hold.
 *
 * @module
 */

import type { Context } from "hono";
import { isCursor } from "../store/entry.ts";
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
 * Tells whether a request asks for a WebSocket.
 *
 * @param context The request.
 * @returns True where it asks for that upgrade.
 */
export function isUpgrade(context: Context): boolean {
  return context.req.header("upgrade")?.toLowerCase() === "websocket";
}

/**
 * Makes the refusal of a request that should have asked for a WebSocket.
 *
 * @returns The refusal, to be thrown.
 */
export function upgradeRequired(): HttpError {
  const message = "This path speaks WebSocket: send the headers of an upgrade";
  return httpError("upgrade_required", message, { upgrade: "websocket", connection: "upgrade" });
}

/**
 * Checks the headers of a WebSocket handshake (RFC 6455, section 4.2.1) as far as Deno does not.
 *
 * @param context The request.
 * @throws {HttpError} Where it asks for no upgrade, or not in the right way.
 */
export function checkHandshake(context: Context): void {
  const header = (name: string) => context.req.header(name) ?? "";
  if (!isUpgrade(context)) throw upgradeRequired();
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
 * Reads the body. Not by Hono's `bodyLimit`: that leaves the body of a request without a length
 * open for ever.
 *
 * @param request The request.
 * @param maxBytes The most that is read.
 * @returns The object in it.
 * @throws {HttpError} Where it is longer, or is not a JSON object in UTF-8.
 */
export async function bodyOf(
  request: Request,
  maxBytes: number,
): Promise<Record<string, unknown>> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let body: unknown;
  try {
    let [text, size] = ["", 0];
    for await (const chunk of request.body ?? []) {
      size += chunk.length;
      if (size > maxBytes) {
        throw httpError("body_too_large", `The body is longer than ${maxBytes} bytes`);
      }
      text += decoder.decode(chunk, { stream: true });
    }
    body = JSON.parse(text + decoder.decode());
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw httpError("bad_body", "The body is not JSON in UTF-8");
  }
  if (typeof body === "object" && body !== null && !Array.isArray(body)) {
    return body as Record<string, unknown>;
  }
  throw httpError("bad_body", "The body must be a JSON object");
}

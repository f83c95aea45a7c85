/**
 * The token that a request carries.
 *
 * @module
 */

import { readHeader } from "./request_header.ts";

/** The start of a subprotocol that carries a token. */
const TOKEN_PROTOCOL = "hubbub.token.";
/** The start of a token of any characters: base64url (RFC 4648, section 5) of its UTF-8 follows. */
const TOKEN64_PREFIX = "hubbub.token64.";

/**
 * Finds the token of a request: in `Authorization: Bearer`, in a subprotocol `hubbub.token.…`, or in
 * the query as `token`. For an {@linkcode Authorize} of one's own.
 *
 * A subprotocol and a header cannot hold every character: `hubbub.token64.` in either stands before
 * a token in base64url.
 *
 * @param request The request.
 * @returns The first that is there.
 *
 * @example
 * ```ts
 * import { type Authorize, tokenOf } from "@hubbub/hub";
 *
 * const sessions = new Map([["s1", "ann"]]);
 * const authorize: Authorize = (request) => {
 *   const user = sessions.get(tokenOf(request) ?? "");
 *   return user === undefined ? { denied: "Please log in" } : { user };
 * };
 * const headers = { authorization: "Bearer s1" };
 * const request = new Request("http://localhost/rooms/lobby", { headers });
 * console.log(await authorize(request, { signal: request.signal })); // { user: "ann" }
 * ```
 */
export function tokenOf(request: Request): string | undefined {
  const bearer = /^bearer +(\S+)$/i.exec(
    readHeader(request.headers, "authorization")?.trim() ?? "",
  );
  if (bearer) return bearer[1].startsWith(TOKEN64_PREFIX) ? decodeToken(bearer[1]) : bearer[1];
  for (const protocol of (readHeader(request.headers, "sec-websocket-protocol") ?? "").split(",")) {
    const name = protocol.trim();
    if (name.startsWith(TOKEN_PROTOCOL)) return name.slice(TOKEN_PROTOCOL.length);
    if (name.startsWith(TOKEN64_PREFIX)) return decodeToken(name);
  }
  return new URL(request.url).searchParams.get("token") || undefined;
}

/**
 * Writes a token for `Authorization`, in base64url where a header could not hold it.
 *
 * @param token The token.
 * @returns The header.
 */
export function bearerOf(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`;
  let bytes = "";
  for (const byte of new TextEncoder().encode(token)) bytes += String.fromCharCode(byte);
  const base64 = btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return `Bearer ${TOKEN64_PREFIX}${base64}`;
}

/** Decodes what follows {@linkcode TOKEN64_PREFIX}; undefined where that is no text. */
function decodeToken(name: string): string | undefined {
  const base64 = name.slice(TOKEN64_PREFIX.length).replaceAll("-", "+").replaceAll("_", "/");
  try {
    const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

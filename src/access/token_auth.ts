/**
 * Who may come in: tokens, and what they allow.
 *
 * @module
 */

import { verify, verifyWithJwks } from "hono/jwt";
import { KeySet, type KeySetOptions } from "./key_set.ts";
import type { Authorization, AuthorizationDenied, Authorize } from "./authorization.ts";
import { decodeUser, TOKEN_MAX_LENGTH } from "../protocol/mod.ts";

/** Whose tokens are believed: those of one secret, or those of a published set of keys. */
export type TokenOptions =
  | { readonly secret: string }
  | { readonly jwksUrl: string; readonly keys?: Pick<KeySetOptions, "fetch" | "now"> };

/** The start of a subprotocol that carries a token. */
const TOKEN_PROTOCOL = "hubbub.token.";
/** The start of a token of any characters: base64url (RFC 4648, section 5) of its UTF-8 follows. */
const TOKEN64_PREFIX = "hubbub.token64.";
/** Patterns of rooms that one token may hold. */
const ROOMS_MAX = 256;
/** What a published key may have signed with; a shared secret only ever with HS256. */
const ASYMMETRIC_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;
/** A clock that runs ahead at the issuer is no reason to refuse; `exp` and `nbf` are checked. */
const VERIFICATION = { iat: false } as const;

/**
 * Lets in who has a valid token: JSON Web Tokens (RFC 7519) whose `sub` is the user, whose `rooms`,
 * a list of names in which `*` stands for anything, says where to (everywhere, if it is missing),
 * and whose `exp` says until when.
 *
 * @param options Whose tokens are believed.
 * @returns What {@linkcode createServer} takes as `authorize`.
 *
 * @example
 * ```ts
 * import { createServer, Hub, KvRoomLog, tokenAuthorizer } from "@hubbub/hub";
 *
 * using kv = await Deno.openKv(":memory:");
 * const authorize = tokenAuthorizer({ secret: "32 bytes or more that nobody knows" });
 * await using server = createServer(new Hub(new KvRoomLog(kv)), { authorize });
 * const response = await server.fetch(new Request("http://localhost/rooms/lobby"));
 * console.log(response.status, await response.text()); // 401 … A token is required
 * ```
 */
export function tokenAuthorizer(options: TokenOptions): Authorize {
  const read = reader(options);
  return async (request) => {
    const token = tokenOf(request);
    if (token === undefined) return { denied: "A token is required" };
    const claims = token.length > TOKEN_MAX_LENGTH ? undefined : await read(token);
    return claims === undefined
      ? { denied: "The token is not valid, or no longer" }
      : toPass(claims);
  };
}

/**
 * Finds the token of a request, for an {@linkcode Authorize} of one's own: in `Authorization: Bearer`, in a subprotocol `hubbub.token.…`, or
 * in the query as `token`.
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
 * console.log(await authorize(new Request("http://localhost/rooms/lobby", { headers })));
 * ```
 */
export function tokenOf(request: Request): string | undefined {
  const bearer = /^bearer +(\S+)$/i.exec(request.headers.get("authorization")?.trim() ?? "");
  if (bearer) return bearer[1].startsWith(TOKEN64_PREFIX) ? decodeToken(bearer[1]) : bearer[1];
  for (const protocol of (request.headers.get("sec-websocket-protocol") ?? "").split(",")) {
    const name = protocol.trim();
    if (name.startsWith(TOKEN_PROTOCOL)) return name.slice(TOKEN_PROTOCOL.length);
    if (name.startsWith(TOKEN64_PREFIX)) return decodeToken(name);
  }
  return new URL(request.url).searchParams.get("token") || undefined;
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

/**
 * Tells whether a name matches a pattern in which `*` stands for anything, also nothing.
 *
 * @param pattern The pattern.
 * @param name The name.
 * @returns True where all of the name matches. Takes time in proportion to both lengths, at worst.
 */
export function matches(pattern: string, name: string): boolean {
  const [first, ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === name;
  const last = rest.pop()!;
  const isLongEnough = name.length >= first.length + last.length;
  if (!isLongEnough || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}

/** Makes what reads a token's claims: undefined for one that is not believed. */
function reader(options: TokenOptions): (token: string) => Promise<unknown> {
  if ("secret" in options) {
    return (token) => believed(verify(token, options.secret, { alg: "HS256", ...VERIFICATION }));
  }
  const keySet = new KeySet({ url: options.jwksUrl, ...options.keys });
  return async (token) => {
    const keys = await keySet.keysFor(token);
    if (keys === undefined) return undefined;
    const allowedAlgorithms = ASYMMETRIC_ALGORITHMS;
    const verification = VERIFICATION;
    return await believed(
      verifyWithJwks(token, { keys: [...keys], allowedAlgorithms, verification }),
    );
  };
}

/** Every way in which a token can be wrong is the same to us, and Hono's errors quote the token. */
async function believed(verified: Promise<unknown>): Promise<unknown> {
  try {
    return await verified;
  } catch {
    return undefined;
  }
}

function toPass(claims: unknown): Authorization | AuthorizationDenied {
  if (typeof claims !== "object" || claims === null) return { denied: "The token holds no claims" };
  const { sub, rooms, exp } = claims as Record<string, unknown>;
  if (typeof sub !== "string") return { denied: 'The token names no user in "sub"' };
  const decoded = decodeUser(sub);
  if (!decoded.ok) {
    return { denied: `The token's "sub" cannot be a user: ${decoded.error.message}` };
  }
  // Else two users of the issuer could be one here.
  if (decoded.user !== sub) return { denied: `The token's "sub" should read "${decoded.user}"` };
  if (exp !== undefined && typeof exp !== "number") {
    return { denied: 'The token\'s "exp" is no time' };
  }
  const expiresAt = exp === undefined ? undefined : 1000 * exp;
  if (rooms === undefined) return { user: sub, expiresAt };
  if (!Array.isArray(rooms) || rooms.length > ROOMS_MAX || !rooms.every(isPattern)) {
    return { denied: 'The token\'s "rooms" is not a list of names' };
  }
  const mayEnter = (room: string) => rooms.some((pattern: string) => matches(pattern, room));
  return { user: sub, expiresAt, mayEnter };
}

function isPattern(value: unknown): value is string {
  return typeof value === "string" && value.length <= 128;
}

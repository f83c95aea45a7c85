/**
 * Authorization by JSON Web Tokens.
 *
 * @module
 */

import { errors, jwtVerify } from "jose";
import type { JWTPayload, JWTVerifyOptions, JWTVerifyResult } from "jose";
import type { Authorization, AuthorizationDenied } from "./authorization.ts";
import { IssuerKeys, IssuerKeysError, type IssuerKeysOptions } from "./issuer_keys.ts";
import { decodeUser, TOKEN_MAX_LENGTH } from "../protocol/mod.ts";
import { tokenOf } from "./request_token.ts";
import { RoomRoles } from "./room_roles.ts";

/** Which claims a token must have besides a user. */
export interface TokenClaims {
  /** One of these must be in the token's `aud`. @default {undefined} any, or none */
  readonly audience?: string | readonly string[];
  /** One of these must be the token's `iss`. @default {undefined} any, or none */
  readonly issuer?: string | readonly string[];
}

/** Tokens of a shared secret. */
export interface SecretTokenOptions extends TokenClaims {
  /** The secret, whose UTF-8 bytes sign tokens with HS256: 32 bytes or more. */
  readonly secret: string;
}

/** Tokens of an issuer that publishes its keys. */
export interface KeySetTokenOptions extends TokenClaims {
  /** The address of a JSON Web Key Set (RFC 7517). */
  readonly jwksUrl: string;
  /** How the key set is fetched. */
  readonly keys?: Pick<IssuerKeysOptions, "fetch" | "now">;
}

/** The tokens that are valid: those of one secret, or those of a published key set. */
export type TokenOptions = SecretTokenOptions | KeySetTokenOptions;

/**
 * Authorizes a request by its token alone, whatever it is for: an {@linkcode Authorize}, and to be
 * called by one of your own.
 */
export type TokenAuthorize = (request: Request) => Promise<Authorization | AuthorizationDenied>;

/** Bytes that a secret for HS256 must have at least (RFC 7518, section 3.2). */
export const SECRET_MIN_BYTES = 32;
/** Seconds by which the clocks of issuer and server may differ. */
const LEEWAY_SECONDS = 30;
/** Keys without a name that are tried for one token. */
const CANDIDATES_MAX = 8;
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
  "Ed25519",
];

/**
 * Authorizes by JSON Web Tokens (RFC 7519). `sub` is the user, `name` a name to show beside it, and
 * `exp` the end. `rooms` is a list of patterns of the rooms that are open to the user as a member, or
 * an object from patterns to roles: `reader`, `member`, `moderator`, or `none`, which shuts a room.
 * `*` in a pattern stands for any characters; the longest pattern that matches decides, of equal
 * length the lowest role. Without `rooms` the user is a member of every room. `exp`, `nbf` and `iat`
 * are checked with 30 s of leeway, and none of them is required.
 *
 * @param options Which tokens are valid.
 * @returns The `authorize` of {@linkcode createServer}.
 * @throws {RangeError} If the secret has less than 32 bytes.
 * @throws {TypeError} If another option cannot be used: an empty audience would let in any token.
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
export function tokenAuthorizer(options: TokenOptions): TokenAuthorize {
  const verify = verifier(options);
  return async (request) => {
    const token = tokenOf(request);
    if (token === undefined) return { denied: "A token is required" };
    if (token.length > TOKEN_MAX_LENGTH) return { denied: "The token is too long" };
    try {
      const { payload } = await verify(token);
      return authorizationOf(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) return { denied: reasonOf(error) };
      // Not the token's fault: the keys cannot be had, or are none that can verify.
      throw error instanceof IssuerKeysError ? error : new IssuerKeysError(String(error));
    }
  };
}

/** Makes what verifies a token's signature and times, and rejects with jose's errors. */
function verifier(options: TokenOptions): (token: string) => Promise<JWTVerifyResult> {
  const claims: JWTVerifyOptions = {
    audience: listOf("audience", options.audience),
    issuer: listOf("issuer", options.issuer),
    clockTolerance: LEEWAY_SECONDS,
  };
  if ("secret" in options) {
    const key = new TextEncoder().encode(options.secret);
    if (key.length < SECRET_MIN_BYTES) {
      throw new RangeError(
        `Cannot use the secret: it must have ${SECRET_MIN_BYTES} bytes or more, not ${key.length}`,
      );
    }
    return (token) => jwtVerify(token, key, { ...claims, algorithms: ["HS256"] });
  }
  const { jwksUrl } = options;
  if (!/^https?:/.test(jwksUrl) || !URL.canParse(jwksUrl)) {
    throw new TypeError(
      `Cannot use jwksUrl ${JSON.stringify(jwksUrl)}: it must be an http or https address`,
    );
  }
  const keys = new IssuerKeys({ url: jwksUrl, ...options.keys });
  const published = { ...claims, algorithms: ASYMMETRIC_ALGORITHMS };
  return async (token) => {
    try {
      return await jwtVerify(token, (header) => keys.find(header), published);
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      return await verifyByOneOf(error, (key) => jwtVerify(token, key, published));
    }
  };
}

/** Tries the keys of a set for a token that names none of them. */
async function verifyByOneOf(
  candidates: errors.JWKSMultipleMatchingKeys,
  verify: (key: CryptoKey) => Promise<JWTVerifyResult>,
): Promise<JWTVerifyResult> {
  let count = 0;
  for await (const key of candidates) {
    if (count++ === CANDIDATES_MAX) break;
    try {
      return await verify(key);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

/** Why a token is not valid, without a word of the token. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return "The token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    switch (error.claim) {
      case "nbf":
        return "The token is not valid yet";
      case "iss":
        return "The token is of another issuer";
      case "aud":
        return "The token is for another audience";
    }
  }
  return "The token is not valid";
}

function authorizationOf(claims: JWTPayload): Authorization | AuthorizationDenied {
  const { sub, name, rooms, exp, iat } = claims;
  if (typeof sub !== "string") return { denied: 'The token names no user in "sub"' };
  const decoded = decodeUser(sub);
  if (!decoded.ok) {
    return { denied: `The token's "sub" cannot be a user: ${decoded.error.message}` };
  }
  // Else two users of the issuer could be one here.
  if (decoded.user !== sub) return { denied: `The token's "sub" should read "${decoded.user}"` };
  if (iat !== undefined && iat > Date.now() / 1000 + LEEWAY_SECONDS) {
    return { denied: "The token is not valid yet" };
  }
  // With the same leeway: a connection must not end before its token is refused.
  const expiresAt = exp === undefined ? undefined : 1000 * (exp + LEEWAY_SECONDS);
  const user = { user: sub, expiresAt, ...(typeof name === "string" && { name }) };
  if (rooms === undefined) return user;
  const roles = RoomRoles.parse(rooms);
  if (roles) return { ...user, roleIn: (room) => roles.roleIn(room) };
  return { denied: 'The token\'s "rooms" is neither a list of patterns nor patterns with roles' };
}

function listOf(
  name: string,
  value: string | readonly string[] | undefined,
): string[] | undefined {
  if (value === undefined) return undefined;
  const list: unknown[] = [value].flat();
  const isText = (item: unknown): item is string => typeof item === "string" && item !== "";
  if (list.length > 0 && list.every(isText)) return list;
  const given = JSON.stringify(value);
  throw new TypeError(`Cannot use ${name} ${given}: it must be a text or a list of texts`);
}

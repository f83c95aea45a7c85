/**
 * The configuration of who may do what.
 *
 * @module
 */

import { ADMIN_TOKEN_MIN_LENGTH, isLongEnough } from "../access/admin_token.ts";
import { isLoopbackHost } from "../access/host.ts";
import { SECRET_MIN_BYTES, type TokenOptions } from "../access/token_auth.ts";
import type { Environment } from "./environment.ts";

/**
 * Reads which tokens are valid.
 *
 * @param environment The variables.
 * @returns The tokens; undefined for an open hub.
 * @throws {RangeError} If a value cannot be used.
 */
export function readTokens(environment: Environment): TokenOptions | undefined {
  const secret = environment.raw("HUBBUB_JWT_SECRET");
  const jwksUrl = environment.text("HUBBUB_JWKS_URL");
  const audience = environment.list("HUBBUB_JWT_AUDIENCE");
  const issuer = environment.list("HUBBUB_JWT_ISSUER");
  if (secret !== undefined && jwksUrl !== undefined) {
    throw new RangeError("HUBBUB_JWT_SECRET and HUBBUB_JWKS_URL are both set: only one can be");
  }
  if (secret !== undefined) {
    const bytes = new TextEncoder().encode(secret).length;
    if (bytes >= SECRET_MIN_BYTES) return { secret, audience, issuer };
    throw new RangeError(
      `HUBBUB_JWT_SECRET must have ${SECRET_MIN_BYTES} bytes or more, not ${bytes}`,
    );
  }
  if (jwksUrl !== undefined) {
    if (/^https?:/.test(jwksUrl) && URL.canParse(jwksUrl)) return { jwksUrl, audience, issuer };
    throw new RangeError("HUBBUB_JWKS_URL must be an http or https address");
  }
  for (const name of ["HUBBUB_JWT_AUDIENCE", "HUBBUB_JWT_ISSUER"] as const) {
    if (environment.text(name) === undefined) continue;
    const missing = "neither HUBBUB_JWT_SECRET nor HUBBUB_JWKS_URL is: no token would be asked for";
    throw new RangeError(`${name} is set, but ${missing}`);
  }
  return undefined;
}

/**
 * Checks that a hub is open to other machines only if somebody says so.
 *
 * @param environment The variables.
 * @param host Where it listens.
 * @param tokens The tokens that are valid.
 * @throws {RangeError} If nobody does.
 */
export function checkOpen(
  environment: Environment,
  host: string,
  tokens: TokenOptions | undefined,
): void {
  const isOpen = environment.flag("HUBBUB_OPEN");
  if (isOpen && tokens) {
    throw new RangeError("HUBBUB_OPEN is 1, and tokens are asked for: only one can be");
  }
  if (isOpen || tokens || isLoopbackHost(host)) return;
  throw new RangeError(
    `HOST is "${host}", which others can reach: set HUBBUB_JWT_SECRET or HUBBUB_JWKS_URL, or ` +
      "HUBBUB_OPEN=1 to let everybody in under any name",
  );
}

/** What operators have. */
export interface AdminConfiguration {
  /** The token of operators; undefined where there are none. */
  readonly adminToken: string | undefined;
  /** Whether `/metrics` is for operators alone. */
  readonly adminMetrics: boolean;
}

/**
 * Reads what operators have.
 *
 * @param environment The variables.
 * @returns Their token, and what is for them alone.
 * @throws {RangeError} If a value cannot be used; the message does not hold it.
 */
export function readAdmin(environment: Environment): AdminConfiguration {
  const adminToken = environment.text("HUBBUB_ADMIN_TOKEN");
  if (adminToken !== undefined && !isLongEnough(adminToken)) {
    const form = `${ADMIN_TOKEN_MIN_LENGTH} characters or more, without white space`;
    throw new RangeError(`HUBBUB_ADMIN_TOKEN must have ${form}`);
  }
  const metrics = environment.text("HUBBUB_METRICS") ?? "open";
  if (metrics !== "open" && metrics !== "admin") {
    throw new RangeError(`HUBBUB_METRICS must be "open" or "admin", not "${metrics}"`);
  }
  if (metrics === "admin" && adminToken === undefined) {
    throw new RangeError("HUBBUB_METRICS is admin, but HUBBUB_ADMIN_TOKEN is not set");
  }
  return { adminToken, adminMetrics: metrics === "admin" };
}

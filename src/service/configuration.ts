/**
 * What the environment says.
 *
 * @module
 */

import { DEFAULT_CONNECTION_LIMITS } from "../access/connection_limits.ts";
import type { TokenOptions } from "../access/token_auth.ts";
import { expectedOrigin } from "../access/origin.ts";

/** Everything that the environment decides. */
export interface Configuration {
  /** Where to listen: a TCP port, 0 for any free one. */
  readonly port: number;
  /** Where to listen: a name or an address of this machine. */
  readonly host: string;
  /** What to give `Deno.openKv`; undefined for the assigned database of Deno Deploy. */
  readonly kv: string | undefined;
  /** Milliseconds for which messages are kept; undefined for ever. */
  readonly retentionMs: number | undefined;
  /** UTF-8 bytes of text in one message. */
  readonly maxTextBytes: number;
  /** Messages a second on one connection; 0 for no limit. */
  readonly messagesPerSecond: number;
  /** Connections at the same time, in one isolate. */
  readonly maxConnections: number;
  /**
   * Those of one IPv4 address or IPv6 network (/64); 0 for no limit, undefined for the default,
   * which spares this machine's own addresses.
   */
  readonly maxConnectionsPerAddress: number | undefined;
  /** Those in one room; 0 for no limit. */
  readonly maxConnectionsPerRoom: number;
  /** Those of one user; 0 for no limit. */
  readonly maxConnectionsPerUser: number;
  /** Whose tokens let in; undefined for an open hub. */
  readonly tokens: TokenOptions | undefined;
  /** Origins of web pages that may use the server besides its own. */
  readonly origins: readonly string[];
  /** Proxies in front that add to `X-Forwarded-For`. */
  readonly proxies: number;
}

/** The names of the variables that {@linkcode readConfiguration} asks for. */
export const VARIABLES = [
  "PORT",
  "HOST",
  "HUBBUB_KV",
  "HUBBUB_RETENTION_DAYS",
  "HUBBUB_MAX_TEXT_BYTES",
  "HUBBUB_MESSAGES_PER_SECOND",
  "HUBBUB_MAX_CONNECTIONS",
  "HUBBUB_MAX_CONNECTIONS_PER_ADDRESS",
  "HUBBUB_MAX_CONNECTIONS_PER_ROOM",
  "HUBBUB_MAX_CONNECTIONS_PER_USER",
  "HUBBUB_JWT_SECRET",
  "HUBBUB_JWKS_URL",
  "HUBBUB_ORIGINS",
  "HUBBUB_PROXIES",
] as const;

/** Milliseconds in a day. */
const DAY_MS = 24 * 60 * 60 * 1000;
/** A text of this many bytes fits into an entry of the log, with its name, if not much is escaped. */
const TEXT_BYTES_MAX = 60_000;
/** Connections that no machine holds. */
const CONNECTIONS_MAX = 10_000_000;
/** Bytes that a secret for HS256 should have at least (RFC 7518, section 3.2). */
const SECRET_GOOD_BYTES = 32;

/**
 * Reads the configuration. A variable that is empty counts as not set.
 *
 * @param get Gives the value of a variable, such as `Deno.env.get`.
 * @returns The configuration, with defaults for what is not set.
 * @throws {RangeError} Where a value cannot be used; the message is one line for the operator.
 *
 * @example
 * ```ts
 * import { readConfiguration } from "@hubbub/hub/service";
 *
 * const environment = new Map([["PORT", "9000"]]); // or (name) => Deno.env.get(name)
 * const { port, host } = readConfiguration((name) => environment.get(name));
 * console.log(port, host); // 9000 127.0.0.1
 * ```
 */
export function readConfiguration(get: (name: string) => string | undefined): Configuration {
  const text = (name: string) => get(name)?.trim() || undefined;
  const number = (name: string, otherwise: number, min: number, max: number) => {
    const value = text(name);
    if (value === undefined) return otherwise;
    const parsed = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
    if (parsed >= min && parsed <= max) return parsed;
    throw new RangeError(`${name} must be a number from ${min} to ${max}, not "${value}"`);
  };
  const whole = (name: string, otherwise: number, min: number, max: number) => {
    const value = number(name, otherwise, min, max);
    if (Number.isInteger(value)) return value;
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not "${value}"`);
  };
  const connections = (name: string, otherwise: number) =>
    whole(name, otherwise, 0, CONNECTIONS_MAX);
  const retentionDays = number("HUBBUB_RETENTION_DAYS", 0, 0, 36_500);
  const isDeploy = text("DENO_DEPLOYMENT_ID") !== undefined;
  return {
    port: whole("PORT", 8000, 0, 65_535),
    host: text("HOST") ?? (isDeploy ? "0.0.0.0" : "127.0.0.1"),
    kv: text("HUBBUB_KV") ?? (isDeploy ? undefined : "hubbub.sqlite3"),
    retentionMs: retentionDays === 0 ? undefined : Math.ceil(retentionDays * DAY_MS),
    maxTextBytes: whole("HUBBUB_MAX_TEXT_BYTES", 4096, 1, TEXT_BYTES_MAX),
    messagesPerSecond: number("HUBBUB_MESSAGES_PER_SECOND", 20, 0, 1_000_000),
    maxConnections: whole(
      "HUBBUB_MAX_CONNECTIONS",
      DEFAULT_CONNECTION_LIMITS.maxConnections,
      1,
      CONNECTIONS_MAX,
    ),
    maxConnectionsPerAddress: text("HUBBUB_MAX_CONNECTIONS_PER_ADDRESS") === undefined
      ? undefined
      : connections("HUBBUB_MAX_CONNECTIONS_PER_ADDRESS", 0),
    maxConnectionsPerRoom: connections(
      "HUBBUB_MAX_CONNECTIONS_PER_ROOM",
      DEFAULT_CONNECTION_LIMITS.maxConnectionsPerRoom,
    ),
    maxConnectionsPerUser: connections(
      "HUBBUB_MAX_CONNECTIONS_PER_USER",
      DEFAULT_CONNECTION_LIMITS.maxConnectionsPerUser,
    ),
    tokens: tokensOf(text("HUBBUB_JWT_SECRET"), text("HUBBUB_JWKS_URL")),
    origins: (text("HUBBUB_ORIGINS") ?? "").split(/[\s,]+/).filter((part) => part !== "").map(
      toOrigin,
    ),
    proxies: whole("HUBBUB_PROXIES", 0, 0, 100),
  };
}

function tokensOf(
  secret: string | undefined,
  jwksUrl: string | undefined,
): TokenOptions | undefined {
  if (secret !== undefined && jwksUrl !== undefined) {
    throw new RangeError("HUBBUB_JWT_SECRET and HUBBUB_JWKS_URL are both set: only one can be");
  }
  if (secret !== undefined) return { secret };
  if (jwksUrl === undefined) return undefined;
  if (/^https?:/.test(jwksUrl) && URL.canParse(jwksUrl)) return { jwksUrl };
  throw new RangeError("HUBBUB_JWKS_URL must be an http or https address");
}

function toOrigin(text: string): string {
  const expected = expectedOrigin(text);
  if (expected === undefined) return text;
  throw new RangeError(`HUBBUB_ORIGINS must hold ${expected}, not "${text}"`);
}

/**
 * Says who may come in, for the line that tells that the server has started.
 *
 * @param configuration What the environment says.
 * @returns One sentence without any secret.
 *
 * @example
 * ```ts
 * import { describeAccess, readConfiguration } from "@hubbub/hub/service";
 *
 * console.log(describeAccess(readConfiguration(() => undefined)));
 * ```
 */
export function describeAccess({ tokens }: Pick<Configuration, "tokens">): string {
  if (!tokens) return "open: whoever connects may use any name";
  if ("secret" in tokens) {
    const isShort = new TextEncoder().encode(tokens.secret).length < SECRET_GOOD_BYTES;
    const advice = isShort ? `; the secret should have ${SECRET_GOOD_BYTES} bytes or more` : "";
    return `tokens: whoever has one signed with the secret (HS256)${advice}`;
  }
  return `tokens: whoever has one signed with a key of ${new URL(tokens.jwksUrl).host}`;
}

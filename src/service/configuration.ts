/**
 * The configuration of a server.
 *
 * @module
 */

import { expectedBasePath } from "../http/base_path.ts";
import { DEFAULT_CONNECTION_LIMITS } from "../access/connection_limit_settings.ts";
import { isLoopbackHost, parseHost } from "../access/host.ts";
import { expectedOrigin } from "../access/origin.ts";
import { AUTHORIZE_TIMEOUT_MS } from "../access/authorize_deadline.ts";
import { MODERATION_TIMEOUT_MS } from "../hub/moderation.ts";
import type { TokenOptions } from "../access/token_auth.ts";
import { checkOpen, readAdmin, readTokens } from "./access_configuration.ts";
import { Environment } from "./environment.ts";
import { type MachineConfiguration, readMachines } from "./machine_configuration.ts";

/** Everything that the environment decides. */
export interface Configuration extends MachineConfiguration {
  /** The TCP port to listen on; 0 for any free one. */
  readonly port: number;
  /** The name or address of this machine to listen on. */
  readonly host: string;
  /** Milliseconds for which messages are kept; undefined for ever. */
  readonly retentionMs: number | undefined;
  /** UTF-8 bytes of text in one message. */
  readonly maxTextBytes: number;
  /** Messages a second on one connection; 0 for no limit. */
  readonly messagesPerSecond: number;
  /** Milliseconds from its arrival within which a message must be judged. */
  readonly moderationTimeoutMs: number;
  /** What becomes of a message that is not. */
  readonly moderationLate: "refuse" | "accept";
  /** Milliseconds within which it must be known who somebody is. */
  readonly authorizeTimeoutMs: number;
  /** Connections at the same time, in one isolate. */
  readonly maxConnections: number;
  /**
   * Connections of one IPv4 address or IPv6 network (/64); 0 for no limit, undefined for the
   * default, which spares this machine's own addresses.
   */
  readonly maxConnectionsPerAddress: number | undefined;
  /** Connections in one room; 0 for no limit. */
  readonly maxConnectionsPerRoom: number;
  /** Connections of one user; 0 for no limit. */
  readonly maxConnectionsPerUser: number;
  /** Rooms that one connection may be in; 0 for no limit. */
  readonly maxRoomsPerConnection: number;
  /** Rooms of one address; 0 for no limit, undefined for the default, as above. */
  readonly maxRoomsPerAddress: number | undefined;
  /** Requests a second of one address; 0 for no limit, undefined for the default, as above. */
  readonly requestsPerSecondPerAddress: number | undefined;
  /** The tokens that are valid; undefined for an open hub. */
  readonly tokens: TokenOptions | undefined;
  /** The token of operators; undefined where there are none. */
  readonly adminToken: string | undefined;
  /** Whether `/metrics` is for operators alone. */
  readonly adminMetrics: boolean;
  /** Hosts that requests may be for, besides loopback; undefined for any. */
  readonly hosts: readonly string[] | undefined;
  /** Origins of web pages that may use the server besides its own. */
  readonly origins: readonly string[];
  /** Proxies in front that add to `X-Forwarded-For`. */
  readonly proxies: number;
  /** The path under which the server lives, such as `/chat`; empty for the root. */
  readonly basePath: string;
}

/** Milliseconds in a day. */
const DAY_MS = 24 * 60 * 60 * 1000;
/** A text of this many bytes fits into an entry of the log, with its name, if not much is escaped. */
const TEXT_BYTES_MAX = 60_000;
/** Connections that no machine holds. */
const CONNECTIONS_MAX = 10_000_000;
/** The most a rate may be, in messages or requests a second. */
const RATE_MAX = 1_000_000;

/**
 * Reads the configuration.
 *
 * @param get Gives the value of a variable, such as `Deno.env.get`.
 * @returns The configuration, with defaults for what is not set.
 * @throws {RangeError} If a value cannot be used, is empty, or belongs to a misspelt variable; the
 * message is one line for the operator, without any secret.
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
  const environment = new Environment(get);
  const isDeploy = Boolean(get("DENO_DEPLOYMENT_ID")?.trim());
  const host = environment.text("HOST")?.replace(/^\[(.*)\]$/, "$1") ??
    (isDeploy ? "0.0.0.0" : "127.0.0.1");
  const tokens = readTokens(environment);
  // Where this is set, Deno listens there instead.
  const [, elsewhere] = /^tcp:(.*):\d+(,.*)?$/.exec(get("DENO_SERVE_ADDRESS") ?? "") ?? [];
  const reached = isDeploy ? host : elsewhere ?? host;
  checkOpen(environment, reached, tokens);
  const retentionDays = environment.number("HUBBUB_RETENTION_DAYS", {
    otherwise: 0,
    min: 0,
    max: 36_500,
  });
  return {
    port: environment.whole("PORT", { otherwise: 8000, min: 0, max: 65_535 }),
    host,
    ...readMachines(environment, isDeploy),
    retentionMs: retentionDays === 0 ? undefined : Math.ceil(retentionDays * DAY_MS),
    maxTextBytes: environment.whole("HUBBUB_MAX_TEXT_BYTES", {
      otherwise: 4096,
      min: 1,
      max: TEXT_BYTES_MAX,
    }),
    messagesPerSecond: environment.number("HUBBUB_MESSAGES_PER_SECOND", {
      otherwise: 20,
      min: 0,
      max: RATE_MAX,
    }),
    moderationTimeoutMs: environment.whole("HUBBUB_MODERATION_TIMEOUT_MS", {
      otherwise: MODERATION_TIMEOUT_MS,
      min: 1,
      max: 60_000,
    }),
    moderationLate: readLate(environment),
    authorizeTimeoutMs: environment.whole("HUBBUB_AUTHORIZE_TIMEOUT_MS", {
      otherwise: AUTHORIZE_TIMEOUT_MS,
      min: 1,
      max: 60_000,
    }),
    ...readLimits(environment),
    tokens,
    ...readAdmin(environment),
    hosts: readHosts(environment, reached),
    origins: readOrigins(environment),
    proxies: environment.whole("HUBBUB_PROXIES", { otherwise: 0, min: 0, max: 100 }),
    basePath: readBasePath(environment),
  };
}

type LimitConfiguration = Pick<Configuration, keyof typeof DEFAULT_CONNECTION_LIMITS>;

function readLimits(environment: Environment): LimitConfiguration {
  const { maxConnections, maxConnectionsPerRoom, maxConnectionsPerUser, maxRoomsPerConnection } =
    DEFAULT_CONNECTION_LIMITS;
  const [min, max] = [0, CONNECTIONS_MAX];
  const whole = environment.whole.bind(environment);
  const perAddress = "HUBBUB_MAX_CONNECTIONS_PER_ADDRESS";
  const rooms = "HUBBUB_MAX_ROOMS_PER_ADDRESS";
  const requests = "HUBBUB_REQUESTS_PER_SECOND_PER_ADDRESS";
  return {
    maxConnections: whole("HUBBUB_MAX_CONNECTIONS", { otherwise: maxConnections, min: 1, max }),
    maxConnectionsPerAddress: environment.text(perAddress) === undefined
      ? undefined
      : whole(perAddress, { otherwise: 0, min, max }),
    maxConnectionsPerRoom: whole("HUBBUB_MAX_CONNECTIONS_PER_ROOM", {
      otherwise: maxConnectionsPerRoom,
      min,
      max,
    }),
    maxConnectionsPerUser: whole("HUBBUB_MAX_CONNECTIONS_PER_USER", {
      otherwise: maxConnectionsPerUser,
      min,
      max,
    }),
    maxRoomsPerConnection: whole("HUBBUB_MAX_ROOMS_PER_CONNECTION", {
      otherwise: maxRoomsPerConnection,
      min,
      max,
    }),
    maxRoomsPerAddress: environment.text(rooms) === undefined
      ? undefined
      : whole(rooms, { otherwise: 0, min, max }),
    requestsPerSecondPerAddress: environment.text(requests) === undefined
      ? undefined
      : environment.number(requests, { otherwise: 0, min, max: RATE_MAX }),
  };
}

function readLate(environment: Environment): "refuse" | "accept" {
  const late = environment.text("HUBBUB_MODERATION_LATE") ?? "refuse";
  if (late === "refuse" || late === "accept") return late;
  throw new RangeError(`HUBBUB_MODERATION_LATE must be "refuse" or "accept", not "${late}"`);
}

function readHosts(environment: Environment, host: string): readonly string[] | undefined {
  const hosts = environment.list("HUBBUB_HOSTS");
  if (hosts === undefined) return isLoopbackHost(host) ? [] : undefined;
  return hosts.map((text) => {
    const parsed = parseHost(text);
    if (parsed !== undefined) return parsed;
    const form = 'names like "chat.example.com" or "*.example.com", without a port';
    throw new RangeError(`HUBBUB_HOSTS must hold ${form}, not "${text}"`);
  });
}

function readBasePath(environment: Environment): string {
  const text = environment.text("HUBBUB_BASE_PATH") ?? "";
  const expected = expectedBasePath(text);
  if (expected === undefined) return text;
  throw new RangeError(`HUBBUB_BASE_PATH must be ${expected}, not "${text}"`);
}

function readOrigins(environment: Environment): readonly string[] {
  const origins = environment.list("HUBBUB_ORIGINS") ?? [];
  for (const text of origins) {
    const expected = expectedOrigin(text);
    if (expected === undefined) continue;
    throw new RangeError(`HUBBUB_ORIGINS must hold ${expected}, not "${text}"`);
  }
  return origins;
}

/**
 * Describes who may enter, for the line that tells that the server has started.
 *
 * @param configuration The configuration.
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
  if (!tokens) return "open: anybody who connects may use any name";
  if ("secret" in tokens) return "tokens: anybody with one signed with the secret (HS256)";
  const advice = tokens.audience === undefined
    ? "; HUBBUB_JWT_AUDIENCE is not set, so tokens for other services of that issuer let in too"
    : "";
  return `tokens: anybody with one signed with a key of ${new URL(tokens.jwksUrl).host}${advice}`;
}

/**
 * The address of a server, as a person types it.
 *
 * @param address Where it listens.
 * @returns Its URL, with an IPv6 address in brackets.
 *
 * @example
 * ```ts
 * import { urlOf } from "@hubbub/hub/service";
 *
 * console.log(urlOf({ hostname: "::1", port: 8000 })); // http://[::1]:8000/
 * ```
 */
export function urlOf(
  { hostname, port }: { readonly hostname: string; readonly port: number },
): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `http://${host}:${port}/`;
}

/**
 * The options of access control.
 *
 * @module
 */

import type { Authorize } from "./authorization.ts";
import type { ConnectionInfo } from "./client_address.ts";
import type { ConnectionLimitSettings } from "./connection_limit_settings.ts";
import type { Limits } from "../protocol/mod.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** The options of {@linkcode AccessControl}. */
export interface AccessControlOptions {
  /** Authorizes requests. Without it the hub is open: everybody may use any name. */
  readonly authorize?: Authorize;
  /** Milliseconds that an answer of it may take. @default {10000} */
  readonly authorizeTimeoutMs?: number;
  /** The token of operators. @default {undefined} there are none */
  readonly adminToken?: string;
  /** Proxies in front that add to `X-Forwarded-For`. @default {0} */
  readonly proxies?: number;
  /** Limits on connections and requests; what is left out has its default. */
  readonly connectionLimits: Partial<ConnectionLimitSettings>;
  /** What a connection may send. */
  readonly limits: Limits;
  /** The counters. */
  readonly metrics: Metrics;
  /** Receives refusals. */
  readonly logger: Logger;
  /** Whether so much waits for somebody who does not read it that nothing more can be kept. */
  readonly isMemoryShort?: (share: string | undefined) => boolean;
}

/** Where a request goes to, and where it comes from. */
export interface AccessTarget {
  /** The room; undefined for a connection that enters several. */
  readonly room: string | undefined;
  /** What `Deno.serve` says about the request. */
  readonly info: ConnectionInfo | undefined;
}

/**
 * The options of a server.
 *
 * @module
 */

import type { Authorize } from "../access/authorization.ts";
import type { ConnectionLimitSettings } from "../access/connection_limit_settings.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { MetricsSnapshot } from "../telemetry/prometheus.ts";

/** How `createServer` behaves. */
export interface ServerOptions extends Partial<ConnectionLimitSettings> {
  /** Receives operational events. @default {jsonLogger()} */
  readonly logger?: Logger;
  /**
   * Decides who may come in, such as {@linkcode tokenAuthorizer}.
   *
   * @default {undefined} everybody, under any name
   */
  readonly authorize?: Authorize;
  /**
   * Milliseconds that `authorize`, or a `roleIn` that it gave, may take. What takes longer is not
   * decided: the client is told to try again later.
   *
   * @default {10000}
   */
  readonly authorizeTimeoutMs?: number;
  /**
   * Origins of web pages that may use this server besides its own, exactly as browsers write them,
   * and patterns such as `https://*.example.com`.
   *
   * @default {[]}
   */
  readonly origins?: readonly string[];
  /**
   * Hosts that requests may be for besides `localhost`, 127.0.0.0/8 and `[::1]`: names, and patterns
   * such as `*.example.com`. A server that listens on loopback should have this list, if an empty
   * one, against DNS rebinding.
   *
   * @default {undefined} any
   */
  readonly hosts?: readonly string[];
  /**
   * Proxies in front, each of which adds the address that it sees to `X-Forwarded-For`. With 0 that
   * header is not believed.
   *
   * @default {0}
   */
  readonly proxies?: number;
  /**
   * The path under which the server lives, such as `/chat`. Requests may come with it, or without
   * it where a proxy or a framework in front takes it off.
   *
   * @default {""} the root
   */
  readonly basePath?: string;
  /** Whether the chat page is served at `/` and `/r/{room}`. @default {true} */
  readonly page?: boolean;
  /**
   * The token of operators, at least 32 characters: `GET /rooms`, export and import, and posting as
   * any user. Without it those routes are not there.
   *
   * @default {undefined}
   */
  readonly adminToken?: string;
  /**
   * Whether `/metrics` is for operators alone.
   *
   * @default {false}
   */
  readonly adminMetrics?: boolean;
  /** Whether `/health` and `/metrics` are served. @default {true} */
  readonly operatorRoutes?: boolean;
  /**
   * Gives what the other isolates of this process have counted, within 2 s; else `/metrics` leaves
   * them out.
   *
   * @default {none}
   */
  readonly otherMetrics?: () => Promise<readonly MetricsSnapshot[]>;
}

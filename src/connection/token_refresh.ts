/**
 * The expiry of a connection, and its renewal by a fresh token.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import type { AuthorizationDenied } from "../access/authorization.ts";
import type { Renewal } from "../access/authorizer.ts";
import { HttpError } from "../access/http_error.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Problem } from "../protocol/mod.ts";

/** Milliseconds that a session may take to be verified once more when its time is over. */
const SESSION_MS = 10_000;
const WRONG_TOKEN = "The token is not for this user in this room";

/** What becomes of a connection whose time is over, or a promise that settles when it is known. */
export type Expiry = "over" | "unknown" | Promise<void>;

/** How a {@linkcode TokenRefresh} behaves. */
export interface TokenRefreshOptions {
  /** The counters, and what receives operational events. */
  readonly services: { readonly hub: { readonly metrics: Metrics }; readonly logger: Logger };
  /** The room; undefined for a connection with several, each of which is judged by itself. */
  readonly room?: string;
  /** Whose connection it is. */
  readonly user: string;
  /** Milliseconds since the epoch at which it ends. @default {Infinity} */
  readonly expiresAt?: number;
  /** Verifies a fresh token; where it is missing, none is needed. May reject. */
  readonly renew?: (token: string) => Promise<Renewal | AuthorizationDenied>;
  /** Verifies the connection's session once more; where it is missing, there is none. May reject. */
  readonly renewSession?: () => Promise<Renewal | AuthorizationDenied>;
  /** Called with what a fresh token allows. Must not throw. */
  readonly onRefresh?: (renewal: Renewal) => void;
}

/**
 * Renews the expiry of a connection by fresh tokens of its user. One at a time: what verifies a token
 * may be slow.
 *
 * @example
 * ```ts
 * import { jsonLogger, Metrics } from "@hubbub/hub";
 * import { TokenRefresh } from "./token_refresh.ts";
 *
 * const tokenRefresh = new TokenRefresh({
 *   services: { hub: { metrics: new Metrics() }, logger: jsonLogger() },
 *   room: "lobby",
 *   user: "ann",
 *   expiresAt: 1_000,
 *   renew: () => Promise.resolve({ user: "ann", expiresAt: 2_000 }),
 * });
 * await tokenRefresh.take("a fresh token", ({ message }) => console.error(message));
 * console.log(tokenRefresh.expiresAt); // 2000
 * ```
 */
export class TokenRefresh {
  readonly #options: TokenRefreshOptions;
  #expiresAt: number;
  #isRenewing = false;
  /** Whether the session is good, was verified in vain, or could not be; while it is, a promise. */
  #session: "good" | Expiry = "good";

  /** @param options Whose connection it is, and what verifies tokens. */
  constructor(options: TokenRefreshOptions) {
    this.#options = options;
    this.#expiresAt = options.expiresAt ?? Infinity;
  }

  /** Milliseconds since the epoch at which the connection ends. */
  get expiresAt(): number {
    return this.#expiresAt;
  }

  /**
   * Says whether the connection has to end, now that its time is over. One whose session may be good
   * for longer stays while that is found out.
   *
   * @returns `over` where it has to end for good; `unknown` where that cannot be told, and it may come
   * back; a promise that settles when it is known, within 10 s. Never rejects.
   */
  expire(): Expiry {
    const { renewSession } = this.#options;
    if (!renewSession) return "over";
    if (this.#session !== "good") return this.#session;
    return this.#session = deadline(this.#askSession(renewSession), SESSION_MS).catch(() => {
      this.#session = "unknown";
    });
  }

  async #askSession(
    renewSession: () => Promise<Renewal | AuthorizationDenied>,
  ): Promise<void> {
    const { user, room, services: { hub, logger } } = this.#options;
    try {
      const judged = await renewSession();
      const isGood = !("denied" in judged) && judged.user === user && judged.role !== "none" &&
        (judged.expiresAt ?? Infinity) > Date.now();
      this.#session = isGood ? "good" : "over";
      if (!isGood) return;
      this.#expiresAt = judged.expiresAt ?? Infinity;
      this.#options.onRefresh?.(judged);
    } catch (error) {
      this.#session = "unknown";
      if (error instanceof HttpError) return;
      hub.metrics.authorizeFailures++;
      logger("error", "authorize_failed", { room, error });
    }
  }

  /**
   * Verifies a fresh token, and renews the expiry.
   *
   * @param token The token.
   * @param refuse Called with what is wrong with it. Must not throw.
   * @returns Settles when it is verified. Never rejects.
   */
  async take(token: string, refuse: (problem: Problem) => void): Promise<void> {
    const { renew, room, user, services: { hub, logger } } = this.#options;
    if (!renew) return;
    if (this.#isRenewing) {
      const message = "The last token is still being verified";
      return refuse({ code: "rate_limited", message, retry_after_ms: 1000 });
    }
    this.#isRenewing = true;
    try {
      const judged = await renew(token);
      if ("denied" in judged) {
        refuse({ code: "unauthorized", message: judged.denied });
      } else if (judged.user !== user) {
        refuse({ code: "forbidden", message: WRONG_TOKEN });
      } else if (judged.role === "none") {
        refuse({ code: "forbidden", message: WRONG_TOKEN });
      } else {
        this.#expiresAt = judged.expiresAt ?? Infinity;
        this.#options.onRefresh?.(judged);
      }
    } catch (error) {
      // One that is an answer was counted where it was made.
      if (!(error instanceof HttpError)) {
        hub.metrics.authorizeFailures++;
        logger("error", "authorize_failed", { room, error });
      }
      refuse({ code: "unavailable", message: "The token cannot be verified now" });
    } finally {
      this.#isRenewing = false;
    }
  }
}

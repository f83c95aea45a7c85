/**
 * The answers to requests that are refused.
 *
 * @module
 */

import type { AccessControl } from "../access/access_control.ts";
import type { ConnectionInfo } from "../access/client_address.ts";
import { HttpError, httpError, retryAfter } from "../access/http_error.ts";
import { type ErrorBody, ERRORS } from "../protocol/mod.ts";
import type { Logger } from "../telemetry/logger.ts";
import { eventRefusal } from "./event_refusal.ts";
import { isStrippedHandshake } from "./request_params.ts";
import { SECURITY_HEADERS } from "./response_headers.ts";

/** The options of {@linkcode Refusals}. */
export interface RefusalsOptions {
  /** Counts refusals, and logs those that were not authorized. */
  readonly access: Pick<AccessControl, "reportRefusal">;
  /** Where it stops, a request that is still being answered may find the database closed. */
  readonly hub: { readonly isDraining: boolean };
  /** Receives operational events. */
  readonly logger: Logger;
}

/** What is known of a request that is refused. */
export interface RefusedRequest {
  /** Its path below the server's own. */
  readonly path: string;
  /** The room that it is for, if there is one. */
  readonly room?: string;
  /** What `Deno.serve` says about it. */
  readonly info: ConnectionInfo | undefined;
  /** The address or network that it comes from, if that is known. */
  readonly address?: string;
}

/** Answers requests that are refused, and reports them. */
export class Refusals {
  readonly #options: RefusalsOptions;

  /** @param options What counts and logs. */
  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /**
   * Answers a request.
   *
   * @param reason Why it is refused: an {@linkcode HttpError}, or whatever failed.
   * @param request The request.
   * @param refused What is known of it.
   * @returns The answer, without the headers that all answers have.
   */
  answer(reason: unknown, request: Request, refused: RefusedRequest): Response {
    const { access, hub, logger } = this.#options;
    const { path, room, info, address } = refused;
    const error = reason instanceof HttpError || !hub.isDraining
      ? reason
      : httpError("draining", "The server is stopping", retryAfter());
    if (!(error instanceof HttpError)) {
      logger("error", "request_failed", { path, error });
      return answer(httpError("unavailable", "The server could not do this now"));
    }
    access.reportRefusal(error.problem, request, { room, info });
    if (isStrippedHandshake(request)) {
      const { code, message: reason } = error.problem;
      // What the parser says about a bad one holds the whole address.
      const host = URL.parse(request.url)?.host;
      const origin = request.headers.get("origin") ?? undefined;
      logger("warn", "upgrade_missing", { code, reason, room, host, origin, address });
    }
    return eventRefusal(request, path, error) ?? answer(error);
  }
}

function answer({ problem, headers }: HttpError): Response {
  const { code, message } = problem;
  const body: ErrorBody = { error: { code, message } };
  // All at once: setting them one after the other takes longer than the rest of a refusal.
  const all = { "content-type": "application/json", ...SECURITY_HEADERS, ...headers };
  return new Response(JSON.stringify(body), { status: ERRORS[code].status, headers: all });
}

/**
 * Refusals of event streams that browsers come back from.
 *
 * @module
 */

import type { HttpError } from "../access/http_error.ts";
import { refuseEventStream } from "../connection/event_stream.ts";
import { ERRORS } from "../protocol/mod.ts";

/** Milliseconds between two tries of a reader whose authorization has ended, at least. */
const UNAUTHORIZED_RETRY_MS = 10_000;
const EVENTS_PATH = /^\/rooms\/[^/]+\/events$/;

/**
 * Creates the answer to a request for a stream of events that is refused for now. Browsers give a
 * stream up for good after any status but 200.
 *
 * A request with `Last-Event-ID` comes from a browser that was let in before. Where its
 * authorization has ended meanwhile it may be good again: a session is renewed in another tab, and
 * the URL of an `EventSource` stays what it was.
 *
 * @param request The request.
 * @param path Its path below the server's own.
 * @param error Why it is refused.
 * @returns A stream that says why and when to come back; undefined if the refusal is final, or the
 * request is none for events.
 */
export function eventRefusal(
  request: Request,
  path: string,
  error: HttpError,
): Response | undefined {
  if (request.method !== "GET" || !EVENTS_PATH.test(path)) return undefined;
  const { problem, headers } = error;
  if (ERRORS[problem.code].temporary) {
    return refuseEventStream(problem, 1000 * Number(headers["retry-after"] ?? 0));
  }
  const isOfAuthorization = problem.code === "unauthorized" || problem.code === "forbidden";
  if (!isOfAuthorization || !request.headers.get("last-event-id")) return undefined;
  return refuseEventStream(problem, UNAUTHORIZED_RETRY_MS);
}

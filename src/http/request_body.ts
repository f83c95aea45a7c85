/**
 * The body of a request.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import { HttpError, httpError } from "../access/http_error.ts";
import { DATA_MAX_BYTES } from "../protocol/mod.ts";

/** Milliseconds within which a body must have come. */
const BODY_TIMEOUT_MS = 10_000;
/** Milliseconds within which a body that holds all of its JSON must end: trailers may follow. */
const END_TIMEOUT_MS = 2_000;
/** Times that it is found out whether a body is complete: then what looks like it is taken for it. */
const WHOLE_CHECKS = 8;

/** Bytes of a body: text may be escaped to six times its length, and there is some JSON. */
const BYTES_PER_TEXT_BYTE = 6;
const BYTES_MORE = 4_096 + DATA_MAX_BYTES;
/** The longest name of a field that a refusal repeats. */
const FIELD_MAX_LENGTH = 64;

/** Methods whose requests have no use for a body. */
const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** How a body is read. */
export interface BodyOptions {
  /** The most bytes that are read. */
  readonly maxBytes: number;
  /** Milliseconds within which it must have come. @default {10000} */
  readonly timeoutMs?: number;
}

/**
 * Reads the body of a request. Not by Hono's `bodyLimit`: that leaves the body of a request without
 * a length open for ever. Deno has no timeout for bodies, and keeps what follows a chunked one
 * (trailers) in memory for as long as it comes: so there is a deadline, and a short one for the end
 * of a body that is complete.
 *
 * @param request The request.
 * @param options How much, and how long.
 * @returns The object in it.
 * @throws {HttpError} If it is too long, too late, or not a JSON object in UTF-8.
 */
export async function readBody(
  request: Request,
  options: BodyOptions,
): Promise<Record<string, unknown>> {
  const { maxBytes, timeoutMs = BODY_TIMEOUT_MS } = options;
  const reader = request.body?.getReader();
  if (!reader) throw notJson();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const until = performance.now() + timeoutMs;
  let [text, size, checks] = ["", 0, 0];
  let body: unknown;
  try {
    for (;;) {
      const isWhole = text.endsWith("}") && (checks++ >= WHOLE_CHECKS || isJson(text));
      const leftMs = Math.max(1, until - performance.now());
      const waitMs = isWhole ? Math.min(END_TIMEOUT_MS, leftMs) : leftMs;
      const { done, value } = await deadline(reader.read(), waitMs);
      if (done) break;
      size += value.length;
      if (size > maxBytes) {
        throw httpError("body_too_large", `The body is longer than ${maxBytes} bytes`);
      }
      text += decoder.decode(value, { stream: true });
    }
    body = JSON.parse(text + decoder.decode());
  } catch (error) {
    // Not awaited: it settles when the peer has sent what it wants to send.
    void reader.cancel().catch(() => {});
    if (error instanceof HttpError) throw error;
    if (isTimeout(error)) {
      // Whatever else comes is not read: it must not be taken for the next request.
      const message = "The body did not come to an end in time";
      throw httpError("bad_body", message, { connection: "close" });
    }
    throw notJson();
  }
  if (typeof body === "object" && body !== null && !Array.isArray(body)) {
    return body as Record<string, unknown>;
  }
  throw httpError("bad_body", "The body must be a JSON object");
}

/**
 * Checks that a request without use for a body has none. Deno reads what nobody asked for into memory
 * for as long as the answer is under way: a stream of events with a body of 1 GB took 1 GB. Over
 * HTTP/2 it stops at the window.
 *
 * @param request The request.
 * @param refusalOf Returns a refusal that comes before that of the body. @default {none}
 * @throws {HttpError} If it has a body.
 */
export function checkNoBody(
  { headers, method }: Request,
  refusalOf: () => HttpError | undefined = () => undefined,
): void {
  if (!BODILESS.has(method)) return;
  const length = headers.get("content-length");
  if ((length === null || /^0*$/.test(length)) && !headers.has("transfer-encoding")) return;
  const { problem, headers: more } = refusalOf() ??
    httpError("bad_body", `A ${method} request takes no body`);
  throw new HttpError(problem, { ...more, connection: "close" });
}

/**
 * How long the body of a message may be.
 *
 * @param textMaxBytes UTF-8 bytes of text that a message may have.
 * @returns Bytes.
 */
export function maxBodyBytes(textMaxBytes: number): number {
  return BYTES_PER_TEXT_BYTE * textMaxBytes + BYTES_MORE;
}

/**
 * Refuses a body with a field that is not known: what is sent must not vanish without a word.
 *
 * @param body The object in the body.
 * @param known The fields that it may have.
 * @throws {HttpError} Where it has another.
 */
export function checkFields(body: Record<string, unknown>, known: ReadonlySet<string>): void {
  for (const name in body) {
    if (known.has(name)) continue;
    const shown = JSON.stringify(name.slice(0, FIELD_MAX_LENGTH).toWellFormed());
    throw httpError("unknown_field", `The body has no field ${shown}`);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

function notJson(): HttpError {
  return httpError("bad_body", "The body is not JSON in UTF-8");
}

/**
 * What an answer over HTTP means.
 *
 * @module
 */

import { type ErrorCode, ERRORS } from "../protocol/mod.ts";
import { ChatError, isErrorCode } from "./chat_error.ts";

/** An answer over HTTP. */
export interface HttpAnswer {
  /** The status. */
  readonly status: number;
  /** The body as parsed from JSON; undefined where it is none. */
  readonly body: unknown;
  /** Milliseconds to wait before the next try, as `Retry-After` says, within bounds. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Reads an answer.
 *
 * @param response The response.
 * @param text Its body.
 * @param maxDelayMs The most milliseconds that it may ask to wait.
 * @returns What it says.
 */
export function parseAnswer(response: Response, text: string, maxDelayMs: number): HttpAnswer {
  const { status, headers } = response;
  const isJson = /\bjson\b/i.test(headers.get("content-type") ?? "");
  const askedMs = retryAfterOf(headers);
  const retryAfterMs = askedMs === undefined ? undefined : Math.min(askedMs, maxDelayMs);
  return { status, body: isJson ? parse(text) : undefined, retryAfterMs };
}

/**
 * Makes an error of an answer that is not the one hoped for. It is final only where the server
 * itself says so, by status, code and body together: anything else may come from a gateway, a
 * login page or another server that stands in for it for a while.
 *
 * @param answer The answer.
 * @param isTokenRenewable Whether the next token may be a better one.
 * @returns The error.
 */
export function errorOfAnswer(answer: HttpAnswer, isTokenRenewable: boolean): ChatError {
  const { status, body, retryAfterMs } = answer;
  const problem = problemOf(status, body);
  if (problem !== undefined) {
    const { code, message } = problem;
    const isStale = code === "unauthorized" && isTokenRenewable;
    const temporary = ERRORS[code].temporary || isStale;
    return new ChatError(message, { code, temporary, retryAfterMs });
  }
  const message = status < 400
    ? `Something other than the server answered, with status ${status}: a login page, or a proxy?`
    : `Something in front of the server answered with status ${status}`;
  return new ChatError(message, { code: "unreachable", temporary: true, retryAfterMs });
}

/** The server's own words: `{"error": {code, message}}`, with the status of that code. */
function problemOf(
  status: number,
  body: unknown,
): { code: ErrorCode; message: string } | undefined {
  if (!isObject(body) || Object.keys(body).length !== 1 || !isObject(body.error)) return undefined;
  const { code, message } = body.error;
  if (typeof code !== "string" || typeof message !== "string") return undefined;
  return isErrorCode(code) && ERRORS[code].status === status ? { code, message } : undefined;
}

/** Milliseconds, of seconds or a date; a date counts from the answer's own clock. */
function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(text)) return 1000 * Number(text);
  const ms = Date.parse(text) - Date.parse(headers.get("date") ?? "");
  return ms >= 0 ? ms : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Tells whether a value is an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

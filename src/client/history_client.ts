/**
 * A room over HTTP: what was said before, and why one is not let in.
 *
 * @module
 */

import type { Message, Problem } from "../protocol/mod.ts";
import { ChatError, errorOf } from "./chat_error.ts";

/** Milliseconds within which the server must answer. */
const TIMEOUT_MS = 10_000;
/** The status with which the server tells a plain request that it would upgrade a proper one. */
const UPGRADE_REQUIRED = 426;

/** What came back. */
interface Answer {
  readonly status: number;
  /** As parsed from JSON; undefined where it is none. */
  readonly body: unknown;
  readonly retryAfterMs: number | undefined;
}

/** Which messages to read: the newest, those just before a cursor, or those just after one. */
export interface PageOptions {
  /** Read those just before this cursor. */
  readonly before?: string;
  /** Read those just after this cursor. */
  readonly after?: string;
  /** How many at most. */
  readonly limit: number;
}

/** What {@linkcode HistoryClient} needs. */
export interface ArchiveOptions {
  /** The room's URL, with `http:` or `https:`, without a slash at its end. */
  readonly url: string;
  /** Gives the token, if there is one. */
  readonly token: () => Promise<string | undefined>;
  /** The function to use. */
  readonly fetch: typeof fetch;
}

/** Reads a room over HTTP. */
export class HistoryClient {
  readonly #options: ArchiveOptions;

  /** @param options Where the room is, and what to read it with. */
  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /**
   * Reads messages.
   *
   * @param options Which.
   * @param signal Ends the request.
   * @returns Oldest first; empty at the ends of the log.
   * @throws {ChatError} Where the server refused, or did not answer.
   * @throws The signal's reason, once it is aborted.
   */
  async page(options: PageOptions, signal: AbortSignal): Promise<Message[]> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined) query.set(name, String(value));
    }
    const answer = await this.#get(`${this.#options.url}/messages?${query}`, signal);
    const { status, body } = answer;
    if (status === 200 && isObject(body) && Array.isArray(body.messages)) return body.messages;
    throw refusalOf(answer);
  }

  /**
   * Asks why an upgrade failed: a WebSocket does not tell, but the server answers a plain request
   * for the same with the same refusal.
   *
   * @param url The URL of the upgrade, with `http:` or `https:`.
   * @param signal Ends the request.
   * @returns The reason, or undefined where the server would let one in now.
   * @throws {ChatError} Where there is no answer.
   * @throws The signal's reason, once it is aborted.
   */
  async whyRefused(url: string, signal: AbortSignal): Promise<ChatError | undefined> {
    const answer = await this.#get(url, signal);
    return answer.status === UPGRADE_REQUIRED ? undefined : refusalOf(answer);
  }

  async #get(url: string, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const controller = new AbortController();
    const abort = () => controller.abort();
    const timer = setTimeout(abort, TIMEOUT_MS);
    signal.addEventListener("abort", abort);
    try {
      const token = await this.#options.token();
      const headers = new Headers({ accept: "application/json" });
      if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
      const { fetch } = this.#options;
      const response = await fetch(url, { headers, signal: controller.signal });
      const text = await response.text();
      return { status: response.status, body: parse(text), retryAfterMs: retryAfterOf(response) };
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      const message = `The server could not be reached: ${why}`;
      throw new ChatError(message, { code: "unreachable", temporary: true });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }
}

function refusalOf({ status, body, retryAfterMs }: Answer): ChatError {
  if (isObject(body) && isObject(body.error) && typeof body.error.code === "string") {
    return errorOf({ ...body.error as unknown as Problem, retry_after_ms: retryAfterMs });
  }
  // Not our server's words: a proxy while the server restarts, for one.
  const message = `The server answered with status ${status}`;
  return new ChatError(message, { code: "unreachable", temporary: true, retryAfterMs });
}

function retryAfterOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? NaN);
  return seconds >= 0 ? seconds * 1000 : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

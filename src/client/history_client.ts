/**
 * A room's history over HTTP.
 *
 * @module
 */

import type { Message } from "../protocol/mod.ts";
import type { HttpClient } from "./http_client.ts";
import { errorOfAnswer, isObject } from "./http_answer.ts";
import type { TaskLimit } from "./task_limit.ts";

/** Which messages to read: the newest, those just before a cursor, or those just after one. */
export interface PageOptions {
  /** Read those just before this cursor. */
  readonly before?: string;
  /** Read those just after this cursor. */
  readonly after?: string;
  /** How many at most. */
  readonly limit: number;
}

/** How {@linkcode HistoryClient} behaves. */
export interface HistoryClientOptions<M> {
  /** The room's URL, with `http:` or `https:`, without a slash at its end. */
  readonly url: string;
  /** What to ask with. */
  readonly http: HttpClient;
  /** Gives a message of a page the form in which the caller keeps it. */
  readonly read: (message: Message) => M;
  /** How many pages are read at once, of all rooms that share it. @default {no limit} */
  readonly limit?: TaskLimit;
}

/** Reads pages of a room's messages. */
export class HistoryClient<M> {
  readonly #options: HistoryClientOptions<M>;

  /** @param options Where the room is, and what to ask with. */
  constructor(options: HistoryClientOptions<M>) {
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
  async page(options: PageOptions, signal: AbortSignal): Promise<M[]> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined) query.set(name, String(value));
    }
    const { url, http, read, limit } = this.#options;
    const get = () => http.get(`${url}/messages?${query}`, signal);
    const answer = await (limit ? limit.run(signal, get) : get());
    const { status, body } = answer;
    if (status === 200 && isObject(body) && Array.isArray(body.messages)) {
      return body.messages.map((message) => read(message));
    }
    throw errorOfAnswer(answer, http.isTokenRenewable);
  }
}

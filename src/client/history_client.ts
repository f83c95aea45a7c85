/**
 * A room's history over HTTP.
 *
 * @module
 */

import type { MessageBody, MessageChange } from "../protocol/mod.ts";
import { ChatError } from "./chat_error.ts";
import type { HttpClient } from "./http_client.ts";
import { errorOfAnswer, isObject } from "./http_answer.ts";
import type { LogRecord, StoredMessage } from "./room_state.ts";
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

/** A page of a room's log. */
export interface HistoryPage {
  /** The messages, oldest first. */
  readonly messages: readonly StoredMessage[];
  /** The messages, and with `after` the changes of those before it, in the log's order. */
  readonly records: readonly LogRecord[];
  /** Where to read on with `after`; null at the end of the log, undefined where that is not known. */
  readonly newer: string | null | undefined;
}

/** How {@linkcode HistoryClient} behaves. */
export interface HistoryClientOptions {
  /** The room's URL, with `http:` or `https:`, without a slash at its end. */
  readonly url: string;
  /** What to ask with. */
  readonly http: HttpClient;
  /** Gives a message of a page the form in which the caller keeps it. */
  readonly read: (message: MessageBody) => StoredMessage;
  /** How many pages are read at once, of all rooms that share it. @default {no limit} */
  readonly limit?: TaskLimit;
}

/** Reads pages of a room's messages. */
export class HistoryClient {
  readonly #options: HistoryClientOptions;

  /** @param options Where the room is, and what to ask with. */
  constructor(options: HistoryClientOptions) {
    this.#options = options;
  }

  /**
   * Reads messages.
   *
   * @param options Which.
   * @param signal Ends the request.
   * @returns Empty at the ends of the log.
   * @throws {ChatError} Where the server refused, or did not answer.
   * @throws The signal's reason, once it is aborted.
   */
  async page(options: PageOptions, signal: AbortSignal): Promise<HistoryPage> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined) query.set(name, String(value));
    }
    const body = await this.#get(`?${query}`, signal);
    if (!Array.isArray(body.messages)) throw NO_PAGE;
    const messages = body.messages.map((message) => this.#options.read(message));
    const changes: readonly MessageChange[] = Array.isArray(body.changes) ? body.changes : [];
    const records = [...messages, ...changes];
    if (changes.length > 0) records.sort((one, other) => one.cursor < other.cursor ? -1 : 1);
    const { newer } = body;
    const isKnown = newer === null || typeof newer === "string";
    return { messages, records, newer: isKnown ? newer : undefined };
  }

  /**
   * Reads one message, as it is now.
   *
   * @param cursor The message.
   * @param signal Ends the request.
   * @returns The message; undefined where there is none.
   * @throws {ChatError} Where the server refused, or did not answer.
   * @throws The signal's reason, once it is aborted.
   */
  async message(cursor: string, signal: AbortSignal): Promise<StoredMessage | undefined> {
    try {
      const body = await this.#get(`/${encodeURIComponent(cursor)}`, signal);
      return this.#options.read(body as unknown as MessageBody);
    } catch (error) {
      if (error instanceof ChatError && ABSENT.includes(error.code)) return undefined;
      throw error;
    }
  }

  async #get(path: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    const { url, http, limit } = this.#options;
    const get = () => http.get(`${url}/messages${path}`, signal);
    const answer = await (limit ? limit.run(signal, get) : get());
    const { status, body } = answer;
    if (status === 200 && isObject(body)) return body;
    throw errorOfAnswer(answer, http.isTokenRenewable);
  }
}

/** Codes with which the hub says that there is no such message. */
const ABSENT: readonly string[] = ["not_found", "bad_cursor"];
const NO_PAGE = new ChatError("The server answered with something other than a page", {
  code: "unreachable",
  temporary: true,
});

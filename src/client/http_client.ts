/**
 * Requests to the server over HTTP.
 *
 * @module
 */

import type { ConnectOptions } from "./chat_events.ts";
import { ChatError } from "./chat_error.ts";
import { withDeadline } from "./deadline.ts";
import { type HttpAnswer, parseAnswer } from "./http_answer.ts";
import { bearer, type TokenSource } from "./token_source.ts";

/** No cache between can know what the server answers now. */
const NO_STORE = { cache: "no-store" } as const;
/** How much longer a body may take than the head of its answer. */
const BODY_PATIENCE = 3;
/** The most bytes of a body that are read: what stands between may answer without an end. */
const BODY_MAX_BYTES = 64 * 1024 * 1024;

/** How {@linkcode HttpClient} behaves. */
export interface HttpClientOptions {
  /** Gives the tokens. */
  readonly tokens: TokenSource;
  /** The function to use. */
  readonly fetch: typeof fetch;
  /** Whether cookies go along. */
  readonly credentials: ConnectOptions["credentials"];
  /** Milliseconds in which a token and the head of an answer must come. */
  readonly patienceMs: number;
  /** The most milliseconds that an answer may ask to wait. */
  readonly maxDelayMs: number;
}

/** Asks the server over HTTP, with a token and within a limited time. */
export class HttpClient {
  readonly #options: HttpClientOptions;

  /** @param options What to ask with. */
  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** Whether there may be a better token next time. */
  get isTokenRenewable(): boolean {
    return this.#options.tokens.isRenewable;
  }

  /**
   * Sends a `GET`.
   *
   * @param url Where to.
   * @param signal Ends the request.
   * @returns The answer, of whatever status.
   * @throws {ChatError} `unreachable`, where there is none, or none that ends in time.
   * @throws The signal's reason, once it is aborted.
   */
  get(url: string, signal: AbortSignal): Promise<HttpAnswer> {
    return this.send(url, { method: "GET" }, signal);
  }

  /**
   * Sends a request.
   *
   * @param url Where to.
   * @param request Its method, and what to send as JSON.
   * @param signal Ends the request.
   * @returns The answer, of whatever status.
   * @throws {ChatError} `unreachable`, where there is none, or none that ends in time.
   * @throws The signal's reason, once it is aborted.
   */
  async send(
    url: string,
    { method, body }: { readonly method: string; readonly body?: unknown },
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { tokens, credentials, patienceMs, maxDelayMs } = this.#options;
    return await this.#within((2 + BODY_PATIENCE) * patienceMs, signal, async (inner) => {
      const token = await tokens.read(inner);
      const headers = new Headers({ accept: "application/json" });
      if (token !== undefined) headers.set("authorization", bearer(token));
      const init: RequestInit = { method, headers, credentials };
      if (body !== undefined) {
        headers.set("content-type", "application/json");
        init.body = JSON.stringify(body);
      }
      const response = await this.#head(url, init, inner);
      return parseAnswer(response, await textOf(response), maxDelayMs);
    });
  }

  /**
   * Finds out whether anything answers at a URL, also where a page may not read the answer.
   *
   * @param url Where.
   * @param signal Ends the request.
   * @returns True where something does.
   */
  async isAnswered(url: string, signal: AbortSignal): Promise<boolean> {
    const init = { mode: "no-cors", credentials: "omit" } as const;
    try {
      return await this.#within(this.#options.patienceMs, signal, async (inner) => {
        await this.#head(url, init, inner);
        return true;
      });
    } catch {
      return false;
    }
  }

  async #head(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const { fetch, patienceMs } = this.#options;
    return await withDeadline(
      patienceMs,
      signal,
      // The signal of the whole request: that of this part ends before the body does.
      () => fetch(url, { ...NO_STORE, ...init, signal }),
    );
  }

  async #within<T>(
    ms: number,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await withDeadline(ms, signal, work);
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      const message = `The server could not be reached: ${why}`;
      throw new ChatError(message, { code: "unreachable", temporary: true });
    }
  }
}

async function textOf(response: Response): Promise<string> {
  if (!response.body) return await response.text();
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  while (true) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > BODY_MAX_BYTES) throw new RangeError(`the answer is over ${BODY_MAX_BYTES} bytes`);
    text += decoder.decode(value, { stream: true });
  }
}

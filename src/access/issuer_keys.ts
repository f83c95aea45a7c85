/**
 * The public keys of an issuer of tokens.
 *
 * jose verifies and chooses among them. Its own remote set forgets the old keys as soon as a refresh
 * fails, and reads answers of any length: what is fetched, and when, is decided here.
 *
 * @module
 */

import { deadline } from "@std/async/deadline";
import { createLocalJWKSet, errors } from "jose";
import type { CryptoKey, JSONWebKeySet, JWSHeaderParameters } from "jose";

/** Milliseconds after which the keys are fetched again, in case one was withdrawn. */
const FRESH_MS = 10 * 60 * 1000;
/** Milliseconds for which old keys still serve while the issuer cannot be reached. */
const STALE_MS = 24 * 60 * 60 * 1000;
/** Milliseconds between two fetches: tokens with made-up key names must not cause more of them. */
const PAUSE_MS = 10 * 1000;
const PAUSE_AFTER_FAILURE_MS = 1000;
/** Milliseconds within which the issuer must answer. */
const TIMEOUT_MS = 5 * 1000;
/** Bytes of an answer that is read at all. */
const ANSWER_MAX_BYTES = 1024 * 1024;

/** The options of {@linkcode IssuerKeys}. */
export interface IssuerKeysOptions {
  /** The address of a JSON Web Key Set (RFC 7517). */
  readonly url: string;
  /** Fetches it. @default {fetch} */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
}

/** The keys cannot be had now. Its message names no token and no address. */
export class IssuerKeysError extends Error {
  /** @param why Why not. */
  constructor(why: string) {
    super(`The keys of the tokens' issuer cannot be had: ${why}`);
    this.name = "IssuerKeysError";
  }
}

/**
 * A key set in memory: fetched when first needed, again every 10 minutes, and when a token names a
 * key that is not in it. While the issuer cannot be reached, the old keys serve for a day.
 *
 * @example
 * ```ts
 * import { IssuerKeys } from "./issuer_keys.ts";
 *
 * const keys = new IssuerKeys({
 *   url: "https://issuer.example/.well-known/jwks.json",
 *   fetch: () => Promise.resolve(Response.json({ keys: [] })), // as a test may have it
 * });
 * await keys.find({ alg: "ES256", kid: "1" }).catch((error) => console.log(error.code));
 * ```
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #now: () => number;
  #find: ReturnType<typeof createLocalJWKSet> | undefined;
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #fetching: Promise<void> | undefined;
  /** Why the last fetch failed; undefined if it did not. */
  #failure: string | undefined;

  /**
   * Creates the set, and fetches nothing yet.
   *
   * @param options Where it is published.
   */
  constructor(options: IssuerKeysOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Finds the key that a token was signed with.
   *
   * @param header The token's header, not yet believed.
   * @returns The key.
   * @throws {IssuerKeysError} If the keys cannot be had now: the token may be a good one.
   * @throws {errors.JOSEError} If the set has no such key, or several.
   */
  async find(header: JWSHeaderParameters): Promise<CryptoKey> {
    const age = this.#now() - this.#fetchedAt;
    if (age > FRESH_MS) {
      const fetching = this.#refresh();
      if (age > STALE_MS) await fetching;
    }
    if (!this.#find || this.#now() - this.#fetchedAt > STALE_MS) throw this.#error();
    try {
      return await this.#find(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#refresh();
    // It may be a new key, which the issuer has published and could not tell us of.
    if (this.#failure !== undefined) throw this.#error();
    return await this.#find(header);
  }

  #error(): IssuerKeysError {
    return new IssuerKeysError(this.#failure ?? "no answer");
  }

  /** Fetches the set, unless that was just tried. Never rejects. */
  #refresh(): Promise<void> {
    const pauseMs = this.#failure === undefined ? PAUSE_MS : PAUSE_AFTER_FAILURE_MS;
    if (!this.#fetching && this.#now() - this.#triedAt >= pauseMs) {
      this.#triedAt = this.#now();
      this.#fetching = this.#fetch().finally(() => this.#fetching = undefined);
    }
    return this.#fetching ?? Promise.resolve();
  }

  async #fetch(): Promise<void> {
    const abort = new AbortController();
    try {
      const fetchIt = this.#options.fetch ?? fetch;
      const read = async () => {
        const init = { signal: abort.signal, headers: { accept: "application/json" } };
        return keysIn(await fetchIt(this.#options.url, init));
      };
      this.#find = createLocalJWKSet(await deadline(read(), TIMEOUT_MS));
      this.#fetchedAt = this.#now();
      this.#failure = undefined;
    } catch (error) {
      // The address may hold a password, and the runtime's message the address.
      this.#failure = error instanceof AnswerError ? error.message : "no answer";
    } finally {
      abort.abort();
    }
  }
}

/** An answer that holds no keys. */
class AnswerError extends Error {}

async function keysIn(response: Response): Promise<JSONWebKeySet> {
  if (!response.ok) throw new AnswerError(`status ${response.status}`);
  const { keys } = parse(await textOf(response)) ?? {};
  if (!Array.isArray(keys)) throw new AnswerError('the answer has no list "keys"');
  const isKey = (key: unknown) => typeof key === "object" && key !== null && !Array.isArray(key);
  return { keys: keys.filter(isKey) };
}

function parse(text: string): { keys?: unknown } | null {
  try {
    return JSON.parse(text);
  } catch {
    throw new AnswerError("the answer is not JSON");
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > ANSWER_MAX_BYTES) throw new AnswerError("the answer is too long");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * The keys that an issuer of tokens publishes.
 *
 * @module
 */

import { decode } from "hono/jwt";
import { deadline } from "@std/async/deadline";

/** Milliseconds after which the keys are fetched again, in case one was withdrawn. */
const FRESH_MS = 10 * 60 * 1000;
/** Milliseconds for which old keys still serve where the issuer cannot be reached. */
const STALE_MS = 24 * 60 * 60 * 1000;
/** Milliseconds between two fetches: tokens with made-up key names must not make more of them. */
const PAUSE_MS = 10 * 1000;
const PAUSE_AFTER_FAILURE_MS = 1000;
/** Milliseconds within which the issuer must answer. */
const TIMEOUT_MS = 5 * 1000;
/** Bytes of an answer that is read at all. */
const ANSWER_MAX_BYTES = 1024 * 1024;

/** A JSON Web Key (RFC 7517) with a name. */
export interface NamedKey extends JsonWebKey {
  /** Its name. */
  readonly kid?: string;
}

/** Where keys come from. */
export interface KeySetOptions {
  /** The address of a JSON Web Key Set (RFC 7517). */
  readonly url: string;
  /** Fetches it. @default {fetch} */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. @default {Date.now} */
  readonly now?: () => number;
}

/**
 * A published set of keys, kept in memory: fetched when first needed, again every 10 minutes, and
 * when a token names a key that is not in it. Where that fails the old ones serve for a day.
 *
 * @example
 * ```ts
 * import { KeySet } from "./key_set.ts";
 *
 * const keySet = new KeySet({
 *   url: "https://issuer.example/.well-known/jwks.json",
 *   fetch: () => Promise.resolve(Response.json({ keys: [] })), // as a test may have it
 * });
 * console.log(await keySet.keysFor("no token"));
 * ```
 */
export class KeySet {
  readonly #options: KeySetOptions;
  readonly #now: () => number;
  #keys: readonly NamedKey[] | undefined;
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #fetching: Promise<void> | undefined;
  /** Why the last fetch failed. */
  #failure: string | undefined;

  /**
   * Makes one.
   *
   * @param options Where they come from.
   */
  constructor(options: KeySetOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Gives the keys with which to verify a token.
   *
   * @param token The token, not yet believed.
   * @returns The keys, or undefined where the token names none of them.
   * @throws {Error} Where the keys cannot be had; the message says why and names no token.
   */
  async keysFor(token: string): Promise<readonly NamedKey[] | undefined> {
    const kid = keyNameOf(token);
    if (kid === undefined) return undefined;
    const age = this.#now() - this.#fetchedAt;
    const isKnown = this.#keys?.some((key) => key.kid === kid) ?? false;
    if (!isKnown || age > FRESH_MS) await this.#refresh(isKnown && age <= STALE_MS);
    return this.#keys?.some((key) => key.kid === kid) ? this.#keys : undefined;
  }

  /** Fetches, unless that was just tried. Where there is something to go on with, nobody waits. */
  async #refresh(canWait: boolean): Promise<void> {
    const pauseMs = this.#failure === undefined ? PAUSE_MS : PAUSE_AFTER_FAILURE_MS;
    if (!this.#fetching && this.#now() - this.#triedAt >= pauseMs) {
      this.#triedAt = this.#now();
      this.#fetching = this.#fetch().finally(() => this.#fetching = undefined);
    }
    if (canWait) return;
    await this.#fetching;
    const isUsable = this.#now() - this.#fetchedAt <= STALE_MS;
    if (!isUsable) {
      throw new Error(`The keys of the tokens' issuer cannot be had: ${this.#failure}`);
    }
  }

  async #fetch(): Promise<void> {
    const abort = new AbortController();
    try {
      const fetchIt = this.#options.fetch ?? fetch;
      const keys = async () => {
        const init = { signal: abort.signal, headers: { accept: "application/json" } };
        return keysIn(await fetchIt(this.#options.url, init));
      };
      this.#keys = await deadline(keys(), TIMEOUT_MS);
      this.#fetchedAt = this.#now();
      this.#failure = undefined;
    } catch (error) {
      // The address may hold a password, and the runtime's message the address.
      this.#failure = error instanceof KeySetError ? error.message : "no answer";
    } finally {
      abort.abort();
    }
  }
}

/** An answer that holds no keys. */
class KeySetError extends Error {}

async function keysIn(response: Response): Promise<readonly NamedKey[]> {
  if (!response.ok) throw new KeySetError(`status ${response.status}`);
  const { keys } = parse(await textOf(response)) ?? {};
  if (!Array.isArray(keys)) throw new KeySetError('the answer has no list "keys"');
  return keys.filter((key) => typeof key === "object" && key !== null);
}

function parse(text: string): { keys?: unknown } | null {
  try {
    return JSON.parse(text);
  } catch {
    throw new KeySetError("the answer is not JSON");
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > ANSWER_MAX_BYTES) throw new KeySetError("the answer is too long");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function keyNameOf(token: string): string | undefined {
  try {
    const { kid } = decode(token).header;
    return typeof kid === "string" ? kid : undefined;
  } catch {
    return undefined;
  }
}

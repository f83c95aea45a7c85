/**
 * The tokens of a connection.
 *
 * @module
 */

import type { ConnectOptions } from "./chat_events.ts";
import { withDeadline } from "./deadline.ts";

/** Milliseconds for which the refused tokens of a function are taken for stale ones. */
const STALE_MS = 5 * 60_000;
/** Tokens of a function that are refused in a row before that is final. */
const REFUSALS_MIN = 3;
/** Characters that a name of a subprotocol may have (RFC 9110, section 5.6.2). */
const PROTOCOL_TOKEN = /^[!#$%&'*+\-.^_`|~A-Za-z0-9]+$/;
/** Characters that a header carries as they are. */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
/** The start of a subprotocol with a token that is one name of a subprotocol by itself. */
const TOKEN_PREFIX = "hubbub.token.";
/** The start of any other token: base64url (RFC 4648, section 5) of its UTF-8 follows. */
const TOKEN64_PREFIX = "hubbub.token64.";

/**
 * Source of the tokens of a connection: none, always the same, or a function's. Decides whether
 * another try makes sense after the server has refused one.
 *
 * @example
 * ```ts
 * import { TokenSource } from "./token_source.ts";
 *
 * const tokens = new TokenSource(() => Promise.resolve("fresh"), { patienceMs: 10_000 });
 * console.log(await tokens.read(new AbortController().signal)); // fresh
 * console.log(tokens.refuse({ wasLive: false })); // true: it may have been a stale one
 * ```
 */
export class TokenSource {
  readonly #token: ConnectOptions["token"];
  readonly #patienceMs: number;
  #refusals = 0;
  #refusedSince = 0;

  /**
   * @param token The token, or what gives it.
   * @param options How many milliseconds a function may take.
   */
  constructor(token: ConnectOptions["token"], options: { readonly patienceMs: number }) {
    this.#token = token;
    this.#patienceMs = options.patienceMs;
  }

  /** Whether there may be a better token next time. */
  get isRenewable(): boolean {
    return typeof this.#token === "function";
  }

  /**
   * Reads the token of now.
   *
   * @param signal Ends the wait.
   * @returns The token; undefined where there is none. Rejects where the function does, where it
   * takes too long, or with the signal's reason.
   */
  async read(signal: AbortSignal): Promise<string | undefined> {
    const token = this.#token;
    if (typeof token !== "function") return token;
    const given: unknown = await withDeadline(this.#patienceMs, signal, () => token());
    if (typeof given === "string") return given;
    if (given === undefined || given === null) return undefined;
    throw new TypeError(`the function returned no text but ${typeof given}`);
  }

  /**
   * Counts a refusal by the server: of the token, or, where there is none, of the session that a
   * cookie stands for.
   *
   * @param options Whether the connection had been let in before, so that something has expired.
   * @returns True where another try makes sense.
   */
  refuse({ wasLive }: { readonly wasLive: boolean }): boolean {
    if (typeof this.#token === "string") return false;
    // A cookie may be good for longer than the server knew when it let the connection in.
    if (!this.isRenewable) return wasLive;
    const now = performance.now();
    if (this.#refusals++ === 0) this.#refusedSince = now;
    return this.#refusals < REFUSALS_MIN || now - this.#refusedSince < STALE_MS;
  }

  /** Forgets refusals: the server has let the connection in. */
  accept(): void {
    this.#refusals = 0;
  }
}

/**
 * Writes a token as the name of a subprotocol, which browsers let a page choose, unlike headers.
 *
 * @param token Any text.
 * @returns The name.
 */
export function tokenProtocol(token: string): string {
  return PROTOCOL_TOKEN.test(token) ? TOKEN_PREFIX + token : encoded(token);
}

/**
 * Writes a token as the value of an `Authorization` header.
 *
 * @param token Any text.
 * @returns The value.
 */
export function bearer(token: string): string {
  const isPlain = VISIBLE_ASCII.test(token) && !token.startsWith(TOKEN64_PREFIX);
  return `Bearer ${isPlain ? token : encoded(token)}`;
}

function encoded(token: string): string {
  let bytes = "";
  for (const byte of new TextEncoder().encode(token)) bytes += String.fromCharCode(byte);
  const base64url = btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return TOKEN64_PREFIX + base64url;
}

/**
 * Why an upgrade failed.
 *
 * @module
 */

import { ChatError } from "./chat_error.ts";
import type { HttpClient } from "./http_client.ts";
import { pageGlobals } from "./page_globals.ts";
import type { TokenSource } from "./token_source.ts";
import { errorOfAnswer, type HttpAnswer, isObject } from "./http_answer.ts";

/** The status with which the server tells a plain request that it would upgrade a proper one. */
const UPGRADE_REQUIRED = 426;
/** Upgrades in a row that must fail beside HTTP that works: one may just have come too early. */
const FAILURES_MIN = 2;

/** Why an upgrade failed. */
export interface Refusal {
  /** Whether the server itself says that another try is in vain. */
  readonly isFinal: boolean;
  /** The reason, a sentence for people. */
  readonly message: string;
  /** Milliseconds that the answer asks to wait, within bounds. */
  readonly retryAfterMs: number;
}

/** How {@linkcode UpgradeProbe} behaves. */
export interface UpgradeProbeOptions {
  /** What to ask with. */
  readonly http: HttpClient;
  /** Decides whether another token may do better. */
  readonly tokens: TokenSource;
}

/**
 * Finds out by plain HTTP why an upgrade failed. A WebSocket does not tell; but the server answers a
 * plain request for the same URL with the same refusal.
 */
export class UpgradeProbe {
  readonly #options: UpgradeProbeOptions;
  /** Upgrades in a row that failed though the server answers HTTP. */
  #failures = 0;
  #isAsking = false;

  /** @param options What to ask with. */
  constructor(options: UpgradeProbeOptions) {
    this.#options = options;
  }

  /** Whether a question is still open. */
  get isAsking(): boolean {
    return this.#isAsking;
  }

  /** Forgets failures: an upgrade came through. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Asks why the last upgrade failed.
   *
   * @param url The URL of the upgrade, with `ws:` or `wss:`.
   * @param signal Ends the request.
   * @returns The reason; undefined where it is not to be known: the server cannot be reached by HTTP
   * either, or the signal was aborted.
   */
  async ask(url: string, signal: AbortSignal): Promise<Refusal | undefined> {
    this.#isAsking = true;
    try {
      const error = await this.#ask(new URL(url.replace(/^ws/, "http")), signal);
      if (signal.aborted || error === undefined) return undefined;
      const { code, temporary, message, retryAfterMs = 0 } = error;
      const isFinal = code === "unauthorized"
        ? !this.#options.tokens.refuse({ wasLive: false })
        : !temporary;
      return { isFinal, message, retryAfterMs };
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      this.#isAsking = false;
    }
  }

  async #ask(target: URL, signal: AbortSignal): Promise<ChatError | undefined> {
    const { http } = this.#options;
    let answer: HttpAnswer;
    try {
      answer = await http.get(target.href, signal);
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      this.#failures = 0;
      return await this.#originError(target, signal);
    }
    if (!isWelcome(answer)) {
      this.#failures = 0;
      return errorOfAnswer(answer, http.isTokenRenewable);
    }
    if (++this.#failures < FAILURES_MIN) return undefined;
    return temporary(
      "The server answers HTTP, but no WebSocket gets through: " +
        "does a proxy leave out Upgrade, Connection or Host?",
    );
  }

  /** A page of another origin may not read answers that do not name its origin. */
  async #originError(target: URL, signal: AbortSignal): Promise<ChatError | undefined> {
    const origin = pageGlobals().location?.origin;
    if (origin === undefined || origin === target.origin) return undefined;
    if (!await this.#options.http.isAnswered(target.origin, signal)) return undefined;
    return temporary(
      `${target.origin} answers, but not to pages of ${origin}: ` +
        "is that origin missing in HUBBUB_ORIGINS, or is a proxy in the way?",
    );
  }
}

/** Whether the server would let the client in, if only it asked for an upgrade. */
function isWelcome({ status, body }: HttpAnswer): boolean {
  return status === UPGRADE_REQUIRED && isObject(body) && isObject(body.error) &&
    body.error.code === "upgrade_required";
}

function temporary(message: string): ChatError {
  return new ChatError(message, { code: "unreachable", temporary: true });
}

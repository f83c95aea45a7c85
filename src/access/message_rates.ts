/**
 * Limits on how fast messages may be sent, over all connections and requests.
 *
 * @module
 */

import type { Limits } from "../protocol/mod.ts";
import { RateLimit } from "./rate_limit.ts";

/** What a user may send on all connections together, as a multiple of what one connection may. */
const USER_SHARE = 2;
/** The same for all names at one address of an open hub: a household shares one, or an office. */
const ADDRESS_SHARE = 5;

/** The name of a rate that a message can exceed. */
export type MessageLimit = "user_rate" | "address_message_rate";

/** Who sends a message. */
export interface MessageSource {
  /** Whose rate it counts for, as a key. */
  readonly owner: string;
  /** The address whose rate it counts for too; undefined where there is no such rate. */
  readonly address: string | undefined;
}

/** The options of {@linkcode MessageRates}. */
export interface MessageRatesOptions {
  /** What one connection may send. */
  readonly limits: Limits;
  /** Called with each rate that is exceeded. Must not throw. */
  readonly onReached?: (limit: MessageLimit, address: string | undefined) => void;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/**
 * The rates of users and addresses. The address comes first: who makes up a new name for each
 * message then makes no new bucket for each either.
 *
 * @example
 * ```ts
 * import { MessageRates } from "./message_rates.ts";
 *
 * const rates = new MessageRates({
 *   limits: {
 *     text_max_bytes: 4096,
 *     typing_timeout_ms: 3000,
 *     messages_per_second: 20,
 *     message_burst: 40,
 *   },
 * });
 * console.log(rates.take({ owner: "ann", address: "192.0.2.1" })); // 0: no need to wait
 * ```
 */
export class MessageRates {
  readonly #onReached: MessageRatesOptions["onReached"];
  readonly #users: RateLimit | undefined;
  readonly #addresses: RateLimit | undefined;

  /**
   * Creates the rates.
   *
   * @param options What one connection may send.
   */
  constructor({ limits, onReached, now }: MessageRatesOptions) {
    this.#onReached = onReached;
    const { messages_per_second: perSecond, message_burst: burst } = limits;
    if (perSecond === 0) return;
    const shareOf = (share: number) =>
      new RateLimit({ perSecond: share * perSecond, burst: share * burst, now });
    this.#users = shareOf(USER_SHARE);
    this.#addresses = shareOf(ADDRESS_SHARE);
  }

  /**
   * Takes one message from the rates of its source.
   *
   * @param source Who sends it.
   * @returns 0 if it may be sent; else the milliseconds to wait.
   */
  take({ owner, address }: MessageSource): number {
    const atAddress = address === undefined ? 0 : this.#addresses?.take(address) ?? 0;
    if (atAddress > 0) {
      this.#onReached?.("address_message_rate", address);
      return atAddress;
    }
    const ofUser = this.#users?.take(owner) ?? 0;
    if (ofUser > 0) this.#onReached?.("user_rate", address);
    return ofUser;
  }
}

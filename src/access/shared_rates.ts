/**
 * The rates that a connection shares with others of its user and its address.
 *
 * @module
 */

import type { ProcessorAccount } from "./processor_shares.ts";
import { RateLimit } from "./rate_limit.ts";

/**
 * Envelopes that all connections of an address may send, joins and leaves aside: those have turns. A
 * processor handles some 15,000 a second, and 2,000 people at one address send some 300.
 */
const ENVELOPES_PER_SECOND = 1_000;
const ENVELOPES_BURST = 4_000;
/** Envelopes of an address that are refused with a reason; from then on the connection ends. */
const REFUSALS_PER_SECOND = 100;
const REFUSALS_BURST = 2_000;

/** What a connection takes from rates that it shares: milliseconds to wait, or 0. */
export interface SharedRates {
  /**
   * Takes one message from the rates of the user and, in an open hub, of the address.
   *
   * @returns The milliseconds to wait, or 0.
   */
  takeMessage(): number;
  /**
   * Takes one reaction from the rate of the user.
   *
   * @returns The milliseconds to wait, or 0.
   */
  takeReaction?(): number;
  /**
   * Takes one envelope from the rate of the address.
   *
   * @returns The milliseconds to wait, or 0.
   */
  takeEnvelope(): number;
  /**
   * Takes one envelope that is refused from the rate of the address.
   *
   * @returns More than 0 where the connection has to go.
   */
  takeRefusal(): number;
  /** The processor's time that is spent on the address; undefined where none is counted. */
  readonly processor?: ProcessorAccount;
}

/** The options of {@linkcode AddressRates}. */
export interface AddressRatesOptions {
  /** Called each time that an address sends too many envelopes. Must not throw. */
  readonly onReached?: (limit: "address_envelope_rate", address: string) => void;
  /** Milliseconds on a clock that never goes back. @default {performance.now} */
  readonly now?: () => number;
}

/**
 * The rates of envelopes by address. Each connection has rates of its own; without these, 2,000
 * connections of one address would have 2,000 times as much, and each that is ended for refused
 * envelopes could come back for as many again.
 *
 * @example
 * ```ts
 * import { AddressRates } from "./shared_rates.ts";
 *
 * const rates = new AddressRates();
 * console.log(rates.takeEnvelope("192.0.2.1")); // 0: no need to wait
 * ```
 */
export class AddressRates {
  readonly #onReached: AddressRatesOptions["onReached"];
  readonly #envelopes: RateLimit;
  readonly #refusals: RateLimit;

  /** @param options What is called where a rate is exceeded. */
  constructor({ onReached, now }: AddressRatesOptions = {}) {
    this.#onReached = onReached;
    this.#envelopes = new RateLimit({
      perSecond: ENVELOPES_PER_SECOND,
      burst: ENVELOPES_BURST,
      now,
    });
    this.#refusals = new RateLimit({ perSecond: REFUSALS_PER_SECOND, burst: REFUSALS_BURST, now });
  }

  /**
   * Takes an envelope from the rate of an address.
   *
   * @param address The address.
   * @returns 0 if it may be sent; else the milliseconds to wait.
   */
  takeEnvelope(address: string): number {
    const waitMs = this.#envelopes.take(address);
    if (waitMs > 0) this.#onReached?.("address_envelope_rate", address);
    return waitMs;
  }

  /**
   * Takes an envelope that is refused from the rate of an address.
   *
   * @param address The address.
   * @returns 0 if it may be refused; else the connection has to go.
   */
  takeRefusal(address: string): number {
    return this.#refusals.take(address);
  }
}

/**
 * The rates of everything that a user may send, over all connections and requests.
 *
 * @module
 */

import type { Limits } from "../protocol/mod.ts";
import { type MessageLimit, MessageRates } from "./message_rates.ts";
import { type ProcessorAccount, ProcessorShares } from "./processor_shares.ts";
import { AddressRates, type SharedRates } from "./shared_rates.ts";

/** The options of {@linkcode TrafficRates}. */
export interface TrafficRatesOptions {
  /** What one connection may send. */
  readonly limits: Limits;
  /** Whether users go by any name they like, so that addresses have rates of messages too. */
  readonly isOpen: boolean;
  /** Called with each rate that is exceeded. Must not throw. */
  readonly onReached: (
    limit: MessageLimit | "address_envelope_rate",
    address: string | undefined,
  ) => void;
}

/** Who sends something. */
export interface TrafficSource {
  /** The user. */
  readonly user: string;
  /** The address or network; undefined where it is unknown, or spared limits by address. */
  readonly counted: string | undefined;
  /** The same, if it is known. */
  readonly address: string | undefined;
}

/**
 * The rates of messages, reactions and envelopes, and the processor's time, by user and by address.
 *
 * @example
 * ```ts
 * import { Hub, KvRoomLog } from "@hubbub/hub";
 * import { TrafficRates } from "./traffic_rates.ts";
 *
 * using kv = await Deno.openKv(":memory:");
 * await using hub = new Hub(new KvRoomLog(kv));
 * const rates = new TrafficRates({ limits: hub.limits, isOpen: true, onReached() {} });
 * const ann = rates.of({ user: "ann", address: "192.0.2.1", counted: "192.0.2.1" });
 * console.log(ann.takeMessage()); // 0: no need to wait
 * ```
 */
export class TrafficRates {
  /** The processor's time that is spent on each address whose limits hold. */
  readonly processor = new ProcessorShares();
  readonly #isOpen: boolean;
  readonly #messages: MessageRates;
  readonly #reactions: MessageRates;
  readonly #envelopes: AddressRates;

  /** @param options What may be sent, and what is called where it is more. */
  constructor({ limits, isOpen, onReached }: TrafficRatesOptions) {
    this.#isOpen = isOpen;
    this.#envelopes = new AddressRates({ onReached });
    this.#messages = new MessageRates({ limits, onReached });
    this.#reactions = new MessageRates({ limits, onReached });
  }

  /**
   * The rates that a connection takes from.
   *
   * @param source Whose it is.
   * @returns Its part in them.
   */
  of(source: TrafficSource): SharedRates {
    const { counted } = source;
    const envelopes = this.#envelopes;
    return {
      takeMessage: () => this.take(source),
      takeReaction: () => this.take(source, true),
      takeEnvelope: () => counted === undefined ? 0 : envelopes.takeEnvelope(counted),
      takeRefusal: () => counted === undefined ? 0 : envelopes.takeRefusal(counted),
      processor: this.processorOf(counted),
    };
  }

  /**
   * Takes one message, or one reaction.
   *
   * @param source Whose it is.
   * @param isReaction Whether it is a reaction, of which there is a rate of its own.
   * @returns 0 if it may be sent; else the milliseconds to wait.
   */
  take(source: TrafficSource, isReaction = false): number {
    const rates = isReaction ? this.#reactions : this.#messages;
    return rates.take({
      owner: this.ownerOf(source),
      address: this.#isOpen ? source.counted : undefined,
    });
  }

  /**
   * Whose limits a user counts for. In an open hub anybody may use any name, and must not use up
   * the limits of others who go by it elsewhere.
   *
   * @param source The user, and the address.
   * @returns A key to count by.
   */
  ownerOf({ user, address }: Pick<TrafficSource, "user" | "address">): string {
    return this.#isOpen ? `${address ?? ""} ${user}` : user;
  }

  /**
   * The account of an address in the processor's time.
   *
   * @param counted The address; undefined where none is counted.
   * @returns The account, if there is one.
   */
  processorOf(counted: string | undefined): ProcessorAccount | undefined {
    return counted === undefined ? undefined : this.processor.open(counted);
  }
}

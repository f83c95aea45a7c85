/**
 * Versions of the protocol, as a connection speaks them.
 *
 * @module
 */

import type { Decoded, DrainingEnvelope, PongEnvelope } from "../protocol/mod.ts";

/** An envelope about the connection itself, the same in all versions. */
export type ConnectionEnvelope = DrainingEnvelope | PongEnvelope;

/** A version of the protocol; `E` are its envelopes from the server, but for those of all. */
export interface Wire<E> {
  /** The subprotocols to offer, the best first. */
  readonly protocols: readonly string[];
  /**
   * Tells whether several envelopes may share a frame.
   *
   * @param protocol The subprotocol that the server chose.
   */
  readonly isLines: (protocol: string) => boolean;
  /**
   * Decodes an envelope. Never throws.
   *
   * @param text Its JSON text.
   */
  readonly decode: (text: string) => Decoded<"envelope", E | ConnectionEnvelope>;
}

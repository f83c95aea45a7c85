/**
 * Encoding of envelopes.
 *
 * @module
 */

import type { ClientEnvelope } from "./client_envelope.ts";
import type { ClientEnvelopeV2 } from "./client_envelope_v2.ts";
import type { ServerEnvelope } from "./server_envelope.ts";
import type { ServerEnvelopeV2 } from "./server_envelope_v2.ts";

/**
 * Encodes an envelope, of version 1 or 2, as one line of JSON, without a raw line feed.
 *
 * @param envelope The envelope.
 * @returns Its JSON text.
 *
 * @example
 * ```ts
 * import { encodeEnvelope } from "@hubbub/hub/protocol";
 *
 * encodeEnvelope({ type: "chat_message", payload: { text: "hello", ref: "1" } });
 * ```
 */
export function encodeEnvelope(
  envelope: ClientEnvelope | ClientEnvelopeV2 | ServerEnvelope | ServerEnvelopeV2,
): string {
  return JSON.stringify(envelope);
}

/**
 * Encoding of envelopes.
 *
 * @module
 */

import type { ClientEnvelope } from "./client_envelope.ts";
import type { ServerEnvelope } from "./server_envelope.ts";

/**
 * Encodes an envelope as one line of JSON, without a raw line feed.
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
export function encodeEnvelope(envelope: ClientEnvelope | ServerEnvelope): string {
  return JSON.stringify(envelope);
}

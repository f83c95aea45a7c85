/**
 * Errors and last words as envelopes, in both protocols.
 *
 * @module
 */

import { encodeEnvelope, type Problem, type ServerEnvelopeV2 } from "../protocol/mod.ts";
import { EnvelopeBatch } from "./envelope_batch.ts";

/**
 * Makes the batch of an error.
 *
 * @param problem What is wrong.
 * @param about The room that it concerns, and the type of the envelope that was refused.
 * @returns The batch.
 */
export function errorBatch(
  problem: Problem,
  about: { readonly room: string; readonly for: string },
): EnvelopeBatch {
  return new EnvelopeBatch(() => [encodeEnvelope({ type: "error", payload: problem })], {
    v2: { encode: () => [encodeErrorV2(problem, about)] },
  });
}

/**
 * Encodes an error of protocol 2.
 *
 * @param problem What is wrong.
 * @param about The room that it concerns, if one, and the type of the envelope that was refused.
 * @returns The envelope.
 */
export function encodeErrorV2(
  problem: Problem,
  about: { readonly room?: string; readonly for?: string },
): string {
  const { code, message, ref, retry_after_ms } = problem;
  const payload = { code, message, for: about.for, ref, retry_after_ms };
  const { room } = about;
  const envelope: ServerEnvelopeV2 = room === undefined
    ? { type: "error", payload }
    : { type: "error", room, payload };
  return encodeEnvelope(envelope);
}

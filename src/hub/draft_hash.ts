/**
 * What a sender said, as a number.
 *
 * @module
 */

import type { ChangeDraft, Draft } from "../protocol/mod.ts";

/**
 * Hashes what a sender sent, before moderation: a message that is sent again has the same hash, also
 * where moderation would change it otherwise by now.
 *
 * @param draft The message, or the change of one.
 * @returns 32 bits of a hash of everything in it but the `ref`.
 *
 * @example
 * ```ts
 * import { hashDraft } from "./draft_hash.ts";
 *
 * console.log(hashDraft({ text: "hi", ref: "1" }) === hashDraft({ text: "hi", ref: "2" })); // true
 * ```
 */
export function hashDraft(draft: Draft | ChangeDraft): number {
  const { ref: _, ...content } = draft;
  const text = JSON.stringify(content);
  let hash = 0x811c9dc5; // FNV-1a, by UTF-16 code units
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}

/**
 * Writes a hash as it is stored.
 *
 * @param hash 32 bits.
 * @returns 8 hexadecimal digits.
 */
export function hashText(hash: number): string {
  return hash.toString(16).padStart(8, "0");
}

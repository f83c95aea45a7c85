/**
 * Hashes by which a message that is sent again is recognised.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** 64 bits of a hash. */
export type RefHash = readonly [high: number, low: number];

/**
 * Hashes a sender and its `ref`. Senders choose refs: nobody must find one that has the hash of
 * another's.
 *
 * @param name What {@linkcode refName} returned.
 * @returns 64 bits.
 */
export function hashRef(name: string): RefHash {
  const digest = createHash("sha256").update(name).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

/**
 * Names a message by its sender and `ref`.
 *
 * @param user The sender.
 * @param ref The sender's name for the message.
 * @returns A text that no other sender and `ref` have.
 */
export function refName(user: string, ref: string): string {
  // No name of a user holds a line feed.
  return `${user}\n${ref}`;
}

/**
 * Writes a hash as it is stored.
 *
 * @param hash 64 bits.
 * @returns 16 hexadecimal digits.
 */
export function refHashText([high, low]: RefHash): string {
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}

/**
 * Reads a hash as it is stored.
 *
 * @param text 16 hexadecimal digits.
 * @returns 64 bits.
 */
export function parseRefHash(text: string): RefHash {
  return [parseInt(text.slice(0, 8), 16), parseInt(text.slice(8), 16)];
}

/**
 * What Deno KV takes at most, and what commits cost.
 *
 * @module
 */

import type { CommitBudget } from "../room_log.ts";

/**
 * What Deno KV takes at most, measured on SQLite with Deno 2.9.6: bytes of a value, bytes of an
 * atomic (its values and twice its keys), bytes of an atomic's keys, mutations of an atomic.
 */
export const KV_LIMITS = {
  valueBytes: 65_536,
  atomicBytes: 819_200,
  keyBytes: 81_920,
  mutations: 1_000,
} as const;

/** Bytes to allow for a number, or a few, as a KV value. */
const SMALL_VALUE_BYTES = 48;
/** Mutations for one room's entry: the entry and the head. */
const MUTATIONS_PER_ROOM = 2;
/** Mutations of the rest: bell, feed, and the old feed that goes. */
const MUTATIONS_PER_COMMIT = 3;
/** Bytes that the longest prefix may take in a key. */
const PREFIX_MAX_BYTES = 1_024;

/**
 * Counts the bytes that a prefix takes in each key.
 *
 * @param prefix A beginning of keys.
 * @returns Bytes, never fewer than KV counts.
 * @throws {RangeError} Where it is so long that keys would not fit.
 */
export function prefixBytes(prefix: Deno.KvKey): number {
  let bytes = 0;
  for (const part of prefix) {
    // A text part has 2 bytes around it, and its zero bytes are doubled; other parts are short.
    const text = typeof part === "string" ? new TextEncoder().encode(part) : part;
    bytes += text instanceof Uint8Array
      ? 2 + text.length + text.filter((byte) => byte === 0).length
      : 4 + String(part).length + 8;
  }
  if (bytes <= PREFIX_MAX_BYTES) return bytes;
  throw new RangeError(
    `Cannot keep logs under a prefix of ${bytes} bytes: ${PREFIX_MAX_BYTES} are the most`,
  );
}

/** What one atomic of Deno KV can still hold. */
export class KvCommitBudget implements CommitBudget {
  readonly #prefixBytes: number;
  #bytes: number;
  #keyBytes: number;
  #mutations = MUTATIONS_PER_COMMIT;
  /** The mark comes first. */
  #feedBytes = 6;

  /**
   * @param prefixBytes Bytes that the prefix takes in each key.
   * @param hasCheck Whether the commit checks a key.
   */
  constructor(prefixBytes: number, hasCheck: boolean) {
    this.#prefixBytes = prefixBytes;
    // ["bell"], and twice ["feed", commit]; ["fence", a UUID] where it is checked.
    this.#keyBytes = 3 * prefixBytes + 6 + 2 * (6 + 22) + (hasCheck ? prefixBytes + 7 + 38 : 0);
    this.#bytes = 2 * this.#keyBytes + 3 * SMALL_VALUE_BYTES;
  }

  /** How long the entry of one more room may be. */
  bytesFor(room: string): number {
    const { keyBytes, overheadBytes } = this.#cost(room);
    if (
      this.#mutations + MUTATIONS_PER_ROOM > KV_LIMITS.mutations ||
      this.#keyBytes + keyBytes > KV_LIMITS.keyBytes ||
      this.#feedBytes + room.length + 1 > KV_LIMITS.valueBytes - SMALL_VALUE_BYTES
    ) return 0;
    const left = KV_LIMITS.atomicBytes - this.#bytes - overheadBytes;
    return Math.max(0, Math.min(KV_LIMITS.valueBytes, left));
  }

  /** Books an entry. */
  add(room: string, bytes: number): void {
    const { keyBytes, overheadBytes } = this.#cost(room);
    this.#bytes += overheadBytes + bytes;
    this.#keyBytes += keyBytes;
    this.#feedBytes += room.length + 1;
    this.#mutations += MUTATIONS_PER_ROOM;
  }

  #cost(room: string): { readonly keyBytes: number; readonly overheadBytes: number } {
    // KV writes a string part with 2 bytes around it: "rooms", the room, "log", a commit of
    // 20 digits; and "rooms", the room, "head". The feed names the room once more.
    const keyBytes = 2 * this.#prefixBytes +
      (7 + room.length + 2 + 5 + 22) + (7 + room.length + 2 + 6);
    return { keyBytes, overheadBytes: 2 * keyBytes + SMALL_VALUE_BYTES + room.length + 1 };
  }
}

/**
 * What Deno KV takes at most, and what commits cost.
 *
 * @module
 */

import type { BudgetedAppend, CommitBudget } from "../commit_budget.ts";
import { CURSOR_LENGTH } from "../cursor.ts";

/**
 * What Deno KV takes at most, measured on SQLite with Deno 2.9.6: bytes of a value, bytes of an
 * atomic (its values and twice its keys), bytes of an atomic's keys, mutations of an atomic. Of
 * checks it takes 100, and denokv 10: one is that of the fence.
 */
export const KV_LIMITS = {
  valueBytes: 65_536,
  atomicBytes: 819_200,
  keyBytes: 81_920,
  mutations: 1_000,
  claims: 9,
} as const;

/** Bytes to allow for a number, or a few, as a KV value. */
const SMALL_VALUE_BYTES = 48;
/** Mutations for a room, its head, and for each of its two entries. */
const MUTATIONS_PER_ROOM = 1;
const MUTATIONS_PER_ENTRY = 1;
/** Mutations that come with a room's first change: what its meta says. */
const MUTATIONS_FOR_META = 2;
/** Mutations of the rest: bell, feed, and the old feed that goes. */
const MUTATIONS_PER_COMMIT = 3;
/** Bytes that the feed takes for a room besides its name: a space, a slash, a point, two numbers. */
const FEED_ROOM_BYTES = 3 + 3 + 5;
/** Bytes that the longest prefix may take in a key. */
const PREFIX_MAX_BYTES = 1_024;
/** Keys that one atomic deletes, and bytes of them. */
const DELETED_KEYS_MAX = 400;
const DELETED_BYTES_MAX = 64 * 1024;

const encoder = new TextEncoder();

function keyBytes(key: Deno.KvKey): number {
  let bytes = 0;
  for (const part of key) {
    // A text part has 2 bytes around it, and its zero bytes are doubled; other parts are short.
    const text = typeof part === "string" ? encoder.encode(part) : part;
    bytes += text instanceof Uint8Array
      ? 2 + text.length + text.filter((byte) => byte === 0).length
      : 4 + String(part).length + 8;
  }
  return bytes;
}

/**
 * Counts keys that one atomic deletes.
 *
 * @param keys Keys.
 * @returns How many of the first of them one atomic takes, at least one if there is one.
 */
export function deletable(keys: readonly Deno.KvKey[]): number {
  let bytes = 0;
  for (let count = 0; count < keys.length; count++) {
    bytes += keyBytes(keys[count]);
    if (count === DELETED_KEYS_MAX || (count > 0 && bytes > DELETED_BYTES_MAX)) return count;
  }
  return keys.length;
}

/**
 * Counts the bytes that a prefix takes in each key.
 *
 * @param prefix A beginning of keys.
 * @returns Bytes, never fewer than KV counts.
 * @throws {RangeError} Where it is so long that keys would not fit.
 */
export function prefixBytes(prefix: Deno.KvKey): number {
  const bytes = keyBytes(prefix);
  if (bytes <= PREFIX_MAX_BYTES) return bytes;
  throw new RangeError(
    `Cannot keep logs under a prefix of ${bytes} bytes: ${PREFIX_MAX_BYTES} are the most`,
  );
}

/** What one atomic of Deno KV can still hold. */
export class KvCommitBudget implements CommitBudget {
  readonly #prefixBytes: number;
  #used: Cost;
  #claims = 0;
  /** The mark comes first. */
  #feedBytes = 6;
  /** By room, the bytes of its messages and of its changes. */
  readonly #rooms = new Map<string, { messages: number; changes: number }>();

  /**
   * @param prefixBytes Bytes that the prefix takes in each key.
   * @param hasCheck Whether the commit checks a key.
   */
  constructor(prefixBytes: number, hasCheck: boolean) {
    this.#prefixBytes = prefixBytes;
    // ["bell"], and twice ["feed", commit]; ["fence", a UUID] where it is checked.
    const keyBytes = 3 * prefixBytes + 6 + 2 * (6 + 22) + (hasCheck ? prefixBytes + 7 + 38 : 0);
    this.#used = {
      keyBytes,
      valueBytes: 3 * SMALL_VALUE_BYTES,
      mutations: MUTATIONS_PER_COMMIT,
    };
  }

  /** Books an append, where the commit can hold it. */
  take(append: BudgetedAppend): boolean {
    const { room, line, writes } = append;
    const kind = writes ? "changes" : "messages";
    const known = this.#rooms.get(room);
    const entryBytes = known?.[kind] ? known[kind] + 1 + line.length : line.length;
    const feedBytes = this.#feedBytes + (known ? 0 : room.length + FEED_ROOM_BYTES);
    const cost = this.#costOf(append, { isNewRoom: !known, isNewEntry: !known?.[kind] });
    const claims = this.#claims + (writes?.claim ? 1 : 0);
    const used = {
      keyBytes: this.#used.keyBytes + cost.keyBytes,
      valueBytes: this.#used.valueBytes + cost.valueBytes,
      mutations: this.#used.mutations + cost.mutations,
    };
    if (
      claims > KV_LIMITS.claims || entryBytes > KV_LIMITS.valueBytes ||
      used.keyBytes > KV_LIMITS.keyBytes ||
      used.mutations > KV_LIMITS.mutations ||
      2 * used.keyBytes + used.valueBytes > KV_LIMITS.atomicBytes ||
      feedBytes > KV_LIMITS.valueBytes - SMALL_VALUE_BYTES
    ) return false;
    this.#used = used;
    this.#claims = claims;
    this.#feedBytes = feedBytes;
    if (known) known[kind] = entryBytes;
    else this.#rooms.set(room, { messages: 0, changes: 0, [kind]: entryBytes });
    return true;
  }

  #costOf(
    { room, line, writes }: BudgetedAppend,
    { isNewRoom, isNewEntry }: { readonly isNewRoom: boolean; readonly isNewEntry: boolean },
  ): Cost {
    // KV writes a string part with 2 bytes around it: "rooms" and the room, below which all else is.
    const roomBytes = this.#prefixBytes + 7 + room.length + 2;
    let keyBytes = 0;
    let valueBytes = line.length + 1;
    let mutations = 0;
    if (isNewRoom) {
      // "head"; and the feed names the room once more.
      keyBytes += roomBytes + 6;
      valueBytes += SMALL_VALUE_BYTES + room.length + FEED_ROOM_BYTES;
      mutations += MUTATIONS_PER_ROOM;
    }
    if (isNewEntry) {
      // "log" or "changes", and a commit of 20 digits.
      keyBytes += roomBytes + 9 + 22;
      mutations += MUTATIONS_PER_ENTRY;
    }
    if (!writes) return { keyBytes, valueBytes, mutations };
    if (isNewEntry) {
      // "meta" with "changes" and "controls".
      keyBytes += 2 * (roomBytes + 6 + 10);
      valueBytes += 2 * SMALL_VALUE_BYTES;
      mutations += MUTATIONS_FOR_META;
    }
    if (writes.clears) {
      // "meta" with "from"; "tasks" with "clear", the room and nothing.
      keyBytes += roomBytes + 6 + 6 + this.#prefixBytes + 7 + 7 + room.length + 2 + 2;
      valueBytes += 2 * SMALL_VALUE_BYTES;
      mutations += 2;
    }
    if (writes.erases !== undefined) {
      // "meta" with "erasing" and the user; "tasks" with "erase_user", the room and the user.
      const userBytes = 2 + 3 * writes.erases.length;
      keyBytes += roomBytes + 6 + 9 + userBytes + this.#prefixBytes + 7 + 12 + room.length + 2 +
        userBytes;
      valueBytes += 2 * SMALL_VALUE_BYTES;
      mutations += 2;
    }
    for (const { name, value } of writes.states) {
      const nameBytes = name.reduce((sum, part) => sum + 2 + 3 * part.length, 0);
      // "state" and the message, or "controls".
      keyBytes += roomBytes + 10 + CURSOR_LENGTH + 2 + nameBytes;
      valueBytes += SMALL_VALUE_BYTES + (value === null ? 0 : 3 * value.length);
      mutations++;
    }
    if (writes.edits !== undefined) {
      // "edits", the message, and the commit.
      keyBytes += roomBytes + 7 + CURSOR_LENGTH + 2 + 22;
      valueBytes += SMALL_VALUE_BYTES;
      mutations++;
    }
    if (writes.claim) {
      // "refs" and the name.
      keyBytes += roomBytes + 6 + 2 + writes.claim.name.length;
      valueBytes += 2 * SMALL_VALUE_BYTES;
      mutations++;
    }
    if (writes.deletes !== undefined) {
      // "erase", the room, and the message.
      keyBytes += this.#prefixBytes + 7 + room.length + 2 + CURSOR_LENGTH + 2;
      valueBytes += SMALL_VALUE_BYTES;
      mutations++;
    }
    return { keyBytes, valueBytes, mutations };
  }
}

/** What an append takes of a commit. */
interface Cost {
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly mutations: number;
}

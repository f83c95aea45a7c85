/**
 * The keys of the database, and what they cost.
 *
 * @module
 */

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

/** The keys that ring when something is appended: one stream of `kv.watch` takes ten. */
export const BELL_COUNT = 10;

/** Bytes to allow for a small number or boolean as a KV value. */
const SMALL_VALUE_BYTES = 16;

/** What an entry of a room adds to an atomic, its head included. */
export interface EntryCost {
  /** Bytes that count against {@linkcode KV_LIMITS}`.keyBytes`. */
  readonly keyBytes: number;
  /** Bytes that count against {@linkcode KV_LIMITS}`.atomicBytes`, without the entry itself. */
  readonly overheadBytes: number;
}

/** Mutations for one room's entry: the entry and the head. */
export const MUTATIONS_PER_ENTRY = 2;

/** What the bells add to an atomic at most. */
export const BELLS_COST: EntryCost & { readonly mutations: number } = {
  // ["bells", n]: a string of 5 with 2 bytes around it, a number of 9 bytes.
  keyBytes: BELL_COUNT * 16,
  overheadBytes: BELL_COUNT * (2 * 16 + SMALL_VALUE_BYTES),
  mutations: BELL_COUNT,
};

/**
 * Tells what the entry of a room adds to an atomic besides its own bytes.
 *
 * @param room The room's name.
 * @returns Bytes, never less than what KV counts.
 */
export function entryCost(room: string): EntryCost {
  // KV writes a string part with 2 bytes around it: "rooms", the room, "log", a versionstamp of
  // 20 digits; and "rooms", the room, "head".
  const keyBytes = (7 + room.length + 2 + 5 + 22) + (7 + room.length + 2 + 6);
  return { keyBytes, overheadBytes: 2 * keyBytes + SMALL_VALUE_BYTES };
}

/** The key that rings for a room. */
export function bellKey(bell: number): Deno.KvKey {
  return ["bells", bell];
}

/**
 * Tells which bell rings for a room.
 *
 * @param room Its name.
 * @returns 0 to {@linkcode BELL_COUNT} − 1, the same everywhere.
 */
export function bellOf(room: string): number {
  let hash = 0;
  for (let i = 0; i < room.length; i++) hash = (hash * 31 + room.charCodeAt(i)) >>> 0;
  return hash % BELL_COUNT;
}

/** The key of a room's entries, without the versionstamp. */
export function logPrefix(room: string): Deno.KvKey {
  return ["rooms", room, "log"];
}

/** The key of where a room's log ends: the value is how many messages the last entry holds. */
export function headKey(room: string): Deno.KvKey {
  return ["rooms", room, "head"];
}

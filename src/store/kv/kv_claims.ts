/**
 * Names of changes in Deno KV.
 *
 * @module
 */

import { DEDUPLICATION_WINDOW } from "../../protocol/mod.ts";
import { type Claim, ClaimedError } from "../claimed_error.ts";
import { cursorAt } from "../cursor.ts";
import type { LogEntry } from "../entry.ts";
import type { KvKeys } from "./keys.ts";

/** Milliseconds that a name is kept: longer than a repeat is recognised, whatever clocks say. */
const EXPIRES_MS = DEDUPLICATION_WINDOW.ms + 60_000;
/** Keys that one `getMany` reads. */
const GET_MANY_MAX = 10;

/** The value of a name: the index, the tag, the hash and the id of its change. */
export type ClaimValue = readonly [index: number, tag: number, hash: number, id: string];

/**
 * Adds a name to an atomic, which fails where another change has it.
 *
 * @param atomic The operation.
 * @param key The key of the name.
 * @param value Its change.
 */
export function writeClaim(
  atomic: Deno.AtomicOperation,
  key: Deno.KvKey,
  value: ClaimValue,
): void {
  atomic.check({ key, versionstamp: null }).set(key, value, { expireIn: EXPIRES_MS });
}

/**
 * Whether a commit claims names, and may so be refused.
 *
 * @param entries By room, the entry.
 * @returns True if so.
 */
export function hasClaims(entries: ReadonlyMap<string, LogEntry>): boolean {
  for (const { changes } of entries.values()) {
    if (changes?.changes.some(({ claim }) => claim)) return true;
  }
  return false;
}

/**
 * Finds out why a commit was refused.
 *
 * @param kv The database.
 * @param keys Its keys.
 * @param entries By room, the entry.
 * @returns The commit where it was stored before: a client that repeats a write by itself wrote it;
 * undefined where no name was taken.
 * @throws {ClaimedError} Where names belong to other changes.
 */
export async function explainRefusal(
  kv: Deno.Kv,
  keys: KvKeys,
  entries: ReadonlyMap<string, LogEntry>,
): Promise<string | undefined> {
  const wanted: { readonly id: string; readonly key: Deno.KvKey }[] = [];
  for (const [room, { changes }] of entries) {
    for (const { id, claim } of changes?.changes ?? []) {
      if (claim) wanted.push({ id, key: keys.claim(room, claim.name) });
    }
  }
  const claims = new Map<string, Claim>();
  for (let at = 0; at < wanted.length; at += GET_MANY_MAX) {
    const some = wanted.slice(at, at + GET_MANY_MAX);
    const found = await kv.getMany<ClaimValue[]>(some.map(({ key }) => key));
    for (const [position, { value, versionstamp }] of found.entries()) {
      if (versionstamp === null) continue;
      const [index, tag, hash, id] = value;
      if (id === some[position].id) return versionstamp;
      claims.set(some[position].id, { cursor: cursorAt(versionstamp, index, tag), id, hash });
    }
  }
  if (claims.size > 0) throw new ClaimedError(claims);
  return undefined;
}

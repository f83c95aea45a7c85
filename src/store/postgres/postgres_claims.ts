/**
 * Names of changes in PostgreSQL.
 *
 * @module
 */

import { type Claim, ClaimedError } from "../claimed_error.ts";
import { cursorAt } from "../cursor.ts";

/** The code of a commit that was refused, for names of its changes are taken. */
const CLAIMED = "HB002";

/** A change whose name is taken, and the change that has it, as the database gives them. */
interface ClaimRow {
  readonly id: string;
  readonly commit: string;
  readonly index: number;
  readonly tag: number;
  readonly hash: number;
  readonly holder: string;
}

/**
 * Finds out whether a commit was refused since it was stored before.
 *
 * @param error Why it was refused.
 * @returns The commit where it was stored before.
 * @throws {ClaimedError} Where names belong to other changes.
 * @throws The error where it is about something else.
 */
export function commitBefore(error: unknown): string {
  const { code, detail } = error as { readonly code?: unknown; readonly detail?: unknown };
  if (code !== CLAIMED || typeof detail !== "string") throw error;
  const claims = new Map<string, Claim>();
  for (const { id, commit, index, tag, hash, holder } of JSON.parse(detail) as ClaimRow[]) {
    if (id === holder) return commit;
    claims.set(id, { cursor: cursorAt(commit, index, tag), id: holder, hash });
  }
  throw new ClaimedError(claims);
}

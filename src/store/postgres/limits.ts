/**
 * What one commit to PostgreSQL holds.
 *
 * @module
 */

import type { CommitBudget } from "../commit_budget.ts";

/** Bytes of one entry, as many as with Deno KV: what is in one store fits into the other. */
export const ENTRY_MAX_BYTES = 65_536;
/** Bytes and rooms of one commit: others wait for the lock meanwhile. */
const COMMIT_MAX_BYTES = 1024 * 1024;
const COMMIT_MAX_ROOMS = 1_000;

/** What one commit can still hold. */
export class PostgresCommitBudget implements CommitBudget {
  #left = COMMIT_MAX_BYTES;
  readonly #rooms = new Map<string, number>();

  /** Books a line, where there is space for it. */
  take({ room, line }: Parameters<CommitBudget["take"]>[0]): boolean {
    const known = this.#rooms.get(room);
    const bytes = known === undefined ? line.length : known + 1 + line.length;
    const more = bytes - (known ?? 0);
    if (bytes > ENTRY_MAX_BYTES || more > this.#left) return false;
    if (known === undefined && this.#rooms.size === COMMIT_MAX_ROOMS) return false;
    this.#left -= more;
    this.#rooms.set(room, bytes);
    return true;
  }
}

/**
 * What one commit to PostgreSQL holds.
 *
 * @module
 */

import type { BudgetedAppend, CommitBudget } from "../commit_budget.ts";

/** Bytes of one entry, as many as with Deno KV: what is in one store fits into the other. */
export const ENTRY_MAX_BYTES = 65_536;
/** Bytes and rooms of one commit: others wait for the lock meanwhile. */
const COMMIT_MAX_BYTES = 1024 * 1024;
const COMMIT_MAX_ROOMS = 1_000;
/** Bytes to allow for a state besides its name and value. */
const STATE_BYTES = 200;

/** What one commit can still hold. */
export class PostgresCommitBudget implements CommitBudget {
  #left = COMMIT_MAX_BYTES;
  /** By room, the bytes of its messages and of its changes. */
  readonly #rooms = new Map<string, { messages: number; changes: number }>();

  /** Books an append, where there is space for it. */
  take({ room, line, writes }: BudgetedAppend): boolean {
    const kind = writes ? "changes" : "messages";
    const known = this.#rooms.get(room);
    const bytes = known?.[kind] ? known[kind] + 1 + line.length : line.length;
    let more = bytes - (known?.[kind] ?? 0);
    for (const { name, value } of writes?.states ?? []) {
      more += STATE_BYTES + 3 * (name.join().length + (value?.length ?? 0));
    }
    if (bytes > ENTRY_MAX_BYTES || more > this.#left) return false;
    if (!known && this.#rooms.size === COMMIT_MAX_ROOMS) return false;
    this.#left -= more;
    if (known) known[kind] = bytes;
    else this.#rooms.set(room, { messages: 0, changes: 0, [kind]: bytes });
    return true;
  }
}

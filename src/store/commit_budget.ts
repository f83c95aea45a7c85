/**
 * What one commit can hold.
 *
 * @module
 */

import type { ChangeWrites } from "./change_entry.ts";

/** What is to be appended to a room: a message, or a change. */
export interface BudgetedAppend {
  /** The room. */
  readonly room: string;
  /** The record as it is stored, and its bytes in UTF-8. */
  readonly line: { readonly length: number };
  /** What is written with it, where it is a change. */
  readonly writes?: ChangeWrites;
}

/** What one commit can still hold. It is made for one commit. */
export interface CommitBudget {
  /**
   * Books an append, where the commit can hold it beside what was booked before.
   *
   * @param append The append. A room's messages become one entry, with one byte between each two
   * lines; so do its changes.
   * @returns False where it has to wait for the next commit.
   */
  take(append: BudgetedAppend): boolean;
}

/**
 * How much a user has not read.
 *
 * @module
 */

import type { StoredMessage } from "./room_state.ts";

/** How much is unread. */
export interface UnreadTotal {
  /** Messages of others, 0 to 100. */
  readonly unread: number;
  /** Those of them that mention the user. */
  readonly mentions: number;
  /** Cursor of the first of them, where that is known. */
  readonly first?: string;
}

/** What is unread of a room, as it is shown. */
export interface UnreadView {
  /** Messages of others after the mark that are not deleted: 0 to 100, 100 meaning more than 99. */
  readonly unread: number;
  /** Those of them that mention the user, 0 to 100. */
  readonly mentions: number;
  /** Cursor of the first of them, as soon as it is known. */
  readonly firstUnread: string | undefined;
}

/** A room as the hub lists it. */
export interface ListedUnread extends UnreadTotal {
  /** Where its log ends. */
  readonly cursor: string;
  /** The place up to which the user has read it. */
  readonly read: string;
  /** Its newest message, if there is one. */
  readonly last: StoredMessage | undefined;
}

/** Who reads. */
export interface UnreadReader {
  /** The user, whose own messages do not count. */
  readonly user: string;
  /** The name that is shown beside it, if there is one: it is mentioned by either. */
  readonly name?: string;
}

/**
 * A room in a list.
 *
 * @module
 */

import type { StoredMessage } from "./room_state.ts";

/** A room that the user has been in. */
export interface ListedRoom {
  /** Its name. */
  readonly room: string;
  /** Messages of others that are unread: 0 to 100, 100 meaning more than 99. */
  readonly unread: number;
  /** Those of them that mention the user, 0 to 100. */
  readonly mentions: number;
  /** The place up to which the user has read the room. */
  readonly read: string | undefined;
  /** Where its log ends, as far as is known. */
  readonly cursor: string;
  /** Its newest message, if there is one. */
  readonly last: StoredMessage | undefined;
}

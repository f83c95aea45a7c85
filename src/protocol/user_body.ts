/**
 * Bodies of requests and answers about a user's own rooms over HTTP.
 *
 * @module
 */

import type { MessageBody } from "./http_body.ts";
import type { Cursor, RoomName } from "./identifiers.ts";

/** How much a user has not read of a room. */
export interface UnreadCounts {
  /**
   * Messages of others after the mark; 100 means more than 99.
   *
   * @asType integer
   * @minimum 0
   * @maximum 100
   */
  readonly unread: number;
  /**
   * Those of them that mention the user.
   *
   * @asType integer
   * @minimum 0
   * @maximum 100
   */
  readonly mentions: number;
}

/** One of a user's rooms. */
export interface UserRoom extends UnreadCounts {
  /** Its name. */
  readonly room: RoomName;
  /** Where its log ends. */
  readonly cursor: Cursor;
  /** The newest message that the user has read, or one that stands where it stood. */
  readonly read: Cursor;
  /** Its newest message; null where there is none. */
  readonly last: MessageBody | null;
}

/** The answer of `GET /users/me/rooms`: those in which something happened last come first. */
export interface UserRoomList {
  /**
   * The rooms.
   *
   * @maxItems 100
   */
  readonly rooms: readonly UserRoom[];
  /** What to go on with, as `after`; null at the end. */
  readonly next: string | null;
}

/** The body of `PUT /users/me/rooms`. */
export interface ReadBody {
  /** The newest message that was read. */
  readonly read: Cursor;
}

/** The answer of `PUT /users/me/rooms`. */
export interface ReadResult extends UnreadCounts {
  /** The room. */
  readonly room: RoomName;
  /** What was given. */
  readonly read: Cursor;
}

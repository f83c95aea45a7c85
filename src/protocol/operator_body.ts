/**
 * Bodies of requests and answers of moderators and operators over HTTP.
 *
 * @module
 */

import type { Cursor, Emoji, MessageText, RoomName, UserName } from "./identifiers.ts";
import type { JsonObject } from "./json_object.ts";
import type { Sanction } from "./sanction.ts";

/** The answer of `GET /rooms/{room}/sanctions`. */
export interface SanctionList {
  /** What holds now. */
  readonly sanctions: readonly Sanction[];
}

/** The answer of `GET /rooms`: a page of the rooms in which something was ever written. */
export interface RoomList {
  /**
   * The rooms, by name.
   *
   * @maxItems 1000
   */
  readonly rooms: readonly {
    /** The room's name. */
    readonly room: RoomName;
    /** The cursor of its newest record. */
    readonly cursor: Cursor;
  }[];
  /** The room to go on after; null at the end. */
  readonly next: RoomName | null;
}

/** A message as it is imported. What else an export says of it is passed over. */
export interface ImportedMessage {
  /** Where it stood before, for those in the same request that answer it. */
  readonly cursor?: string;
  /** The user that sent it. */
  readonly user: UserName;
  /** Name to show beside the user. */
  readonly name?: UserName;
  /** Text; left out where it was deleted. */
  readonly text?: MessageText;
  /** Whether it was deleted: what is left is who sent it, and when. */
  readonly deleted?: boolean;
  /** What a program added to it: at most 4 KiB of JSON and 32 levels. */
  readonly data?: JsonObject;
  /** Cursor of the message that it answers. */
  readonly reply_to?: Cursor;
  /**
   * Time at which it was sent: ISO 8601, UTC, milliseconds.
   *
   * @pattern ^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$
   */
  readonly sent_at?: string;
  /**
   * Time at which it was edited last, in the same form.
   *
   * @pattern ^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$
   */
  readonly edited_at?: string;
  /** The reactions to it, in the order of their first use, each with its users. */
  readonly reactions?: readonly { readonly emoji: Emoji; readonly users: readonly UserName[] }[];
}

/** The body of `POST /rooms/{room}/import`. */
export interface ImportBody {
  /**
   * The messages, oldest first.
   *
   * @maxItems 500
   */
  readonly messages: readonly ImportedMessage[];
}

/** The answer of `POST /rooms/{room}/import`. */
export interface ImportResult {
  /** Where the messages stand now, in the order of the request. */
  readonly cursors: readonly Cursor[];
}

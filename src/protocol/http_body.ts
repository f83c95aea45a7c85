/**
 * Bodies of requests and answers over HTTP.
 *
 * @module
 */

import type { Cursor, MessageText, Ref, RoomName, UserName } from "./identifiers.ts";
import type { MessageChange } from "./change.ts";
import type { JsonObject } from "./json_object.ts";
import type { Draft, Message } from "./message.ts";
import type { ErrorCode } from "./problem.ts";

/** The body of `POST /rooms/{room}/messages`. */
export interface PostBody extends Draft {
  /** The user that says it; needed where no token is required, passed over where one is. */
  readonly user?: UserName;
}

/** The body of `PATCH /rooms/{room}/messages/{cursor}`: `text`, `data` or both. */
export interface PatchBody {
  /** The new text. */
  readonly text?: MessageText;
  /** The new data; null takes it away. */
  readonly data?: JsonObject | null;
  /** Deduplication key of the sender. */
  readonly ref?: Ref;
  /** The user that edits it; needed where no token is required, passed over where one is. */
  readonly user?: UserName;
}

/** A message over HTTP, as it is now. */
export interface MessageBody extends Omit<Message, "text"> {
  /** Text; left out where it was deleted. */
  readonly text?: MessageText;
}

/** The answer of `GET /rooms/{room}/messages`: a page of a room's log. */
export interface MessagePage {
  /**
   * The messages, oldest first, as they are now.
   *
   * @maxItems 100
   */
  readonly messages: readonly MessageBody[];
  /**
   * With `after`: the changes, from there to the end of the page, of messages before it.
   *
   * @maxItems 1000
   */
  readonly changes: readonly MessageChange[];
  /** With `after`: users who were erased since, of whom nothing before it is left; where there are any. */
  readonly erased?: readonly UserName[];
  /** Where to read on back with `before`; null at the beginning of the log. */
  readonly older: Cursor | null;
  /** Where to read on with `after`; null at the end of the log. */
  readonly newer: Cursor | null;
}

/** The answer of `GET /rooms/{room}`: the state of a room. */
export interface RoomState {
  /** The room's name. */
  readonly room: RoomName;
  /** The cursor of its newest message, also where nobody is in it. */
  readonly cursor: Cursor;
  /** The users that are here, sorted. */
  readonly users: readonly UserName[];
  /** The users that are typing, sorted. */
  readonly typing: readonly UserName[];
}

/** The answer to a request that was refused. */
export interface ErrorBody {
  /** What is wrong. */
  readonly error: {
    /** Error code. */
    readonly code: ErrorCode;
    /** Reason, in a sentence. */
    readonly message: string;
  };
}

/** The answer of `GET /health`. */
export interface HealthBody {
  /** `ok` with 200; the others with 503. */
  readonly status: "ok" | "draining" | "storage_failed";
  /**
   * Rooms that are in the memory of the isolate that answered.
   *
   * @asType integer
   * @minimum 0
   */
  readonly rooms: number;
  /**
   * Open connections of that isolate.
   *
   * @asType integer
   * @minimum 0
   */
  readonly connections: number;
  /**
   * Messages that it has stored since it started.
   *
   * @asType integer
   * @minimum 0
   */
  readonly messages_stored: number;
  /** How other isolates on the same log are reached. */
  readonly reach: "alone" | "database" | "fanout";
  /**
   * Other isolates that were heard lately.
   *
   * @asType integer
   * @minimum 0
   */
  readonly peers: number;
  /** Whether the fan-out reaches them, where there is one. */
  readonly fanout?: "connected" | "disconnected";
}

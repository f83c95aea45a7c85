/**
 * Chat messages, stored and drafted.
 *
 * @module
 */

import type { Reaction } from "./change.ts";
import { type Decoded, isObject, refuse } from "./decoded.ts";
import type { Cursor, MessageText, Ref, RoomName, UserName } from "./identifiers.ts";
import { decodeData, type JsonObject } from "./json_object.ts";
import { decodeCursor, type DecodeOptions, decodeRef, decodeText } from "./message_fields.ts";

/** What a program may add to a message, and what became of it since it was sent. */
export interface MessageExtras {
  /** What a program added to it. */
  readonly data?: JsonObject;
  /** Cursor of the message that it answers. */
  readonly reply_to?: Cursor;
  /** True where it was deleted. */
  readonly deleted?: true;
  /** The reactions to it, in the order of their first use. */
  readonly reactions?: readonly Reaction[];
  /**
   * Cursor of the last change that is folded into it: a change of it whose cursor is not greater has
   * been counted.
   */
  readonly changed?: Cursor;
}

/** A stored chat message, as it is now. */
export interface Message extends MessageExtras {
  /**
   * Unique id (ULID).
   *
   * @pattern ^[0-7][0-9A-HJKMNP-TV-Z]{25}$
   */
  readonly id: string;
  /** Place in the room's log: opaque text that sorts like the log. */
  readonly cursor: Cursor;
  /** Room it belongs to. */
  readonly room: RoomName;
  /** User that sent it, as authorized. */
  readonly user: UserName;
  /** Name to show beside the user, as authorized when it was sent. */
  readonly name?: UserName;
  /** Text; empty where it was deleted. */
  readonly text: MessageText | "";
  /**
   * Time at which the server accepted it: ISO 8601, UTC, milliseconds.
   *
   * @format date-time
   */
  readonly sent_at: string;
  /** Deduplication key, if its sender gave one: unique among the sender's messages. */
  readonly ref?: Ref;
  /**
   * Time of the last edit: ISO 8601, UTC, milliseconds.
   *
   * @format date-time
   */
  readonly edited_at?: string;
}

/** A message before it is stored: the part that its sender decides. */
export interface Draft {
  /** Text. */
  readonly text: MessageText;
  /** Deduplication key of the sender. */
  readonly ref?: Ref;
  /** What a program adds to it: at most 4 KiB of JSON and 32 levels, carried as it is. */
  readonly data?: JsonObject;
  /** Cursor of the message that it answers. */
  readonly reply_to?: Cursor;
}

/**
 * Decodes `{text, ref?, data?, reply_to?}`, the payload of a `chat_message` to the server and the
 * body of a POST.
 *
 * @param value The parsed JSON.
 * @param options The limit on the text.
 * @returns The draft with known members only, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeDraft } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeDraft({ text: "hello", ref: "1" });
 * if (decoded.ok) console.log(decoded.draft.text);
 * ```
 */
export function decodeDraft(value: unknown, options: DecodeOptions = {}): Decoded<"draft", Draft> {
  if (!isObject(value)) return refuse("bad_frame", '"payload" must be an object');
  const { text, ref, data, reply_to } = value;
  const decodedRef = decodeRef(ref);
  if (!decodedRef.ok) return decodedRef;
  const decoded = decodeText(text, options, ref);
  if (!decoded.ok) return decoded;
  const draft: Draft = { text: decoded.text, ...decodedRef.ref };
  if (data === undefined && reply_to === undefined) return { ok: true, draft };
  if (data !== undefined) {
    const decodedData = decodeData(data, ref);
    if (!decodedData.ok) return decodedData;
  }
  if (reply_to !== undefined) {
    const at = decodeCursor(reply_to, "reply_to", ref);
    if (!at.ok) return at;
  }
  const more = {
    ...(data !== undefined && { data: data as JsonObject }),
    ...(reply_to !== undefined && { reply_to: reply_to as string }),
  };
  return { ok: true, draft: { ...draft, ...more } };
}

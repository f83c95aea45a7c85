/**
 * Chat messages, stored and drafted.
 *
 * @module
 */

import { type Decoded, isObject, refuse } from "./decoded.ts";
import type { Cursor, MessageText, Ref, RoomName, UserName } from "./identifiers.ts";
import { REF_MAX_LENGTH, TEXT_MAX_BYTES_DEFAULT } from "./limits.ts";
import { isBlank } from "./visible_text.ts";

/** A stored chat message. */
export interface Message {
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
  /** Text. */
  readonly text: MessageText;
  /**
   * Time at which the server accepted it: ISO 8601, UTC, milliseconds.
   *
   * @format date-time
   */
  readonly sent_at: string;
  /** Deduplication key, if its sender gave one: unique among the sender's messages. */
  readonly ref?: Ref;
}

/** A message before it is stored: the part that its sender decides. */
export interface Draft {
  /** Text. */
  readonly text: MessageText;
  /** Deduplication key of the sender. */
  readonly ref?: Ref;
}

/** Options of {@linkcode decodeDraft}. */
export interface DecodeOptions {
  /**
   * UTF-8 bytes of text that one message may have.
   *
   * @default {4096}
   */
  readonly textMaxBytes?: number;
}

/**
 * Decodes `{text, ref?}`, the payload of a `chat_message` to the server and the body of a POST.
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
  const { text, ref } = value;
  if (ref !== undefined) {
    if (typeof ref !== "string" || ref.length === 0 || ref.length > REF_MAX_LENGTH) {
      return refuse("bad_ref", `"ref" must be a string of 1 to ${REF_MAX_LENGTH} characters`);
    }
    if (!ref.isWellFormed()) return refuse("bad_ref", '"ref" holds a lone surrogate');
  }
  if (typeof text !== "string") return refuse("bad_text", '"text" must be a string', ref);
  if (text.trim() === "") return refuse("bad_text", '"text" is empty', ref);
  if (!text.isWellFormed()) return refuse("bad_text", '"text" holds a lone surrogate', ref);
  if (isBlank(text)) return refuse("bad_text", '"text" holds nothing that can be seen', ref);
  const max = options.textMaxBytes ?? TEXT_MAX_BYTES_DEFAULT;
  if (isLongerThan(text, max)) {
    return refuse("text_too_long", `"text" is longer than ${max} bytes of UTF-8`, ref);
  }
  return { ok: true, draft: ref === undefined ? { text } : { text, ref } };
}

function isLongerThan(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  // A UTF-16 code unit takes at most three bytes of UTF-8, so most texts need no counting.
  if (text.length * 3 <= maxBytes) return false;
  return new TextEncoder().encode(text).length > maxBytes;
}

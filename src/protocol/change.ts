/**
 * Changes of messages: edits, deletions and reactions.
 *
 * @module
 */

import { type Decoded, refuse } from "./decoded.ts";
import type { Cursor, Emoji, MessageText, Ref, UserName } from "./identifiers.ts";
import { decodeData, type JsonObject } from "./json_object.ts";
import { EMOJI_MAX_BYTES } from "./limits.ts";
import { decodeCursor, type DecodeOptions, decodeRef, decodeText } from "./message_fields.ts";
import { isBlank } from "./visible_text.ts";

/** What a change does to its message. */
export type ChangeKind = "edit" | "delete" | "reaction";

/** A stored change of a message. */
export interface MessageChange {
  /** Place of the change in the room's log. */
  readonly cursor: Cursor;
  /** Cursor of the message that it changes. */
  readonly message: Cursor;
  /** What it does. */
  readonly kind: ChangeKind;
  /** User that made it. */
  readonly user: UserName;
  /**
   * Time at which the server accepted it: milliseconds since the epoch.
   *
   * @asType integer
   * @minimum 0
   */
  readonly at: number;
  /** The new text, where an edit changed it. */
  readonly text?: MessageText;
  /** The new data, where an edit changed it; null where it took it away. */
  readonly data?: JsonObject | null;
  /** What the reaction shows. */
  readonly emoji?: Emoji;
  /** Whether the user reacts so from now on. */
  readonly status?: boolean;
  /** Deduplication key, if its sender gave one; on the connections of its sender alone. */
  readonly ref?: Ref;
}

/** The users that react to a message in one way. */
export interface Reaction {
  /** What it shows. */
  readonly emoji: Emoji;
  /**
   * How many users react so.
   *
   * @asType integer
   * @minimum 1
   */
  readonly count: number;
  /**
   * The first 50 of them, in the order in which they did; fewer where names are very long.
   *
   * @maxItems 50
   */
  readonly users: readonly UserName[];
  /** True where the reader is among all of them. */
  readonly mine?: true;
}

/** An edit of a message: what it leaves out stays as it is. At least one of the two is there. */
export interface EditDraft {
  /** The message. */
  readonly cursor: Cursor;
  /** The new text. */
  readonly text?: MessageText;
  /** The new data; null takes it away. */
  readonly data?: JsonObject | null;
  /** Deduplication key of the sender. */
  readonly ref?: Ref;
}

/** The deletion of a message. */
export interface DeleteDraft {
  /** The message. */
  readonly cursor: Cursor;
  /** Deduplication key of the sender. */
  readonly ref?: Ref;
}

/** A reaction to a message, or the end of one. */
export interface ReactionDraft {
  /** The message. */
  readonly cursor: Cursor;
  /** What it shows. */
  readonly emoji: Emoji;
  /** Whether the user reacts so from now on. */
  readonly status: boolean;
  /** Deduplication key of the sender. */
  readonly ref?: Ref;
}

/** A change before it is stored: the part that its sender decides. */
export type ChangeDraft =
  | ({ readonly kind: "edit" } & EditDraft)
  | ({ readonly kind: "delete" } & DeleteDraft)
  | ({ readonly kind: "reaction" } & ReactionDraft);

/** Fields of a change as they were received. */
export type ChangeFields = Readonly<Record<string, unknown>>;

/**
 * Checks what a reaction shows: 1 to 32 bytes of UTF-8, something of which can be seen, without white
 * space and control characters.
 *
 * @param value The emoji, as received.
 * @param ref The sender's name for the change, for the error.
 * @returns The emoji, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeEmoji } from "@hubbub/hub/protocol";
 *
 * console.log(decodeEmoji("👍").ok, decodeEmoji("two words").ok); // true false
 * ```
 */
export function decodeEmoji(value: unknown, ref?: unknown): Decoded<"emoji", Emoji> {
  const isRight = typeof value === "string" && value !== "" && value.isWellFormed() &&
    value.length <= EMOJI_MAX_BYTES && !/[\s\p{Cc}]/u.test(value) && !isBlank(value) &&
    new TextEncoder().encode(value).length <= EMOJI_MAX_BYTES;
  if (isRight) return { ok: true, emoji: value };
  const message = `"emoji" must be 1 to ${EMOJI_MAX_BYTES} bytes that can be seen, without white ` +
    "space and control characters";
  return refuse("bad_emoji", message, ref);
}

/**
 * Decodes `{cursor, text?, data?, ref?}`, the payload of `edit_message` and, but for the cursor, the
 * body of a PATCH.
 *
 * @param fields The parsed JSON.
 * @param options The limit on the text.
 * @returns The edit with known members only, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeEdit } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeEdit({ cursor: "0".repeat(20), data: null });
 * if (decoded.ok) console.log(decoded.draft.data); // null
 * ```
 */
export function decodeEdit(
  { cursor, text, data, ref }: ChangeFields,
  options: DecodeOptions = {},
): Decoded<"draft", ChangeDraft & { readonly kind: "edit" }> {
  const decodedRef = decodeRef(ref);
  if (!decodedRef.ok) return decodedRef;
  const at = decodeCursor(cursor, "cursor", ref);
  if (!at.ok) return at;
  if (text === undefined && data === undefined) {
    return refuse("bad_text", 'An edit needs "text" or "data"', ref);
  }
  if (text !== undefined) {
    const decoded = decodeText(text, options, ref);
    if (!decoded.ok) return decoded;
  }
  if (data !== undefined && data !== null) {
    const decoded = decodeData(data, ref);
    if (!decoded.ok) return decoded;
  }
  const draft = {
    kind: "edit",
    cursor: at.cursor,
    ...(text !== undefined && { text: text as string }),
    ...(data !== undefined && { data: data as JsonObject | null }),
    ...decodedRef.ref,
  } as const;
  return { ok: true, draft };
}

/**
 * Decodes `{cursor, ref?}`, the payload of `delete_message`.
 *
 * @param fields The parsed JSON.
 * @returns The deletion with known members only, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeDelete } from "@hubbub/hub/protocol";
 *
 * console.log(decodeDelete({ cursor: "00000000003c0000McqO" }).ok); // true
 * console.log(decodeDelete({}).ok); // false
 * ```
 */
export function decodeDelete(
  { cursor, ref }: ChangeFields,
): Decoded<"draft", ChangeDraft & { readonly kind: "delete" }> {
  const decodedRef = decodeRef(ref);
  if (!decodedRef.ok) return decodedRef;
  const at = decodeCursor(cursor, "cursor", ref);
  if (!at.ok) return at;
  return { ok: true, draft: { kind: "delete", cursor: at.cursor, ...decodedRef.ref } };
}

/**
 * Decodes `{cursor, emoji, status, ref?}`, the payload of `react`.
 *
 * @param fields The parsed JSON.
 * @returns The reaction with known members only, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeReaction } from "@hubbub/hub/protocol";
 *
 * const reaction = { cursor: "00000000003c0000McqO", emoji: "👍", status: true };
 * console.log(decodeReaction(reaction).ok); // true
 * console.log(decodeReaction({ ...reaction, emoji: "two words" }).ok); // false
 * ```
 */
export function decodeReaction(
  { cursor, emoji, status, ref }: ChangeFields,
): Decoded<"draft", ChangeDraft & { readonly kind: "reaction" }> {
  const decodedRef = decodeRef(ref);
  if (!decodedRef.ok) return decodedRef;
  const at = decodeCursor(cursor, "cursor", ref);
  if (!at.ok) return at;
  const decoded = decodeEmoji(emoji, ref);
  if (!decoded.ok) return decoded;
  if (typeof status !== "boolean") {
    return refuse("bad_frame", '"status" must be true or false', ref);
  }
  const draft = { kind: "reaction", cursor: at.cursor, emoji: decoded.emoji, status } as const;
  return { ok: true, draft: { ...draft, ...decodedRef.ref } };
}

/**
 * The fields of messages and changes, each checked by itself.
 *
 * @module
 */

import { type Decoded, refuse } from "./decoded.ts";
import type { Cursor, Ref } from "./identifiers.ts";
import { REF_MAX_LENGTH, TEXT_MAX_BYTES_DEFAULT } from "./limits.ts";
import { isTextWithin } from "./text_length.ts";
import { isBlank } from "./visible_text.ts";

/** Options of {@linkcode decodeDraft}. */
export interface DecodeOptions {
  /**
   * UTF-8 bytes of text that one message may have.
   *
   * @default {4096}
   */
  readonly textMaxBytes?: number;
}

const CURSOR = /^[0-9A-Za-z]{20}$/;

/**
 * Checks the form of a cursor.
 *
 * @param value The cursor, as received.
 * @param name The field's name, for the error.
 * @param ref The sender's name for the message, for the error.
 * @returns The cursor, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeCursor } from "@hubbub/hub/protocol";
 *
 * console.log(decodeCursor("yesterday", "after").ok); // false
 * ```
 */
export function decodeCursor(
  value: unknown,
  name: string,
  ref?: unknown,
): Decoded<"cursor", Cursor> {
  if (typeof value === "string" && CURSOR.test(value)) return { ok: true, cursor: value };
  return refuse("bad_cursor", `"${name}" must be the cursor of a message`, ref);
}

/**
 * Checks the `ref` of a message or change.
 *
 * @param ref The `ref`, as received; undefined where there is none.
 * @returns An object to spread, with the `ref` if there is one, or what is wrong with it.
 */
export function decodeRef(ref: unknown): Decoded<"ref", { readonly ref?: Ref }> {
  if (ref === undefined) return { ok: true, ref: {} };
  if (!isTextWithin(ref, REF_MAX_LENGTH)) {
    return refuse("bad_ref", `"ref" must be a string of 1 to ${REF_MAX_LENGTH} characters`);
  }
  if (!ref.isWellFormed()) return refuse("bad_ref", '"ref" holds a lone surrogate');
  return { ok: true, ref: { ref } };
}

/**
 * Checks the text of a message.
 *
 * @param text The text, as received.
 * @param options The limit on it.
 * @param ref The sender's name for the message, for the error.
 * @returns The text, or what is wrong with it.
 */
export function decodeText(
  text: unknown,
  options: DecodeOptions,
  ref: unknown,
): Decoded<"text", string> {
  if (typeof text !== "string") return refuse("bad_text", '"text" must be a string', ref);
  if (text.trim() === "") return refuse("bad_text", '"text" is empty', ref);
  if (!text.isWellFormed()) return refuse("bad_text", '"text" holds a lone surrogate', ref);
  if (isBlank(text)) return refuse("bad_text", '"text" holds nothing that can be seen', ref);
  const max = options.textMaxBytes ?? TEXT_MAX_BYTES_DEFAULT;
  if (isLongerThan(text, max)) {
    return refuse("text_too_long", `"text" is longer than ${max} bytes of UTF-8`, ref);
  }
  return { ok: true, text };
}

function isLongerThan(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  // A UTF-16 code unit takes at most three bytes of UTF-8, so most texts need no counting.
  if (text.length * 3 <= maxBytes) return false;
  return new TextEncoder().encode(text).length > maxBytes;
}

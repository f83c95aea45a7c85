/**
 * Shape of envelopes from the server. What stands between may change what it passes on, and a frame
 * that makes a client throw would end a whole program.
 *
 * @module
 */

import type { Problem } from "../protocol/mod.ts";

/** The result of decoding an envelope that lacks what the client relies on. */
export const UNUSABLE: { readonly ok: false; readonly error: Problem } = {
  ok: false,
  error: { code: "bad_frame", message: "The envelope lacks what belongs to its type" },
};

/**
 * Tells whether all values are texts.
 *
 * @param values The values.
 * @returns True where they are.
 */
export function areTexts(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === "string");
}

/**
 * Tells whether a value is a list of which each item is as it should be.
 *
 * @param value The value.
 * @param isItem Tells whether an item is.
 * @returns True where it is.
 */
export function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  // Not spread: 100,000 names are more than a call may have arguments.
  return Array.isArray(value) && value.every(isItem);
}

/**
 * Tells whether a value is a list of texts.
 *
 * @param value The value.
 * @returns True where it is.
 */
export function isTextList(value: unknown): boolean {
  return isListOf(value, (item) => typeof item === "string");
}

/**
 * Tells whether a value holds the limits that a client keeps to.
 *
 * @param value The value.
 * @returns True where it does.
 */
export function areLimits(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const limits = value as Readonly<Record<string, unknown>>;
  return LIMITS.every((name) => typeof limits[name] === "number");
}

const LIMITS = [
  "text_max_bytes",
  "typing_timeout_ms",
  "messages_per_second",
  "message_burst",
];

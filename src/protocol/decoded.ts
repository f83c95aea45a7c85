/**
 * The outcome of reading something from outside.
 *
 * @module
 */

import type { ErrorCode, Problem } from "./problem.ts";

/** The outcome of reading something from outside: a value, or what is wrong with it. */
export type Decoded<Key extends string, Value> =
  | ({ readonly ok: true } & { readonly [K in Key]: Value })
  | { readonly ok: false; readonly error: Problem };

/** Says what is wrong; `ref` is taken over where it is one. */
export function refuse(
  code: ErrorCode,
  message: string,
  ref?: unknown,
): { ok: false; error: Problem } {
  return { ok: false, error: typeof ref === "string" ? { code, message, ref } : { code, message } };
}

/** Tells whether parsed JSON is an object, and no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

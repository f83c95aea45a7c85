/**
 * Results of decoding.
 *
 * @module
 */

import type { ErrorCode, Problem } from "./problem.ts";

/** The result of decoding input: a value, or what is wrong with it. */
export type Decoded<Key extends string, Value> =
  | ({ readonly ok: true } & { readonly [K in Key]: Value })
  | { readonly ok: false; readonly error: Problem };

/** Creates a failed result; `ref` is taken over if it is a string. */
export function refuse(
  code: ErrorCode,
  message: string,
  ref?: unknown,
): { ok: false; error: Problem } {
  return { ok: false, error: typeof ref === "string" ? { code, message, ref } : { code, message } };
}

/** Whether parsed JSON is an object, and no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

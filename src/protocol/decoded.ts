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

/**
 * Parses an envelope from the server: a JSON object whose payload is one too.
 *
 * @param text The JSON text of one envelope.
 * @returns The object, with no more checked than that, or what is wrong with it.
 */
export function parseEnvelope(
  text: string,
): Decoded<"value", Record<string, unknown> & { payload: Record<string, unknown> }> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("bad_frame", "The frame is not JSON");
  }
  if (!isObject(value) || !isObject(value.payload)) {
    return refuse("bad_frame", "An envelope must be a JSON object with a payload");
  }
  return { ok: true, value: value as typeof value & { payload: Record<string, unknown> } };
}

/**
 * What a program adds to a message.
 *
 * @module
 */

import { type Decoded, isObject, refuse } from "./decoded.ts";
import { DATA_MAX_BYTES } from "./limits.ts";

/** A JSON object, whatever is in it. */
export interface JsonObject {
  /** Any JSON value. */
  readonly [name: string]: unknown;
}

/**
 * Decodes the `data` of a message: any JSON object of at most 4 KiB.
 *
 * @param value The parsed JSON.
 * @param ref The sender's name for the message, for the error.
 * @returns The object, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeData } from "./json_object.ts";
 *
 * console.log(decodeData({ poll: ["yes", "no"] }).ok, decodeData([1]).ok); // true false
 * ```
 */
export function decodeData(value: unknown, ref?: unknown): Decoded<"data", JsonObject> {
  if (!isObject(value)) return refuse("bad_data", '"data" must be a JSON object', ref);
  let holdsInfinity = false;
  const text = JSON.stringify(value, (_, inner) => {
    // JSON can write numbers that a double cannot hold: they would come back as null.
    if (inner === Infinity || inner === -Infinity) holdsInfinity = true;
    return inner;
  });
  if (holdsInfinity) return refuse("bad_data", '"data" holds a number that is too large', ref);
  // A UTF-16 code unit takes at most three bytes of UTF-8, so most objects need no counting.
  const isLong = text.length > DATA_MAX_BYTES ||
    (text.length * 3 > DATA_MAX_BYTES && new TextEncoder().encode(text).length > DATA_MAX_BYTES);
  if (isLong) return refuse("bad_data", `"data" is longer than ${DATA_MAX_BYTES} bytes`, ref);
  return { ok: true, data: value };
}

/**
 * What a program adds to a message.
 *
 * @module
 */

import { type Decoded, isObject, refuse } from "./decoded.ts";
import { DATA_MAX_BYTES, DATA_MAX_DEPTH } from "./limits.ts";

/** A JSON object, whatever is in it. */
export interface JsonObject {
  /** Any JSON value. */
  readonly [name: string]: unknown;
}

/**
 * Decodes the `data` of a message: any JSON object of at most 4 KiB, at most 32 objects and lists
 * deep. Never throws on parsed JSON.
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
  // Before anything that calls itself once a level: 5,000 levels fill the stack here, 1,000 that of
  // clients in Python.
  if (isDeeperThan(DATA_MAX_DEPTH, value)) {
    return refuse("bad_data", `"data" is nested deeper than ${DATA_MAX_DEPTH} levels`, ref);
  }
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

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

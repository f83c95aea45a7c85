/**
 * Request headers of a bounded length.
 *
 * @module
 */

/**
 * UTF-16 code units of a header that is looked into: twice the longest token. Deno takes some 64 KB,
 * and to split that at its commas keeps the processor for some 20 ms.
 */
export const HEADER_MAX_LENGTH = 16 * 1024;

/**
 * Reads a header that says what a client would like, or who it is.
 *
 * @param headers The headers of the request.
 * @param name The name of the header.
 * @returns Its value; null where there is none, or one that is longer than any that is meant.
 *
 * @example
 * ```ts
 * import { readHeader } from "./request_header.ts";
 *
 * const headers = new Headers({ "accept-encoding": "br" });
 * console.log(readHeader(headers, "accept-encoding")); // br
 * ```
 */
export function readHeader(headers: Headers, name: string): string | null {
  const value = headers.get(name);
  return value !== null && value.length > HEADER_MAX_LENGTH ? null : value;
}

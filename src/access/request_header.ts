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

/**
 * Tells whether a request came over HTTP/2, where one connection carries hundreds at once. Those have
 * no header `host`.
 *
 * @param request The request.
 * @returns True if so; also for one over HTTP/1.0 without that header.
 */
export function isHttp2({ headers }: Request): boolean {
  return headers.get("host") === null;
}

/** UTF-16 code units of the head of a request that may wait: browsers send some 2,000. */
const HEAD_MAX_LENGTH = 8 * 1024;

/**
 * Tells whether the head of a request is so long that it must not wait: the runtime keeps it twice
 * until the request is answered, up to 140 kB.
 *
 * @param request The request.
 * @returns True if so.
 */
export function isHeadLong({ url, headers }: Request): boolean {
  let length = url.length;
  for (const [name, value] of headers) length += name.length + value.length;
  return length > HEAD_MAX_LENGTH;
}

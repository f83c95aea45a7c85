/**
 * The token of operators.
 *
 * @module
 */

import { httpError } from "./http_error.ts";
import { readHeader } from "./request_header.ts";

/** Characters that the token must have at least. */
export const ADMIN_TOKEN_MIN_LENGTH = 32;

/**
 * Tells operators' requests from others by a token that only they have, sent as
 * `Authorization: Bearer`. How long a comparison takes tells nothing about the token but its length.
 *
 * @example
 * ```ts
 * import { AdminToken } from "./admin_token.ts";
 *
 * const admin = new AdminToken("a-token-of-operators-that-nobody-guesses");
 * console.log(admin.isIn(new Request("http://localhost/rooms"))); // false
 * ```
 */
export class AdminToken {
  readonly #token: string | undefined;

  /**
   * Creates the check.
   *
   * @param token The token; undefined where there are no operators.
   * @throws {RangeError} If it has less than 32 characters.
   */
  constructor(token: string | undefined) {
    if (token !== undefined && !isLongEnough(token)) {
      throw new RangeError(
        `Cannot use the admin token: it must have ${ADMIN_TOKEN_MIN_LENGTH} characters or more, ` +
          "without white space",
      );
    }
    this.#token = token;
  }

  /**
   * Whether a request carries the token.
   *
   * @param request The request.
   * @returns True if it is an operator's.
   */
  isIn({ headers }: Request): boolean {
    if (this.#token === undefined) return false;
    const [, given] = /^bearer +(\S+)$/i.exec(readHeader(headers, "authorization")?.trim() ?? "") ??
      [];
    return given !== undefined && areEqual(given, this.#token);
  }

  /**
   * Checks that a request is an operator's.
   *
   * @param request The request.
   * @throws {HttpError} If it is not: `not_found` where there are no operators.
   */
  check(request: Request): void {
    if (this.#token === undefined) throw httpError("not_found", "There is nothing at this path");
    if (this.isIn(request)) return;
    const message = "This path is for operators: send the admin token as Authorization: Bearer";
    throw httpError("unauthorized", message, { "www-authenticate": "Bearer" });
  }
}

/**
 * Whether a text can be the token of operators.
 *
 * @param token The text.
 * @returns True where it has 32 visible ASCII characters or more, as a header can hold them.
 */
export function isLongEnough(token: string): boolean {
  return token.length >= ADMIN_TOKEN_MIN_LENGTH && /^[\x21-\x7e]+$/.test(token);
}

function areEqual(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}

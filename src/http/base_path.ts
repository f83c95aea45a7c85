/**
 * The path under which a server lives.
 *
 * @module
 */

import { getPath } from "hono/utils/url";

/** The form of a base path: segments without anything that would be encoded. */
const BASE_PATH = /^(\/[A-Za-z0-9._~-]+)+$/;

/**
 * The path under which a server lives, such as `/chat`. A proxy or a framework in front may pass
 * requests on with it or without: both are understood.
 *
 * @example
 * ```ts
 * import { BasePath } from "./base_path.ts";
 *
 * const base = new BasePath("/chat");
 * base.pathOf(new Request("http://localhost/chat/rooms/lobby")); // /rooms/lobby
 * base.pathOf(new Request("http://localhost/rooms/lobby")); // /rooms/lobby
 * ```
 */
export class BasePath {
  readonly #basePath: string;

  /**
   * Checks a base path.
   *
   * @param basePath The path, without a slash at the end; empty for none.
   * @throws {TypeError} If it is no path like `/chat`.
   */
  constructor(basePath: string = "") {
    const expected = expectedBasePath(basePath);
    if (expected !== undefined) {
      const what = `Cannot use the base path ${JSON.stringify(basePath)}`;
      throw new TypeError(`${what}: it must be ${expected}`);
    }
    this.#basePath = basePath;
  }

  /**
   * The path of a request below the base path.
   *
   * @param request The request, whose URL may be malformed.
   * @returns The path as the routes know it: `/` for the base path itself.
   */
  pathOf(request: Request): string {
    const path = getPath(request);
    if (this.#basePath === "" || !path.startsWith(this.#basePath)) return path;
    const rest = path.slice(this.#basePath.length);
    if (rest === "") return "/";
    return rest.startsWith("/") ? rest : path;
  }

  /**
   * The address with a slash at the end, for a request for the base path itself: relative addresses
   * in the page count from there.
   *
   * @param request The request.
   * @returns The address relative to the request's, such as `chat/`; undefined for all others.
   */
  slashed(request: Request): string | undefined {
    if (this.#basePath === "" || getPath(request) !== this.#basePath) return undefined;
    return this.#basePath.slice(this.#basePath.lastIndexOf("/") + 1) + "/";
  }
}

/**
 * Checks a base path.
 *
 * @param text The path; empty for none.
 * @returns What it must be instead; undefined if it is right.
 */
export function expectedBasePath(text: string): string | undefined {
  if (text === "") return undefined;
  const isPath = BASE_PATH.test(text) && !/\/\.{1,2}(\/|$)/.test(text);
  return isPath ? undefined : 'a path like "/chat", without a slash at the end';
}

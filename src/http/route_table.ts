/**
 * The paths of a server, and the methods that each takes.
 *
 * @module
 */

import { type HttpError, httpError } from "../access/http_error.ts";

/** A path in the form of Hono, and its methods as the header `Allow` lists them. */
export type Route = readonly [path: string, allow: string];

/** Paths for everybody, beside those of the page and of operators. */
export const ROOM_ROUTES: readonly Route[] = [
  // Deleting is for operators: where there are none, it finds nothing.
  ["/rooms/:room", "GET, DELETE"],
  ["/rooms/:room/events", "GET"],
  ["/rooms/:room/messages", "GET, POST"],
  ["/rooms/:room/messages/:cursor", "GET, PATCH, DELETE"],
  ["/rooms/:room/messages/:cursor/reactions", "PUT, DELETE"],
  ["/rooms/:room/sanctions", "GET, POST, DELETE"],
  ["/rooms/:room/ws", "GET"],
  ["/users/me/rooms", "GET, PUT, DELETE"],
  ["/ws", "GET"],
];

/**
 * Creates the refusal of a method that a path does not take.
 *
 * @param allow The methods that it takes.
 * @returns The refusal, to be thrown.
 */
export function methodNotAllowed(allow: string): HttpError {
  return httpError("method_not_allowed", `This path takes ${allow}`, { allow });
}

/** The methods of paths. */
export class RouteTable {
  readonly #routes: readonly { readonly pattern: RegExp; readonly allow: string }[];

  /**
   * @param routes The paths and their methods.
   */
  constructor(routes: readonly Route[]) {
    this.#routes = routes.map(([path, allow]) => {
      const pattern = path.replace(/[.*+?]/g, "\\$&").replace(/:\w+/g, "[^/]+");
      return { pattern: new RegExp(`^${pattern}$`), allow };
    });
  }

  /**
   * Finds out whether a path takes a method.
   *
   * @param method The method; `HEAD` is as `GET`.
   * @param path The path, below that of the server.
   * @returns The refusal where it takes others only.
   */
  refusalOf(method: string, path: string): HttpError | undefined {
    const route = this.#routes.find(({ pattern }) => pattern.test(path));
    const wanted = method === "HEAD" ? "GET" : method;
    if (!route || method === "OPTIONS" || route.allow.split(", ").includes(wanted)) {
      return undefined;
    }
    return methodNotAllowed(route.allow);
  }
}

/**
 * URLs of a server.
 *
 * @module
 */

import { decodeRoom, decodeUser } from "../protocol/mod.ts";
import { pageGlobals } from "./page_globals.ts";

/** The URLs of one server. */
export class ServerUrl {
  /** The server's base, with `http:` or `https:`, without a slash at its end. */
  readonly http: string;

  /**
   * @param server The server's base, with `http:`, `https:`, `ws:` or `wss:`; its path is kept. In
   * a browser it may be relative to the page.
   * @throws {TypeError} Where it is none.
   */
  constructor(server: string | URL) {
    const url = new URL(server, pageGlobals().location?.href);
    const protocol = PROTOCOLS.get(url.protocol);
    if (protocol === undefined) {
      throw new TypeError(`Cannot connect to "${url.href}": its protocol is not http(s) or ws(s)`);
    }
    this.http = `${protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}`;
  }

  /**
   * Makes the URL of a room.
   *
   * @param room The room's name.
   * @returns With `http:` or `https:`, without a slash at its end.
   */
  room(room: string): string {
    return `${this.http}/rooms/${room}`;
  }
}

/**
 * Makes the URL of an upgrade.
 *
 * @param http The URL of what to connect to, with `http:` or `https:`.
 * @param query What to ask for; what is undefined is left out.
 * @returns With `ws:` or `wss:`.
 */
export function upgradeUrl(
  http: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.set(name, String(value));
  }
  const url = `${http.replace(/^http/, "ws")}/ws`;
  return given.size === 0 ? url : `${url}?${given}`;
}

/**
 * Checks the name of a room.
 *
 * @param name The name.
 * @returns The name.
 * @throws {TypeError} Where it is none.
 */
export function checkRoom(name: string): string {
  const decoded = decodeRoom(name);
  if (decoded.ok) return name;
  throw new TypeError(`Cannot join room "${name}": ${decoded.error.message}`);
}

/**
 * Checks and settles the name of a user.
 *
 * @param name The name.
 * @returns The name as the room will show it.
 * @throws {TypeError} Where it is none.
 */
export function checkUser(name: string): string {
  const decoded = decodeUser(name);
  if (decoded.ok) return decoded.user;
  throw new TypeError(`Cannot join as "${name}": ${decoded.error.message}`);
}

const PROTOCOLS = new Map([
  ["http:", "http:"],
  ["https:", "https:"],
  ["ws:", "http:"],
  ["wss:", "https:"],
]);

/**
 * URLs of a room.
 *
 * @module
 */

import { decodeRoom, decodeUser } from "../protocol/mod.ts";
import { pageGlobals } from "./page_globals.ts";

/** The URLs of one room on one server. */
export class RoomUrl {
  /** The room's URL, with `http:` or `https:`, without a slash at its end. */
  readonly http: string;

  /**
   * @param server The server's base, with `http:`, `https:`, `ws:` or `wss:`; its path is kept. In
   * a browser it may be relative to the page.
   * @param room The room's name.
   * @throws {TypeError} Where either is none.
   */
  constructor(server: string | URL, room: string) {
    const decoded = decodeRoom(room);
    if (!decoded.ok) throw new TypeError(`Cannot join room "${room}": ${decoded.error.message}`);
    const url = new URL(server, pageGlobals().location?.href);
    const protocol = PROTOCOLS.get(url.protocol);
    if (protocol === undefined) {
      throw new TypeError(`Cannot connect to "${url.href}": its protocol is not http(s) or ws(s)`);
    }
    this.http = `${protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}/rooms/${room}`;
  }

  /**
   * Makes the URL of an upgrade.
   *
   * @param query What to ask for; what is undefined is left out.
   * @returns With `ws:` or `wss:`.
   */
  upgrade(query: Readonly<Record<string, string | number | undefined>>): string {
    const given = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) given.set(name, String(value));
    }
    return `${this.http.replace(/^http/, "ws")}/ws?${given}`;
  }
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

/**
 * The upgrade of a request to a WebSocket.
 *
 * @module
 */

import { readHeader } from "../access/request_header.ts";

/** Seconds without a sign of life after which a peer is taken for dead. */
const IDLE_TIMEOUT_SECONDS = 30;

/** The result of an upgrade. */
export interface Upgraded<P extends string> {
  /** The socket, not yet open. */
  readonly socket: WebSocket;
  /** The response, to be returned to `Deno.serve` untouched. */
  readonly response: Response;
  /** The subprotocol in use; undefined where the client offered nothing, or nothing known. */
  readonly protocol: P | undefined;
  /** Why the socket does not open, where it does not: to be asked then, for it costs something. */
  readonly unopenedReason: () => string;
}

/**
 * Upgrades a request, in the first subprotocol that its client offers and the server speaks.
 *
 * Once this has happened, a throw or another response would close the whole listener (measured with
 * Deno 2.9.6).
 *
 * @param request A request to upgrade to a WebSocket.
 * @param speaks The subprotocols that the server speaks.
 * @param idleTimeoutSeconds Seconds without a sign of life after which the peer is taken for dead.
 * @returns The socket, and the response that opens it.
 * @throws {TypeError} Where the request is no valid WebSocket handshake; then nothing happened.
 */
export function upgrade<P extends string>(
  request: Request,
  speaks: readonly P[],
  idleTimeoutSeconds: number = IDLE_TIMEOUT_SECONDS,
): Upgraded<P> {
  const offered = readHeader(request.headers, "sec-websocket-protocol") ?? "";
  const protocol = chooseProtocol(offered, speaks);
  // Deno splits the list at ", " alone, and throws where the choice is not in what it found. The
  // header of the response cannot be set instead: before Deno 2.5.5 it is immutable. Deno keeps the
  // request as long as the socket: a copy of its headers is 3 KB, and made only where it must be.
  if (protocol && !offered.split(", ").includes(protocol)) {
    const headers = new Headers(request.headers);
    headers.set("sec-websocket-protocol", protocol);
    Object.defineProperty(request, "headers", { value: headers });
  }
  const upgraded = Deno.upgradeWebSocket(request, { protocol, idleTimeout: idleTimeoutSeconds });
  const { socket, response } = upgraded;
  const unopenedReason = () =>
    isReadable(request)
      ? "The request is a copy: hand the one from Deno.serve to fetch, as it came"
      : "The response was not passed on as it was returned, or the client went";
  return { socket, response, protocol, unopenedReason };
}

/**
 * Tells whether a request can still be read after its upgrade. Deno closes the one that came with
 * the connection; a copy (`new Request(request)`, Hono's `mount`) stays as it is, is answered with
 * 101 all the same, and never opens.
 */
function isReadable(request: Request): boolean {
  try {
    return request.body === null;
  } catch {
    return false;
  }
}

/**
 * Chooses the first subprotocol that a client offers and the server speaks.
 *
 * @param offered The header `Sec-WebSocket-Protocol`: names with commas, with or without spaces.
 * @param speaks The subprotocols that the server speaks.
 * @returns The subprotocol to answer with, or undefined for none.
 *
 * @example
 * ```ts
 * import { chooseProtocol } from "./upgrade.ts";
 *
 * const speaks = ["hubbub.v1", "hubbub.v1.lines"];
 * console.log(chooseProtocol("other, hubbub.v1.lines,hubbub.v1", speaks)); // hubbub.v1.lines
 * ```
 */
export function chooseProtocol<P extends string>(
  offered: string,
  speaks: readonly P[],
): P | undefined {
  for (const name of offered.split(",")) {
    const found = speaks.find((protocol) => protocol === name.trim());
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The upgrade of a request to a connection of protocol 2.
 *
 * @module
 */

import { CLOSE_CODES, PROTOCOL_V2 } from "../protocol/mod.ts";
import { MultiRoomConnection } from "./multi_room_connection.ts";
import type { MultiRoomOptions } from "./multi_room_options.ts";
import { upgrade } from "./upgrade.ts";

/**
 * Upgrades a request to a connection that is in no room yet. Everything that can be refused must
 * have been refused before: after {@linkcode upgrade} only its response may be returned.
 *
 * @param request A request to upgrade to a WebSocket, which offers `hubbub.v2`.
 * @param options What the connection is for.
 * @returns The response, to be returned to `Deno.serve` untouched.
 * @throws {TypeError} Where the request is no valid WebSocket handshake; then nothing happened.
 */
export function connectMultiRoom(request: Request, options: MultiRoomOptions): Response {
  const upgraded = upgrade(request, [PROTOCOL_V2], options.idleTimeoutSeconds);
  const { socket, response } = upgraded;
  try {
    new MultiRoomConnection(upgraded, options);
  } catch (error) {
    options.services.logger("error", "connection_failed", { error });
    socket.onopen = () => socket.close(CLOSE_CODES.internalError.code);
    options.grant.release();
  }
  return response;
}

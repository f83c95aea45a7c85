/**
 * The way into a room for requests.
 *
 * @module
 */

import type { RoomAccess } from "../access/authorizer.ts";
import { problemError } from "../access/http_error.ts";
import type { ServerServices } from "./services.ts";

/**
 * Authorizes a request to a room, and refuses those who are banned there: who may not be in a room
 * may not read it.
 *
 * @param services The services of the server.
 * @param request The request.
 * @param room The room.
 * @returns Who the user is, which is undefined in an open hub and for operators, and the role.
 * @throws {HttpError} If the request is not authorized, or the user is banned.
 */
export async function enterRoom(
  services: ServerServices,
  request: Request,
  room: string,
): Promise<RoomAccess> {
  const entered = await services.access.enter(request, room);
  const { authorization, role, isOperator } = entered;
  if (!isOperator) await checkBan(services, room, { user: authorization?.user, role });
  return entered;
}

/**
 * Refuses a user that is banned in a room.
 *
 * @param services The services of the server.
 * @param room The room.
 * @param who The user, undefined where nobody is known, and the role.
 * @throws {HttpError} If the user is banned.
 */
export async function checkBan(
  { hub }: ServerServices,
  room: string,
  { user, role }: { readonly user: string | undefined; readonly role: RoomAccess["role"] },
): Promise<void> {
  const ban = user === undefined ? undefined : await hub.sanctions.banOf(room, user, role);
  if (ban) throw problemError(ban);
}

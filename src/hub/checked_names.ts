/**
 * Checks of the names and messages that an embedding program gives.
 *
 * @module
 */

import { decodeDraft, decodeRoom, decodeUser, type Draft } from "../protocol/mod.ts";

/**
 * Checks the name of a user.
 *
 * @param action What is done to the user, for the message.
 * @param user The user.
 * @throws {TypeError} Where the protocol refuses the name.
 */
export function checkUser(action: string, user: string): void {
  const named = decodeUser(user);
  if (named.ok && named.user === user) return;
  const why = named.ok ? `It should read "${named.user}"` : named.error.message;
  throw new TypeError(`Cannot ${action} "${user}": ${why}`);
}

/**
 * Checks the names of a room and of a user.
 *
 * @param action What is done with the room, for the message.
 * @param room The room.
 * @param user The user, if there is one.
 * @throws {TypeError} Where the protocol refuses one of them.
 */
export function checkNames(action: string, room: string, user?: string): void {
  const decoded = decodeRoom(room);
  if (!decoded.ok) throw new TypeError(`Cannot ${action} room "${room}": ${decoded.error.message}`);
  if (user !== undefined) checkUser(`${action} room "${room}" as`, user);
}

/**
 * Checks a message; its text may be longer than members'.
 *
 * @param room The room that it is for, for the message of the error.
 * @param draft The message.
 * @throws {TypeError} Where the protocol refuses it.
 */
export function checkDraft(room: string, draft: Draft): void {
  const decoded = decodeDraft(draft, { textMaxBytes: Infinity });
  if (decoded.ok) return;
  throw new TypeError(`Cannot publish to room "${room}": ${decoded.error.message}`);
}

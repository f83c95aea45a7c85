/**
 * What members are told that may not do what they want.
 *
 * @module
 */

import { CLOSE_CODES, type LeftCode, type Problem } from "../protocol/mod.ts";

/** What a member without a user is told. */
export const NOBODY: Problem = { code: "bad_user", message: "Who only reads cannot send" };
/** What a reader is told that wants more. */
export const READS_ONLY: Problem = { code: "forbidden", message: "You may only read in this room" };
/** What a member is told that asks for too much before it is live. */
export const EARLY: Problem = {
  code: "rate_limited",
  message: "Too much was sent before the history was complete",
  retry_after_ms: 1000,
};
/** What a member is told whose role cannot be had. */
export const UNDECIDED: Problem = {
  code: "unavailable",
  message: "Whether the room is open to you cannot be told now",
};

/** What members are told whose room is deleted. */
export const DELETED = "The room was deleted";

/**
 * The code with which a connection is closed whose one room cannot be joined.
 *
 * @param problem Why not.
 * @returns One of the close codes.
 */
export function closeCodeOf({ code }: Problem): number {
  if (code === "forbidden") return CLOSE_CODES.notAllowed.code;
  if (code === "room_deleted") return CLOSE_CODES.roomDeleted.code;
  return code === "banned" ? CLOSE_CODES.putOut.code : CLOSE_CODES.internalError.code;
}

/**
 * The code with which a connection is closed that has to leave its one room.
 *
 * @param code Why.
 * @returns One of the close codes.
 */
export function closeCodeOfLeft(code: LeftCode): number {
  return CLOSE_CODES[code === "room_deleted" ? "roomDeleted" : "putOut"].code;
}

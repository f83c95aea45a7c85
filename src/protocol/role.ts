/**
 * Roles of users in rooms.
 *
 * @module
 */

/**
 * What a user may do in a room: a reader receives, a member sends too, a moderator may also change
 * what others sent, and put people out.
 */
export type Role = "reader" | "member" | "moderator";

/** A role, or `none`, which shuts a room. */
export type RoomRole = Role | "none";

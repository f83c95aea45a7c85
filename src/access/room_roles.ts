/**
 * Roles in rooms, by patterns of their names.
 *
 * @module
 */

import type { RoomRole } from "../protocol/mod.ts";
import { RoomPattern } from "./room_pattern.ts";

/** The roles, lowest first. */
const RANKS: readonly RoomRole[] = ["none", "reader", "member", "moderator"];
/** Patterns that one user may have. */
const PATTERNS_MAX = 256;
/** The longest pattern, in UTF-16 code units: twice a room's name. */
const PATTERN_MAX_LENGTH = 128;

/**
 * Whether a value is a role in a room.
 *
 * @param value The value.
 * @returns True for `none`, `reader`, `member` and `moderator`.
 *
 * @example
 * ```ts
 * import { isRoomRole } from "./room_roles.ts";
 *
 * isRoomRole("moderator"); // true
 * isRoomRole("admin"); // false
 * ```
 */
export function isRoomRole(value: unknown): value is RoomRole {
  return RANKS.includes(value as RoomRole);
}

/**
 * The roles of a user, by patterns in which `*` stands for any characters, or none. The longest
 * pattern that matches decides; of equal length, the lowest role. Where none matches, the room is
 * shut.
 *
 * @example
 * ```ts
 * import { RoomRoles } from "./room_roles.ts";
 *
 * const roles = RoomRoles.parse({ "*": "reader", "team-*": "member", "team-red": "moderator" });
 * console.log(roles?.roleIn("team-red")); // moderator
 * console.log(RoomRoles.parse(["lobby"])?.roleIn("staff")); // none
 * ```
 */
export class RoomRoles {
  /** By length, longest first; of equal length the lowest role first. */
  readonly #patterns: readonly (readonly [pattern: RoomPattern, role: RoomRole])[];

  /** @param patterns Patterns with their roles, in any order. */
  constructor(patterns: Iterable<readonly [pattern: string, role: RoomRole]>) {
    this.#patterns = [...patterns].sort(([a, ofA], [b, ofB]) => {
      return b.length - a.length || RANKS.indexOf(ofA) - RANKS.indexOf(ofB);
    }).map(([pattern, role]) => [new RoomPattern(pattern), role]);
  }

  /**
   * Reads the `rooms` of a token.
   *
   * @param rooms A list of patterns, whose rooms are open to a member, or an object from patterns to
   * roles; at most 256 patterns of 128 characters.
   * @returns The roles; undefined where it is neither.
   */
  static parse(rooms: unknown): RoomRoles | undefined {
    if (typeof rooms !== "object" || rooms === null) return undefined;
    const entries: readonly (readonly [unknown, unknown])[] = Array.isArray(rooms)
      ? rooms.map((pattern) => [pattern, "member"] as const)
      : Object.entries(rooms);
    if (entries.length > PATTERNS_MAX || !entries.every(isEntry)) return undefined;
    return new RoomRoles(entries);
  }

  /**
   * The role in a room.
   *
   * @param room The room's name.
   * @returns The role that the patterns give.
   */
  roleIn(room: string): RoomRole {
    for (const [pattern, role] of this.#patterns) if (pattern.matches(room)) return role;
    return "none";
  }
}

function isEntry(
  entry: readonly [unknown, unknown],
): entry is readonly [pattern: string, role: RoomRole] {
  const [pattern, role] = entry;
  const isPattern = typeof pattern === "string" && pattern.length <= PATTERN_MAX_LENGTH;
  return isPattern && isRoomRole(role);
}

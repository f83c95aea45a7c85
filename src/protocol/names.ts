/**
 * How rooms and users may be called.
 *
 * @module
 */

import { type Decoded, refuse } from "./decoded.ts";

/**
 * Checks the name of a room: 1 to 64 of letters, digits, `-`, `_` and `.`, but not `.` or `..`.
 *
 * @param name The name, as it came in.
 * @returns The name, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeRoom } from "@hubbub/hub/protocol";
 *
 * decodeRoom("lobby").ok; // true
 * decodeRoom("no spaces").ok; // false
 * ```
 */
export function decodeRoom(name: string): Decoded<"room", string> {
  // "." and ".." have a meaning of their own in URLs: nobody could get there.
  if (!/^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}$/.test(name)) {
    return refuse(
      "bad_room",
      'A room is 1 to 64 of A-Z, a-z, 0-9, "-", "_" and ".", not dots alone',
    );
  }
  return { ok: true, room: name };
}

/**
 * Checks and settles the name of a user: NFC, without white space around it, 1 to 64 characters
 * (code points), none of which is a control character, a line separator, a control of writing
 * direction, or a sign of broken text (a lone surrogate or U+FFFD).
 *
 * @param name The name, as it came in.
 * @returns The name as the room will show it, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeUser } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeUser("  ann ");
 * if (decoded.ok) console.log(decoded.user); // "ann"
 * ```
 */
export function decodeUser(name: string): Decoded<"user", string> {
  // Lone surrogates all become U+FFFD as KV keys and in UTF-8: two users would share one name.
  if (!name.isWellFormed() || name.includes("\ufffd")) {
    return refuse("bad_user", "The user's name is not valid Unicode text");
  }
  const user = name.normalize("NFC").trim();
  if (user === "") return refuse("bad_user", "The user's name is empty");
  if ([...user].length > 64) {
    return refuse("bad_user", "The user's name is longer than 64 characters");
  }
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(user)) {
    return refuse("bad_user", "The user's name holds a control character");
  }
  return { ok: true, user };
}

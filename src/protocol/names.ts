/**
 * Names of rooms and users.
 *
 * @module
 */

import { type Decoded, refuse } from "./decoded.ts";
import { holdsInvisible, isBlank } from "./visible_text.ts";

/** The longest name of a user, in code points. */
const USER_MAX_LENGTH = 64;
/** A name of visible ASCII characters: none of the rules has anything against it. */
const PLAIN = new RegExp(`^[!-~]{1,${USER_MAX_LENGTH}}$`);

/**
 * Checks the name of a room: 1 to 64 of letters, digits, `-`, `_` and `.`, but not `.` or `..`.
 *
 * @param name The name, as received.
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
 * Checks the name of a user and settles its form: NFC, white space as single spaces and none around
 * it. A name is 1 to 64 characters (code points), and people can see all of them: no control
 * characters, controls of writing direction, zero-width or blank characters, private use or
 * unassigned code points, or signs of broken text (a lone surrogate or U+FFFD). Joiners stay in
 * emoji, and between letters of scripts that they change, such as Arabic and Devanagari.
 *
 * @param name The name, as received.
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
  // Most names are letters and digits, and need no look at each rule.
  if (PLAIN.test(name)) return { ok: true, user: name };
  // Lone surrogates all become U+FFFD as KV keys and in UTF-8: two users would share one name.
  if (!name.isWellFormed() || name.includes("\ufffd")) {
    return refuse("bad_user", "The user's name is not valid Unicode text");
  }
  // Pages show any run of spaces, of whatever kind, as one.
  const user = name.normalize("NFC").trim().replace(/\p{Zs}+/gu, " ");
  if (user === "") return refuse("bad_user", "The user's name is empty");
  if ([...user].length > USER_MAX_LENGTH) {
    return refuse("bad_user", `The user's name is longer than ${USER_MAX_LENGTH} characters`);
  }
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(user)) {
    return refuse("bad_user", "The user's name holds a control character");
  }
  if (isBlank(user)) return refuse("bad_user", "The user's name is blank");
  if (holdsInvisible(user)) {
    return refuse("bad_user", "The user's name holds a character that cannot be seen");
  }
  return { ok: true, user };
}

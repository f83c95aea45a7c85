/**
 * Sanctions: who is muted, banned or put out of a room.
 *
 * @module
 */

import { type Decoded, isObject, refuse } from "./decoded.ts";
import type { UserName } from "./identifiers.ts";
import { decodeUser } from "./names.ts";
import { isTextWithin } from "./text_length.ts";

/** What is done to a user: who is muted may not send, who is banned may not be there. */
export type SanctionKind = "mute" | "ban" | "kick";

/** The body of `POST /rooms/{room}/sanctions`. */
export interface SanctionBody {
  /** The user. */
  readonly user: UserName;
  /** What is done. */
  readonly kind: SanctionKind;
  /**
   * Seconds for which it holds, not of a kick; for good where it is left out.
   *
   * @asType integer
   * @minimum 1
   * @maximum 3153600000
   */
  readonly seconds?: number;
  /**
   * Why, for those who ask and for the user: at most 200 characters.
   *
   * @maxLength 200
   */
  readonly reason?: string;
}

/** A sanction that holds. */
export interface Sanction {
  /** The user. */
  readonly user: UserName;
  /** What holds. */
  readonly kind: "mute" | "ban";
  /** The moderator that has said so; left out where it was an operator. */
  readonly by?: UserName;
  /**
   * Milliseconds since the epoch at which it was said.
   *
   * @asType integer
   * @minimum 0
   */
  readonly at: number;
  /**
   * Milliseconds since the epoch until which it holds; for good where it is left out.
   *
   * @asType integer
   * @minimum 0
   */
  readonly until?: number;
  /** Why. */
  readonly reason?: string;
}

/** The most seconds of a sanction: a hundred years. */
const SECONDS_MAX = 100 * 365 * 24 * 60 * 60;
/** The longest reason, in characters (code points). */
const REASON_MAX_LENGTH = 200;
const FIELDS: readonly string[] = ["user", "kind", "seconds", "reason"];

/**
 * Decodes the body of `POST /rooms/{room}/sanctions`.
 *
 * @param value The parsed JSON.
 * @returns The sanction, with the user's name as rooms show it, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeSanction } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeSanction({ user: "mallory", kind: "ban", seconds: 3600 });
 * if (decoded.ok) console.log(decoded.sanction.kind); // ban
 * ```
 */
export function decodeSanction(value: unknown): Decoded<"sanction", SanctionBody> {
  if (!isObject(value)) return refuse("bad_body", "The body must be a JSON object");
  for (const name in value) {
    if (FIELDS.includes(name)) continue;
    const shown = JSON.stringify(name.slice(0, 64).toWellFormed());
    return refuse("unknown_field", `The body has no field ${shown}`);
  }
  const { user, kind, seconds, reason } = value;
  if (typeof user !== "string") return refuse("bad_user", '"user" must be a string');
  const decoded = decodeUser(user);
  if (!decoded.ok) return decoded;
  if (kind !== "mute" && kind !== "ban" && kind !== "kick") {
    return refuse("bad_body", '"kind" must be "mute", "ban" or "kick"');
  }
  if (seconds !== undefined) {
    if (kind === "kick") return refuse("bad_body", 'A kick takes no "seconds"');
    const isTime = typeof seconds === "number" && Number.isInteger(seconds) && seconds >= 1 &&
      seconds <= SECONDS_MAX;
    if (!isTime) {
      return refuse("bad_body", `"seconds" must be a whole number from 1 to ${SECONDS_MAX}`);
    }
  }
  if (reason !== undefined) {
    const isReason = reason === "" ||
      (isTextWithin(reason, REASON_MAX_LENGTH) && reason.isWellFormed());
    if (!isReason) {
      return refuse("bad_body", `"reason" must be text of ${REASON_MAX_LENGTH} characters at most`);
    }
  }
  return {
    ok: true,
    sanction: {
      user: decoded.user,
      kind,
      ...(seconds !== undefined && { seconds: seconds as number }),
      ...(reason !== undefined && { reason: reason as string }),
    },
  };
}

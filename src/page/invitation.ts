/**
 * Invitations as people paste them.
 *
 * @module
 */

import { decodeRoom } from "../protocol/mod.ts";

/** The contents of an invitation. */
export interface Invitation {
  /** The token that lets one in. */
  readonly token: string;
  /** The room that it leads to, where it is a link. */
  readonly room?: string;
}

/** The most characters that are taken for a token. */
const TOKEN_MAX = 8_192;

/**
 * Reads an invitation: a link with `#token=` at its end, or the token alone.
 *
 * @param text What somebody pasted.
 * @returns The invitation, or undefined where there is no token in it.
 */
export function readInvitation(text: string): Invitation | undefined {
  const pasted = text.trim().replace(/^[<"']+|[>"']+$/g, "");
  const [before, hash] = pasted.split(/#(.*)/s, 2);
  const given = hash === undefined ? undefined : tokenIn(hash);
  if (given !== undefined) {
    const room = before.match(/\/r\/([^/?]+)\/?(?:\?.*)?$/)?.[1] ?? "";
    return { token: given, room: decodeRoom(room).ok ? room : undefined };
  }
  const bare = pasted.replace(/^(?:token=|Bearer\s+)/i, "");
  // A link without a token, or a sentence, is no token.
  if (bare === "" || bare.length > TOKEN_MAX || /\s|^https?:/i.test(bare)) return undefined;
  return { token: bare };
}

/**
 * Finds the token in the part of an address after `#`.
 *
 * @param hash The part, with or without `#`.
 * @returns The token, or undefined where there is none.
 */
export function tokenIn(hash: string): string | undefined {
  // Not URLSearchParams, which makes a space of the plus sign of a base64 token.
  const value = hash.replace(/^#/, "").match(/(?:^|&)token=([^&]*)/)?.[1] ?? "";
  try {
    return decodeURIComponent(value) || undefined;
  } catch {
    return value; // A percent sign that encodes nothing.
  }
}

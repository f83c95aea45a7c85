/**
 * Messages of an export.
 *
 * @module
 */

import { decodeReaction } from "./change.ts";
import { type Decoded, isObject, refuse } from "./decoded.ts";
import { REACTION_KINDS_MAX, REACTIONS_MAX } from "./limits.ts";
import { decodeDraft, type Draft } from "./message.ts";
import { decodeUser } from "./names.ts";

/** A message of an export, as it is stored again. */
export interface Imported {
  /** Where it stood before, for those that answer it. */
  readonly cursor?: string;
  /** The user that sent it. */
  readonly user: string;
  /** A name to show beside the user. */
  readonly name?: string;
  /** When it was sent, ISO 8601. */
  readonly sentAt?: string;
  /** When it was edited last, ISO 8601. */
  readonly editedAt?: string;
  /** What it says; undefined where it was deleted. */
  readonly draft?: Draft;
  /** The reactions to it, in the order of their first use. */
  readonly reactions: readonly { readonly emoji: string; readonly users: readonly string[] }[];
}

/** What a message says; what else an export has is passed over. */
const FIELDS = ["text", "data", "reply_to"] as const;
/** A cursor, for checks that want one. */
const NO_CURSOR = "0".repeat(20);

/**
 * Decodes a message of an export: a line of it, parsed.
 *
 * @param value The parsed JSON.
 * @returns The message, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { decodeImported } from "@hubbub/hub/protocol";
 *
 * const decoded = decodeImported({ user: "ann", text: "hello", sent_at: "2026-01-02T03:04:05.678Z" });
 * if (decoded.ok) console.log(decoded.imported.draft?.text); // hello
 * ```
 */
export function decodeImported(value: unknown): Decoded<"imported", Imported> {
  if (!isObject(value)) return refuse("bad_body", "it must be an object");
  const { cursor, user, name, sent_at, edited_at, deleted } = value;
  if (cursor !== undefined && typeof cursor !== "string") {
    return refuse("bad_cursor", '"cursor" must be a string');
  }
  if (deleted !== undefined && typeof deleted !== "boolean") {
    return refuse("bad_body", '"deleted" must be true or false');
  }
  if (name !== undefined && typeof name !== "string") {
    return refuse("bad_user", '"name" must be a string');
  }
  const decodedUser = decodeUser(typeof user === "string" ? user : "");
  if (!decodedUser.ok) return decodedUser;
  const fields = FIELDS.flatMap((field) => {
    return value[field] === undefined ? [] : [[field, value[field]] as const];
  });
  // Of a deleted message nothing is left that could be wrong; what is there all the same is checked.
  const said = deleted ? [["text", "-"] as const, ...fields] : fields;
  const decoded = decodeDraft(Object.fromEntries(said), { textMaxBytes: Infinity });
  if (!decoded.ok) return decoded;
  const draft = deleted ? undefined : decoded.draft;
  for (const [field, time] of [["sent_at", sent_at], ["edited_at", edited_at]] as const) {
    if (time === undefined || isTime(time)) continue;
    return refuse("bad_body", `"${field}" must be ISO 8601 in UTC, with milliseconds`);
  }
  const reactions = decodeReactions(value.reactions === undefined ? [] : value.reactions);
  if (!reactions) return refuse("bad_body", '"reactions" must be as in an export');
  const named = name === undefined ? undefined : decodeUser(name);
  if (named && !named.ok) return named;
  return {
    ok: true,
    imported: {
      ...(cursor !== undefined && { cursor: cursor as string }),
      user: decodedUser.user,
      ...(named && { name: named.user }),
      ...(sent_at !== undefined && { sentAt: sent_at as string }),
      ...(edited_at !== undefined && { editedAt: edited_at as string }),
      ...(draft && { draft }),
      reactions: draft ? reactions : [],
    },
  };
}

function decodeReactions(value: unknown): Imported["reactions"] | undefined {
  if (!Array.isArray(value) || value.length > REACTION_KINDS_MAX) return undefined;
  let count = 0;
  const reactions: { emoji: string; users: string[] }[] = [];
  for (const reaction of value) {
    if (!isObject(reaction) || !Array.isArray(reaction.users)) return undefined;
    const { emoji } = reaction;
    const decoded = decodeReaction({ cursor: NO_CURSOR, emoji, status: true });
    if (!decoded.ok) return undefined;
    const users: string[] = [];
    for (const user of reaction.users) {
      const name = decodeUser(typeof user === "string" ? user : "");
      if (!name.ok || ++count > REACTIONS_MAX) return undefined;
      users.push(name.user);
    }
    reactions.push({ emoji: emoji as string, users });
  }
  return reactions;
}

function isTime(value: unknown): boolean {
  return typeof value === "string" &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) && !isNaN(Date.parse(value));
}

/**
 * What may be changed, and what is so already.
 *
 * @module
 */

import { type ChangeDraft, type Problem, REACTION_KINDS_MAX } from "../protocol/mod.ts";
import type { DeleteEnvelopeV2, EditEnvelopeV2, ReactEnvelopeV2 } from "../protocol/mod.ts";
import { REACTIONS_MAX, type Role } from "../protocol/mod.ts";
import type { StoredMessageChange } from "../store/change.ts";
import type { LogRecord } from "../store/entry.ts";
import type { JudgementQueue } from "./judgement_queue.ts";
import type { ChangeCallback } from "./publish_result.ts";

/** A change to make. */
export interface ChangeSubmission {
  /** The user that makes it. */
  readonly user: string;
  /** What the user may do in the room. */
  readonly role: Role;
  /** The change. */
  readonly draft: ChangeDraft;
  /** Whether it was made before, elsewhere: whatever holds for the user. @default {false} */
  readonly isPast?: boolean;
  /** The sender's messages that are being judged. @default {undefined} it is judged by itself */
  readonly queue?: JudgementQueue;
  /**
   * Tells what keeps the user from making it, asked once more when it has been judged.
   *
   * @default {undefined} nothing
   */
  readonly check?: () => Problem | undefined;
  /** Called with the result. */
  readonly answer: ChangeCallback;
}

/** The types of the envelopes that change messages. */
export const ENVELOPE_OF = {
  edit: "edit_message",
  delete: "delete_message",
  reaction: "react",
} as const;

/**
 * Takes a change out of its envelope.
 *
 * @param envelope An envelope from a client.
 * @returns The change.
 */
export function draftOf(
  { type, payload }: EditEnvelopeV2 | DeleteEnvelopeV2 | ReactEnvelopeV2,
): ChangeDraft {
  switch (type) {
    case "edit_message":
      return { kind: "edit", ...payload };
    case "delete_message":
      return { kind: "delete", ...payload };
    case "react":
      return { kind: "reaction", ...payload };
  }
}

/** The problem of a message that there is not, or no longer. */
export const NOT_FOUND: Problem = { code: "not_found", message: "There is no such message" };

/**
 * Tells why a change may not be made.
 *
 * @param submission The change.
 * @param message The message as it is now.
 * @param pending The changes of it that are on their way.
 * @returns What is wrong; undefined where nothing is.
 */
export function problemOf(
  { user, role, draft }: ChangeSubmission,
  message: LogRecord,
  pending: readonly StoredMessageChange[],
): Problem | undefined {
  if (message.repeats !== undefined) return NOT_FOUND;
  if (role === "reader") return { code: "forbidden", message: "You may only read in this room" };
  if (draft.kind !== "reaction" && message.user !== user && role !== "moderator") {
    return { code: "forbidden", message: "This message is not yours" };
  }
  if (draft.kind === "delete") return undefined;
  if (isDeleted(message) || pending.some(({ kind }) => kind === "delete")) return NOT_FOUND;
  if (draft.kind !== "reaction" || !draft.status) return undefined;
  const { state } = message;
  if (state?.hasReaction(draft.emoji, user)) return undefined;
  const added = pending.filter(({ status }) => status);
  const kinds = new Set(added.flatMap(({ emoji = "" }) => state?.hasKind(emoji) ? [] : [emoji]));
  const isKnown = state?.hasKind(draft.emoji) || kinds.has(draft.emoji);
  const hasRoom = (state?.reactionCount ?? 0) + added.length < REACTIONS_MAX &&
    (isKnown || (state?.reactionKinds ?? 0) + kinds.size < REACTION_KINDS_MAX);
  return hasRoom ? undefined : TOO_MANY;
}

/** The problem of a reaction for which a message has no room. */
export const TOO_MANY: Problem = {
  code: "too_many_reactions",
  message:
    `A message has at most ${REACTION_KINDS_MAX} kinds of reactions, and ${REACTIONS_MAX} of them`,
};

/**
 * Whether a reaction came too late, where several isolates took what there was room for one at a time.
 * Asked at its place in the log, so that all isolates would say the same.
 *
 * @param change A change that was just folded.
 * @param message The message with it; undefined where it is not in memory.
 * @returns True where it has to be taken back.
 */
export function isTooMany(
  { kind, emoji, status }: StoredMessageChange,
  message: LogRecord | undefined,
): boolean {
  const state = message?.state;
  if (kind !== "reaction" || !status || !state) return false;
  if (state.reactionCount > REACTIONS_MAX) return true;
  // Whose kind came first keeps it.
  return state.reactionKinds > REACTION_KINDS_MAX &&
    state.reactions().findIndex((one) => one.emoji === emoji) >= REACTION_KINDS_MAX;
}

/**
 * Tells what keeps a user from a change who may not send: who is muted may still delete.
 *
 * @param draft The change.
 * @param problem What keeps the user from sending; undefined for nothing.
 * @returns What the user is told; undefined where the change may be made.
 */
export function refusalOfChange(
  { kind }: ChangeDraft,
  problem: Problem | undefined,
): Problem | undefined {
  return kind === "delete" && problem?.code === "muted" ? undefined : problem;
}

/**
 * Whether a message is so already, with what is on its way.
 *
 * @param submission The change.
 * @param message The message as it is now.
 * @param pending The changes of it that are on their way.
 * @returns True if nothing would become of the change.
 */
export function changesNothing(
  { user, draft }: ChangeSubmission,
  message: LogRecord,
  pending: readonly StoredMessageChange[],
): boolean {
  switch (draft.kind) {
    case "delete":
      return isDeleted(message);
    case "reaction": {
      const own = pending.filter((change) => {
        return change.kind === "reaction" && change.emoji === draft.emoji && change.user === user;
      });
      const now = message.state?.hasReaction(draft.emoji, user) ?? false;
      return (own.at(-1)?.status ?? now) === draft.status;
    }
    case "edit":
      return !pending.some(({ kind }) => kind === "edit") && isSame(message, draft);
  }
}

/**
 * Whether nobody reacts so before, with what is on its way.
 *
 * @param draft The change.
 * @param message The message as it is now.
 * @param pending The changes of it that are on their way.
 * @returns True where it is a reaction, and the first of its kind.
 */
export function isFirstUse(
  draft: ChangeDraft,
  message: LogRecord,
  pending: readonly StoredMessageChange[],
): boolean {
  if (draft.kind !== "reaction" || !draft.status) return false;
  let count = message.state?.countOf(draft.emoji) ?? 0;
  for (const change of pending) {
    if (change.kind === "reaction" && change.emoji === draft.emoji) count += change.status ? 1 : -1;
  }
  return count === 0;
}

function isDeleted({ state, isErased }: LogRecord): boolean {
  return state?.isDeleted ?? isErased ?? false;
}

function isSame(
  message: LogRecord,
  { text, data }: Extract<ChangeDraft, { readonly kind: "edit" }>,
): boolean {
  const now = JSON.parse(message.envelope).payload as { text: string; data?: unknown };
  return (text === undefined || text === now.text) &&
    (data === undefined || JSON.stringify(data) === JSON.stringify(now.data ?? null));
}

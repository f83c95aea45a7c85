/**
 * Messages as their changes left them.
 *
 * @module
 */

import { REACTION_USERS_LISTED_MAX } from "../protocol/mod.ts";
import type { MessageChange, Reaction } from "../protocol/mod.ts";
import type { RoomMessage, StoredMessage } from "./room_state.ts";

/** What a change does, whether it is stored or not. */
export interface Effect extends Omit<MessageChange, "cursor" | "message" | "at" | "ref"> {
  /** When it was stored, in milliseconds since the epoch; undefined where it is not. */
  readonly at?: number;
}

/**
 * Folds a stored change into its message.
 *
 * @param message The message.
 * @param change The change.
 * @param user The user's own name.
 * @returns Another message; the same one where the change was folded into it before.
 */
export function foldChange(
  message: StoredMessage,
  change: MessageChange,
  user: string,
): StoredMessage {
  if (change.cursor <= (message.changed ?? message.cursor)) return message;
  return { ...applyEffect(message, change, user), changed: change.cursor };
}

/**
 * Shows a message as a change would leave it.
 *
 * @param message The message.
 * @param effect What the change does.
 * @param user The user's own name.
 * @returns Another message; what was deleted stays so.
 */
export function applyEffect<M extends RoomMessage>(message: M, effect: Effect, user: string): M {
  if (message.deleted) return message;
  switch (effect.kind) {
    case "edit": {
      const { text = message.text, data, at: editedAt = message.editedAt } = effect;
      // What it said was erased: the deletion follows.
      if (effect.text === undefined && data === undefined) return message;
      const { data: before, ...rest } = message;
      const after = data === undefined ? before : data ?? undefined;
      return {
        ...rest,
        text,
        ...(after && { data: after }),
        ...(editedAt !== undefined && { editedAt }),
      } as M;
    }
    case "delete": {
      const { status, cursor, user, at, ref, changed } = message;
      const tombstone = { status, cursor, user, at, text: "", deleted: true, changed };
      return (ref === undefined ? tombstone : { ...tombstone, ref }) as M;
    }
    case "reaction": {
      const { reactions: before = [], ...rest } = message;
      const reactions = foldReaction(before, effect, user);
      return (reactions.length > 0 ? { ...rest, reactions } : rest) as M;
    }
  }
}

/**
 * Shows a message as the erasing of a user leaves it. Of reactions with more users than are listed it
 * is not known whether the erased one is among them: such a count is right when the message is read
 * again.
 *
 * @param message The message.
 * @param erased The user who was erased.
 * @param user The user's own name.
 * @returns Another message; the same one where nothing of the erased user is in it.
 */
export function eraseUser(message: StoredMessage, erased: string, user: string): StoredMessage {
  if (message.deleted) return message;
  if (message.user === erased) return applyEffect(message, { kind: "delete", user: erased }, user);
  let left = message;
  for (const { emoji, users, mine } of message.reactions ?? []) {
    if (!users.includes(erased) && !(erased === user && mine)) continue;
    left = applyEffect(left, { kind: "reaction", emoji, user: erased, status: false }, user);
  }
  return left;
}

function foldReaction(
  reactions: readonly Reaction[],
  { emoji = "", user, status }: Effect,
  self: string,
): Reaction[] {
  const known = reactions.find((reaction) => reaction.emoji === emoji);
  if (!known) {
    if (!status) return [...reactions];
    return [...reactions, { emoji, count: 1, users: [user], ...(user === self && { mine: true }) }];
  }
  const isListed = known.users.includes(user);
  const { count, users, mine } = known;
  // Of those who are not listed one knows oneself; the hub stores no reaction that changes nothing.
  const isCounted = isListed || (user === self && mine === true);
  const isWhole = users.length === count;
  if (status ? isCounted : !isCounted && (isWhole || user === self)) return [...reactions];
  const isMine = user === self ? status : mine;
  const others = users.filter((name) => name !== user);
  // Who comes later is behind those that are not listed.
  const listed = status && isWhole && others.length < REACTION_USERS_LISTED_MAX
    ? [...others, user]
    : others;
  const next: Reaction = {
    emoji,
    count: status ? count + 1 : count - 1,
    users: listed,
    ...(isMine && { mine: true }),
  };
  return reactions.flatMap((reaction) => {
    if (reaction !== known) return [reaction];
    return next.count > 0 ? [next] : [];
  });
}

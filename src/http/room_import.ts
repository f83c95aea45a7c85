/**
 * Messages of an export, stored again.
 *
 * @module
 */

import { HttpError, problemError } from "../access/http_error.ts";
import type { Hub } from "../hub/hub.ts";
import type { ChangeDraft, Imported } from "../protocol/mod.ts";

/** What stands for a message between its import and its deletion. */
const DELETED = "(deleted)";

/**
 * Stores messages, with what became of them. An answer to one of them names its new place.
 *
 * @param hub The hub.
 * @param room The room.
 * @param messages The messages, oldest first, all of which were checked.
 * @returns Where they stand, in their order.
 * @throws {HttpError} Where one is not stored; others may be.
 * @throws Whatever the store rejects with.
 */
export async function importMessages(
  hub: Hub,
  room: string,
  messages: readonly Imported[],
): Promise<string[]> {
  const stored: Promise<string>[] = [];
  /** By the place where it stood before, the index of each message. */
  const indexes = new Map<string, number>();
  for (const [index, message] of messages.entries()) {
    const answered = indexes.get(message.draft?.reply_to ?? "");
    const reply_to = answered === undefined ? message.draft?.reply_to : await stored[answered];
    stored.push(importMessage(hub, room, { ...message, reply_to }));
    // One that fails is told of by all of them together.
    stored[index].catch(() => {});
    if (message.cursor !== undefined) indexes.set(message.cursor, index);
  }
  return await Promise.all(stored);
}

async function importMessage(
  hub: Hub,
  room: string,
  { user, name, sentAt, editedAt, draft, reply_to, reactions }: Imported & { reply_to?: string },
): Promise<string> {
  const said = draft
    ? { ...draft, ...(reply_to !== undefined && { reply_to }) }
    : { text: DELETED };
  const past = { sentAt, editedAt };
  const outcome = await hub.publish(room, user, said, { name, past });
  if (outcome.status === "refused") throw problemError(outcome.problem);
  const { cursor } = outcome.record;
  const change = async (by: string, draft: ChangeDraft) => {
    const result = await hub.change(room, by, draft, { isPast: true });
    if (result.status === "refused") throw new HttpError(result.problem);
  };
  if (!draft) await change(user, { kind: "delete", cursor });
  const changes = reactions.flatMap(({ emoji, users }) => {
    return users.map((by) => change(by, { kind: "reaction", cursor, emoji, status: true }));
  });
  await Promise.all(changes);
  return cursor;
}

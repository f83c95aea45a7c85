/**
 * Messages of an export, stored again.
 *
 * @module
 */

import { HttpError, problemError } from "../access/http_error.ts";
import type { Hub } from "../hub/hub.ts";
import type { Imported } from "../protocol/mod.ts";

/** What is checked of a message that was deleted; it is stored as one that says nothing. */
const DELETED = "(deleted)";
/** Messages that are stored at a time: a room has as many in memory, where reactions find them. */
const MESSAGES_AT_A_TIME = 128;
/** Reactions that are on their way at a time. */
const REACTIONS_AT_A_TIME = 1_000;

/**
 * Stores messages, with what became of them. An answer to one of them names its new place. As many
 * as can go into one commit: an answer waits for the commit that gives its message a place.
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
  // Otherwise each commit would open it anew.
  using _hold = hub.hold(room);
  const cursors: string[] = [];
  const reactions = new Reactions(hub, room);
  try {
    for (let at = 0; at < messages.length; at = cursors.length) {
      const some = independent(messages, at);
      const replies = repliesOf(messages.slice(0, at), cursors, some);
      const stored = await allOf(some.map((message) => store(hub, room, message, replies)));
      cursors.push(...stored);
      // They go into the commit of the messages that follow.
      for (const [index, message] of some.entries()) await reactions.add(stored[index], message);
    }
  } finally {
    await reactions.settled();
  }
  return cursors;
}

/** The next messages of which none answers another of them. */
function independent(messages: readonly Imported[], from: number): Imported[] {
  const places = new Set<string>();
  const some: Imported[] = [];
  for (const message of messages.slice(from, from + MESSAGES_AT_A_TIME)) {
    if (places.has(message.draft?.reply_to ?? "")) break;
    some.push(message);
    if (message.cursor !== undefined) places.add(message.cursor);
  }
  return some;
}

/** By the place where it stood before, the new one of each message that some answer. */
function repliesOf(
  stored: readonly Imported[],
  cursors: readonly string[],
  some: readonly Imported[],
): Map<string, string> {
  const answered = new Set(some.map(({ draft }) => draft?.reply_to));
  const places = new Map<string, string>();
  stored.forEach(({ cursor }, index) => {
    if (cursor !== undefined && answered.has(cursor)) places.set(cursor, cursors[index]);
  });
  return places;
}

async function store(
  hub: Hub,
  room: string,
  { user, name, sentAt, editedAt, draft }: Imported,
  replies: ReadonlyMap<string, string>,
): Promise<string> {
  const reply_to = draft?.reply_to === undefined
    ? undefined
    : replies.get(draft.reply_to) ?? draft.reply_to;
  const said = draft
    ? { ...draft, ...(reply_to !== undefined && { reply_to }) }
    : { text: DELETED };
  const past = { sentAt, editedAt, isDeleted: !draft };
  const outcome = await hub.publish(room, user, said, { name, past });
  if (outcome.status === "refused") throw problemError(outcome.problem);
  return outcome.record.cursor;
}

/** Reactions on their way into the log, of which there may be a thousand a message. */
class Reactions {
  readonly #hub: Hub;
  readonly #room: string;
  #waiting: Promise<void>[] = [];

  constructor(hub: Hub, room: string) {
    this.#hub = hub;
    this.#room = room;
  }

  /** Adds those to a message; waits where many are on their way. */
  async add(cursor: string, { reactions }: Imported): Promise<void> {
    for (const { emoji, users } of reactions) {
      for (const user of users) {
        const reaction = this.#store(user, { cursor, emoji });
        // One that fails is told of by all of them together.
        reaction.catch(() => {});
        this.#waiting.push(reaction);
        if (this.#waiting.length >= REACTIONS_AT_A_TIME) await this.settled();
      }
    }
  }

  /** Waits until all are stored. Rejects where one is not. */
  async settled(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    await allOf(waiting);
  }

  async #store(user: string, reaction: { cursor: string; emoji: string }): Promise<void> {
    const draft = { kind: "reaction", ...reaction, status: true } as const;
    const result = await this.#hub.change(this.#room, user, draft, { isPast: true });
    if (result.status === "refused") throw new HttpError(result.problem);
  }
}

/** Waits for all, also where one fails: nothing is on its way any more when the request is answered. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/**
 * The messages of a room on their way into the log.
 *
 * @module
 */

import { encodeLine } from "./entry.ts";
import type { LogRecord, StoredMessage } from "./entry.ts";
import type { Append } from "./group_commit.ts";
import type { Draft, Problem } from "./protocol.ts";

/** What became of a message. */
export type Outcome =
  | { readonly status: "stored" | "repeat"; readonly record: LogRecord }
  | { readonly status: "refused"; readonly problem: Problem };

/** Hears what became of a message, once. Must not throw. */
export type Answer = (outcome: Outcome) => void;

/** A message on its way into the log, and who waits for it. */
export interface RoomAppend extends Append {
  /** The message. */
  readonly message: StoredMessage;
  /** The message as stored, as text. */
  readonly text: string;
  /** Who waits: its sender, and whoever sent the same again meanwhile. */
  readonly answers: Answer[];
}

/** Who says something, what, and who hears what became of it. */
export interface Submission {
  /** Who says it. */
  readonly user: string;
  /** What they say. */
  readonly draft: Draft;
  /** Hears what became of it. */
  readonly answer: Answer;
}

/**
 * What was handed to the log and has not come back from it. Sees a message that is sent again
 * before the first one is stored.
 */
export class Outbox {
  readonly #byId = new Map<string, RoomAppend>();
  readonly #byRef = new Map<string, RoomAppend>();

  /** How many messages are on their way. */
  get size(): number {
    return this.#byId.size;
  }

  /**
   * Lets a submission wait for the same message, where that is on its way already.
   *
   * @param submission What was sent.
   * @returns True where it waits now.
   */
  join({ user, draft: { ref }, answer }: Submission): boolean {
    const same = ref === undefined ? undefined : this.#byRef.get(refKey(user, ref));
    if (!same) return false;
    same.answers.push((outcome) => {
      answer(outcome.status === "stored" ? { ...outcome, status: "repeat" } : outcome);
    });
    return true;
  }

  /**
   * Takes note that a message is on its way.
   *
   * @param append What {@linkcode compose} made of it.
   */
  add(append: RoomAppend): void {
    const { id, user, ref } = append.message;
    this.#byId.set(id, append);
    if (ref !== undefined) this.#byRef.set(refKey(user, ref), append);
  }

  /**
   * Finds a message on its way.
   *
   * @param id Its ULID.
   * @returns The append, or undefined where it is none of this room's, or is settled.
   */
  get(id: string): RoomAppend | undefined {
    return this.#byId.get(id);
  }

  /**
   * Tells everybody who waits for a message what became of it.
   *
   * @param append The message.
   * @param outcome What became of it.
   */
  settle(append: RoomAppend, outcome: Outcome): void {
    const { id, user, ref } = append.message;
    this.#byId.delete(id);
    if (ref !== undefined) this.#byRef.delete(refKey(user, ref));
    for (const answer of append.answers) answer(outcome);
  }
}

/**
 * Writes a message down as it will be stored.
 *
 * @param room The room.
 * @param submission Who says what.
 * @param stamp The message's ULID, and the time as ISO 8601.
 * @returns What to hand to the log.
 */
export function compose(
  room: string,
  { user, draft: { text, ref }, answer }: Submission,
  stamp: { readonly id: string; readonly sentAt: string },
): RoomAppend {
  const message: StoredMessage = { id: stamp.id, user, text, sent_at: stamp.sentAt, ref };
  const line = JSON.stringify(message);
  return { room, line: encodeLine(line), message, text: line, answers: [answer] };
}

function refKey(user: string, ref: string): string {
  // No name of a user holds a line feed.
  return `${user}\n${ref}`;
}

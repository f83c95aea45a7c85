/**
 * Messages as they are appended to the log.
 *
 * @module
 */

import type { Draft, Problem, Role } from "../protocol/mod.ts";
import type { Claim } from "../store/claimed_error.ts";
import { CHANGES_FROM } from "../store/cursor.ts";
import { erasedRecord, type LogRecord, recordAt } from "../store/entry.ts";
import { entryLine, type ErasedLine, type StoredMessage } from "../store/entry_line.ts";
import type { Append } from "../store/group_commit.ts";
import { hashText } from "./draft_hash.ts";
import type { JudgementQueue } from "./judgement_queue.ts";
import type { Past, PublishCallback } from "./publish_result.ts";

/** A message to publish. */
export interface Submission {
  /** The user that sends it. */
  readonly user: string;
  /** A name to show beside the user. */
  readonly name?: string;
  /** What the user may do in the room. @default {"member"} */
  readonly role?: Role;
  /** The message. */
  readonly draft: Draft;
  /** What is known of it, where it was said before. @default {undefined} it is said now */
  readonly past?: Past;
  /** Its sender's messages that are being judged. @default {undefined} it is judged by itself */
  readonly queue?: JudgementQueue;
  /**
   * Tells what keeps the sender from sending, asked once more when the message has been judged.
   *
   * @default {undefined} nothing
   */
  readonly check?: () => Problem | undefined;
  /** Called with the result. */
  readonly answer: PublishCallback;
}

/** What a room does about its records when their commit has ended and the room is gone. */
export interface AppendOwner {
  /** Whether the room is gone: what is on its way must be settled without it. */
  readonly isDismissed: boolean;
  /** Answers a record that was refused, for it was made before. Never rejects. */
  claimed?(append: CommitAppend, claim: Claim): Promise<void>;
  /** Rejects records of a failed commit. */
  reject(appends: readonly CommitAppend[], error?: unknown): void;
  /** Makes the record of what was committed. */
  recordOf(
    append: CommitAppend,
    at: { readonly commit: string; readonly index: number },
  ): LogRecord;
  /** Settles a record whose commit is done. */
  settleAlone(append: CommitAppend, at: { readonly commit: string; readonly index: number }): void;
}

/** A record on its way into the log: a message, or a change. */
export interface CommitAppend extends Append {
  /** Where it waits. */
  readonly pending: AppendOwner;
  /** Where it stands, once it is committed and its room has yet to read so far. */
  at?: { readonly commit: string; readonly index: number };
}

/** A message on its way into the log, and what waits for its result. */
export interface RoomAppend extends CommitAppend {
  /** The message. */
  readonly message: StoredMessage;
  /** Called with the result: of its sender, and of who sent the same again meanwhile. */
  readonly answers: PublishCallback[];
  /** 32 bits of a hash of what was sent, where it has a `ref`. */
  readonly hash?: number;
  /** Whether it was deleted before it came here. */
  readonly isErased?: boolean;
}

/** What the server adds to a message. */
export interface AppendStamp extends Pick<RoomAppend, "answers" | "hash" | "id" | "pending"> {
  /** When it was accepted, ISO 8601. */
  readonly sentAt: string;
}

/**
 * Tells where each append stands in its commit: changes come behind messages.
 *
 * @param appends The appends of one room, in the order of arrival.
 * @returns Each with its index.
 */
export function indexed<A extends CommitAppend>(appends: readonly A[]): [A, number][] {
  let [messages, changes] = [0, CHANGES_FROM];
  return appends.map((append) => [append, append.writes ? changes++ : messages++]);
}

/**
 * Settles records of a room that is given up and has not read so far: they are in the log.
 *
 * @param appends Those that wait.
 */
export function settleCommitted(appends: Iterable<CommitAppend>): void {
  for (const append of [...appends]) {
    if (append.at) append.pending.settleAlone(append, append.at);
  }
}

/**
 * Makes the records of what was committed.
 *
 * @param appends The appends of one room, in the order of arrival.
 * @param commit The commit.
 * @returns The records, in the log's order.
 */
export function recordsOf(appends: readonly CommitAppend[], commit: string): LogRecord[] {
  // Most rooms have no changes, and this is once a message.
  if (!appends.some(({ writes }) => writes)) {
    return appends.map((append, index) => append.pending.recordOf(append, { commit, index }));
  }
  return indexed(appends)
    .map(([append, index]) => append.pending.recordOf(append, { commit, index }))
    .sort((one, other) => one.cursor < other.cursor ? -1 : 1);
}

/**
 * Makes the append of a message.
 *
 * @param room The room.
 * @param submission The message, as it is to be stored.
 * @param stamp What the server adds to it.
 * @returns The append.
 */
export function composeAppend(
  room: string,
  { user, name, draft: { text, ref, data, reply_to }, past }: Omit<Submission, "answer">,
  { id, sentAt, hash, answers, pending }: AppendStamp,
): RoomAppend {
  // The hash is the first member: recordAt() relies on it.
  const h = hash === undefined ? undefined : hashText(hash);
  const message: StoredMessage = { h, id, user, name, text, sent_at: sentAt, ref, data, reply_to };
  const isErased = past?.isDeleted;
  const erased: ErasedLine | undefined = isErased ? { gone: id, user, sent_at: sentAt } : undefined;
  const edited = past?.editedAt ? { ...message, edited_at: past.editedAt } : message;
  return {
    room,
    id,
    line: entryLine(JSON.stringify(erased ?? edited)),
    message,
    hash,
    isErased,
    answers,
    pending,
  };
}

/**
 * Makes the record of a message whose commit is known.
 *
 * @param append The message.
 * @param at Where it was committed.
 * @returns The record.
 */
export function committedMessage(
  { room, line, message, isErased }: RoomAppend,
  { commit, index }: { readonly commit: string; readonly index: number },
): LogRecord {
  const record = recordAt({ room, commit, index }, line.text, message);
  return isErased ? erasedRecord(room, record) : record;
}

/**
 * Messages as they are appended to the log.
 *
 * @module
 */

import type { Draft, Problem } from "../protocol/mod.ts";
import { encodeLine, type StoredMessage } from "../store/entry.ts";
import type { Append } from "../store/group_commit.ts";
import { hashText } from "./draft_hash.ts";
import type { JudgementQueue } from "./judgement_queue.ts";
import type { PublishCallback } from "./publish_result.ts";

/** A message to publish. */
export interface Submission {
  /** The user that sends it. */
  readonly user: string;
  /** A name to show beside the user. */
  readonly name?: string;
  /** The message. */
  readonly draft: Draft;
  /** When it was sent, ISO 8601. @default {undefined} now */
  readonly sentAt?: string;
  /** Whether it was judged before. @default {false} */
  readonly isJudged?: boolean;
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

/** What a room does about its messages when their commit has ended and the room is gone. */
export interface AppendOwner {
  /** Whether the room is gone: what is on its way must be settled without it. */
  readonly isDismissed: boolean;
  /** Rejects messages of a failed commit. */
  reject(appends: readonly RoomAppend[], error?: unknown): void;
  /** Settles a message whose commit is done. */
  settleAlone(append: RoomAppend, at: { readonly commit: string; readonly index: number }): void;
}

/** A message on its way into the log, and what waits for its result. */
export interface RoomAppend extends Append {
  /** The message. */
  readonly message: StoredMessage;
  /** The message as stored, as text. */
  readonly text: string;
  /** Called with the result: of its sender, and of who sent the same again meanwhile. */
  readonly answers: PublishCallback[];
  /** 32 bits of a hash of what was sent, where it has a `ref`. */
  readonly hash?: number;
  /** The room's, where it waits. */
  readonly pending: AppendOwner;
}

/** What the server adds to a message. */
export interface AppendStamp extends Pick<RoomAppend, "answers" | "hash" | "id" | "pending"> {
  /** When it was accepted, ISO 8601. */
  readonly sentAt: string;
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
  { user, name, draft: { text, ref, data, reply_to } }: Pick<Submission, "draft" | "name" | "user">,
  { id, sentAt, hash, answers, pending }: AppendStamp,
): RoomAppend {
  // The hash is the first member: recordAt() relies on it.
  const h = hash === undefined ? undefined : hashText(hash);
  const message: StoredMessage = { h, id, user, name, text, sent_at: sentAt, ref, data, reply_to };
  const line = JSON.stringify(message);
  return { room, id, line: encodeLine(line), message, text: line, hash, answers, pending };
}

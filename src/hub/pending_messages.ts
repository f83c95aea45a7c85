/**
 * The messages of a room on their way into the log.
 *
 * @module
 */

import { encodeLine } from "../store/entry.ts";
import type { LogRecord, StoredMessage } from "../store/entry.ts";
import type { Append, GroupCommit } from "../store/group_commit.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { KV_LIMITS } from "../store/kv/keys.ts";
import { judge, type Judgement, type Moderate } from "./moderation.ts";
import type { Draft, Limits, Problem } from "../protocol/mod.ts";
import type { RecentMessages } from "./recent_messages.ts";

/** What became of a message. */
export type PublishResult =
  | { readonly status: "stored" | "repeat"; readonly record: LogRecord }
  | { readonly status: "refused"; readonly problem: Problem };

/** Hears what became of a message, once. Must not throw. */
export type PublishCallback = (outcome: PublishResult) => void;

/** A message on its way into the log, and who waits for it. */
export interface RoomAppend extends Append {
  /** The message. */
  readonly message: StoredMessage;
  /** The message as stored, as text. */
  readonly text: string;
  /** Who waits: its sender, and whoever sent the same again meanwhile. */
  readonly answers: PublishCallback[];
}

/** Who says something, what, and who hears what became of it. */
export interface Submission {
  /** Who says it. */
  readonly user: string;
  /** What they say. */
  readonly draft: Draft;
  /** Hears what became of it. */
  readonly answer: PublishCallback;
}

/** What {@linkcode PendingMessages} needs of its hub. */
export interface PendingMessagesContext {
  /** The hub's group commit. */
  readonly commits: GroupCommit<RoomAppend>;
  /** What members may do. */
  readonly limits: Limits;
  /** Receives operational events. */
  readonly logger: Logger;
  /** The hub's counters. */
  readonly metrics: Metrics;
  /** Judges messages before they are stored; without it all are. */
  readonly moderate?: Moderate;
  /** Makes the ULID of a message. */
  readonly createId: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether the hub takes no more messages. */
  readonly isDraining: () => boolean;
}

/**
 * Hands messages to the log, and knows those that have not come back from it. Sees a message that
 * is sent again, before the first one is stored and after.
 */
export class PendingMessages {
  readonly #room: string;
  readonly #tail: RecentMessages;
  readonly #context: PendingMessagesContext;
  readonly #byId = new Map<string, RoomAppend>();
  readonly #byRef = new Map<string, RoomAppend>();

  /**
   * Begins empty.
   *
   * @param room The room's name.
   * @param tail Its newest messages.
   * @param context Where messages go, and what they are given.
   */
  constructor(room: string, tail: RecentMessages, context: PendingMessagesContext) {
    this.#room = room;
    this.#tail = tail;
    this.#context = context;
  }

  /** How many messages are on their way. */
  get size(): number {
    return this.#byId.size;
  }

  /**
   * Hands a message to the log, unless it is there already, or on its way.
   *
   * @param submission Who says what, and who hears what became of it.
   */
  submit(submission: Submission): void {
    const { user, draft: { ref }, answer } = submission;
    const { commits, createId, isDraining, metrics, now } = this.#context;
    metrics.messagesIn++;
    if (isDraining()) {
      return refuseTo(answer, { code: "draining", message: "The server is stopping", ref });
    }
    const first = ref === undefined ? undefined : this.#tail.find(user, ref);
    if (first) {
      metrics.repeats++;
      return answer({ status: "repeat", record: first });
    }
    if (this.#joinsAnother(submission)) return void metrics.repeats++;
    const judged = this.#judge(submission);
    if ("problem" in judged) return refuseTo(answer, { ...judged.problem, ref });
    const sentAt = new Date(now()).toISOString();
    const accepted = { ...submission, draft: judged.draft };
    const append = compose(this.#room, accepted, { id: createId(), sentAt });
    if (append.line.length > KV_LIMITS.valueBytes) {
      const message = "The message takes more room than an entry of the log has";
      return refuseTo(answer, { code: "text_too_long", message, ref });
    }
    if (!commits.add(append)) {
      metrics.messagesNotStored++;
      const message = "Too many messages wait to be stored";
      return refuseTo(answer, { code: "not_stored", message, ref });
    }
    this.#byId.set(append.message.id, append);
    if (ref !== undefined) this.#byRef.set(refKey(user, ref), append);
  }

  /**
   * Tells everybody who waits for messages that they could not be stored.
   *
   * @param appends The messages.
   */
  refuse(appends: readonly RoomAppend[]): void {
    this.#context.metrics.messagesNotStored += appends.length;
    for (const append of appends) {
      const { ref } = append.message;
      const message = "The message could not be stored";
      this.settle(append, { status: "refused", problem: { code: "not_stored", message, ref } });
    }
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
  settle(append: RoomAppend, outcome: PublishResult): void {
    const { id, user, ref } = append.message;
    this.#byId.delete(id);
    if (ref !== undefined) this.#byRef.delete(refKey(user, ref));
    for (const answer of append.answers) answer(outcome);
  }

  /** Has a message judged: gives what is to be stored, or what is wrong. */
  #judge({ user, draft }: Submission): { draft: Draft } | { problem: Problem } {
    const { limits, logger, metrics, moderate } = this.#context;
    if (!moderate) return { draft };
    let judgement: Judgement;
    try {
      const sender = { room: this.#room, user };
      judgement = judge(moderate, draft, { sender, textMaxBytes: limits.text_max_bytes });
    } catch (error) {
      metrics.moderationFailures++;
      logger("error", "moderation_failed", { room: this.#room, user, error });
      return { problem: { code: "internal", message: "The message could not be judged" } };
    }
    if ("draft" in judgement) return judgement;
    metrics.messagesRefused++;
    return { problem: { code: "not_accepted", message: judgement.refused } };
  }

  /** Lets a submission wait for the same message, where that is on its way already. */
  #joinsAnother({ user, draft: { ref }, answer }: Submission): boolean {
    const same = ref === undefined ? undefined : this.#byRef.get(refKey(user, ref));
    if (!same) return false;
    same.answers.push((outcome) => {
      answer(outcome.status === "stored" ? { ...outcome, status: "repeat" } : outcome);
    });
    return true;
  }
}

function refuseTo(answer: PublishCallback, problem: Problem): void {
  answer({ status: "refused", problem });
}

/** Writes a message down as it will be stored. */
function compose(
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

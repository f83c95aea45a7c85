/**
 * The messages of a room on their way into the log.
 *
 * @module
 */

import type { Draft, Limits, Problem } from "../protocol/mod.ts";
import { encodeLine, recordAt, type StoredMessage } from "../store/entry.ts";
import type { Append } from "../store/group_commit.ts";
import type { RoomLog } from "../store/room_log.ts";
import { StoreTimeoutError } from "../store/deadline.ts";
import type { DeduplicationWindow, FirstMessage } from "./deduplication_window.ts";
import { hashDraft, hashText } from "./draft_hash.ts";
import { DuplicateResults, refReused } from "./duplicate_results.ts";
import type { Guard } from "../telemetry/guard.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { judge, type Judgement, type Moderate } from "./moderation.ts";
import type { PublishCallback, PublishResult } from "./publish_result.ts";
import type { RecentMessages } from "./recent_messages.ts";
import type { RoomHold } from "./room_holds.ts";

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
  readonly pending: PendingMessages;
}

/** A message to publish. */
export interface Submission {
  /** The user that sends it. */
  readonly user: string;
  /** The message. */
  readonly draft: Draft;
  /** Called with the result. */
  readonly answer: PublishCallback;
}

/** How {@linkcode PendingMessages} behaves. */
export interface PendingMessagesOptions {
  /** The name of the room. */
  readonly room: string;
  /** Its newest messages. */
  readonly recent: Pick<RecentMessages, "get">;
  /** Recognises duplicates of what is in the log. */
  readonly window: Pick<DeduplicationWindow, "find">;
  /** Fills the window; undefined where that has been done. */
  readonly fillWindow: () => Promise<void> | undefined;
  /** The rooms' logs. */
  readonly log: Pick<RoomLog, "entryMaxBytes" | "get">;
  /** The hub's group commit. */
  readonly commits: { add(append: RoomAppend): boolean };
  /** What members may do. */
  readonly limits: Limits;
  /** Runs callbacks, which may throw, and logs. */
  readonly guard: Guard;
  /** The hub's counters. */
  readonly metrics: Metrics;
  /** Keeps the room while messages are on their way. */
  readonly hold: RoomHold;
  /** Judges messages before they are stored; without it all are accepted. */
  readonly moderate?: Moderate;
  /** Creates the ULID of a message. */
  readonly createId: () => string;
  /** Tells the time, ISO 8601. */
  readonly timestamp: () => string;
  /** Whether the hub accepts no more messages. */
  readonly isDraining: () => boolean;
}

/**
 * The messages of a room on their way into the log. Recognises a message that is sent again, before
 * the first one is stored and after.
 */
export class PendingMessages {
  readonly #options: PendingMessagesOptions;
  readonly #duplicates: DuplicateResults;
  readonly #byId = new Map<string, RoomAppend>();
  readonly #byRef = new Map<string, RoomAppend>();
  /** What waits for the window to be filled. */
  readonly #waiting: Submission[] = [];
  #isDismissed = false;

  /** @param options Where messages go, and what they are given. */
  constructor(options: PendingMessagesOptions) {
    this.#options = options;
    this.#duplicates = new DuplicateResults({ ...options, logger: options.guard.logger });
  }

  /** Whether the room is gone: what is on its way must be settled without it. */
  get isDismissed(): boolean {
    return this.#isDismissed;
  }

  /** Gives up the room: the rest is settled by {@linkcode PendingMessages.settleAlone}. */
  dismiss(): void {
    this.#isDismissed = true;
  }

  /** How many messages are on their way. */
  get size(): number {
    return this.#byId.size;
  }

  /**
   * Passes a message to the log, unless it is there already, or on its way.
   *
   * @param submission The message, and what is called with the result.
   */
  submit(submission: Submission): void {
    // All wait, with a `ref` or without, and none overtakes another: a sender's messages are stored
    // in their order.
    if (this.#waiting.length > 0) return void this.#waiting.push(submission);
    const filling = this.#options.fillWindow();
    if (!filling) return this.#submit(submission);
    this.#waiting.push(submission);
    const message = "The room could not be read";
    void filling.then(
      () => this.#submitWaiting((waiting) => this.#submit(waiting)),
      () =>
        this.#submitWaiting((waiting) => this.#refuse(waiting, { code: "unavailable", message })),
    );
  }

  #submitWaiting(submit: (submission: Submission) => void): void {
    // What comes meanwhile goes behind: it is taken out when it is through.
    for (; this.#waiting.length > 0; this.#waiting.shift()) submit(this.#waiting[0]);
  }

  #submit(submission: Submission): void {
    const { user, draft: { ref } } = submission;
    const { commits, createId, hold, isDraining, log, metrics, timestamp, window } = this.#options;
    metrics.messagesIn++;
    if (isDraining()) {
      return this.#refuse(submission, { code: "draining", message: "The server is stopping" });
    }
    const hash = ref === undefined ? undefined : hashDraft(submission.draft);
    const first = ref === undefined ? undefined : window.find(user, ref);
    if (first) {
      const answers = [submission.answer];
      return this.#duplicates.find(first, { ref, hash }, (result) => this.#answer(answers, result));
    }
    if (this.#joinsAnother(submission, hash)) return;
    const judged = this.#judge(submission);
    if ("problem" in judged) return this.#refuse(submission, judged.problem);
    const accepted = { ...submission, draft: judged.draft };
    const append = this.#compose(accepted, { id: createId(), sentAt: timestamp(), hash });
    if (append.line.length > log.entryMaxBytes) {
      const message = "The message takes more room than an entry of the log has";
      return this.#refuse(submission, { code: "text_too_long", message });
    }
    if (!commits.add(append)) {
      metrics.messagesNotStored++;
      const message = "Too many messages wait to be stored";
      return this.#refuse(submission, { code: "not_stored", message });
    }
    this.#byId.set(append.message.id, append);
    if (ref !== undefined) this.#byRef.set(refKey(user, ref), append);
    hold.set(true);
  }

  /**
   * Rejects messages of a failed commit with `not_stored`.
   *
   * @param appends The messages.
   * @param error Why it failed.
   */
  reject(appends: readonly RoomAppend[], error?: unknown): void {
    const message = error instanceof StoreTimeoutError
      ? "The message may have been stored: send it again with the same ref"
      : "The message could not be stored";
    this.#options.metrics.messagesNotStored += appends.length;
    for (const { message: { id } } of appends) this.take(id);
    for (const append of appends) {
      const { ref } = append.message;
      this.settle(append, { status: "refused", problem: { code: "not_stored", message, ref } });
    }
  }

  /**
   * Removes a message that is in the log now, or never will be. Its result is still to be given:
   * see {@linkcode PendingMessages.settle}.
   *
   * @param id Its ULID.
   * @returns The message, or undefined where none of this room's with that id is on its way.
   */
  take(id: string): RoomAppend | undefined {
    const append = this.#byId.get(id);
    if (!append) return undefined;
    const { user, ref } = append.message;
    this.#byId.delete(id);
    if (ref !== undefined) this.#byRef.delete(refKey(user, ref));
    this.#options.hold.set(this.size > 0);
    return append;
  }

  /**
   * Calls everything that waits for a message with its result. Never throws.
   *
   * @param append The message, which was taken out.
   * @param result The result.
   */
  settle(append: RoomAppend, result: PublishResult): void {
    this.#answer(append.answers, result);
  }

  /**
   * Settles a message whose room is gone. Never throws.
   *
   * @param append The message.
   * @param at The commit that holds it, and its index in the entry.
   */
  settleAlone(append: RoomAppend, at: { readonly commit: string; readonly index: number }): void {
    this.take(append.id);
    const { room, text, message } = append;
    this.settle(append, { status: "stored", record: recordAt({ room, ...at }, text, message) });
  }

  /**
   * Settles a message that turned out to repeat another. Never throws.
   *
   * @param append The message, which was taken out.
   * @param first The message that it repeats.
   */
  settleDuplicate({ answers, hash, message: { ref } }: RoomAppend, first: FirstMessage): void {
    this.#duplicates.find(first, { ref, hash }, (result) => this.#answer(answers, result));
  }

  #answer(answers: readonly PublishCallback[], result: PublishResult): void {
    for (const answer of answers) {
      this.#options.guard.run("answer_failed", () => answer(result));
    }
  }

  #refuse({ answer, draft: { ref } }: Submission, problem: Problem): void {
    this.#answer([answer], { status: "refused", problem: { ...problem, ref } });
  }

  /** Applies moderation: returns what is to be stored, or what is wrong. */
  #judge({ user, draft }: Submission): { draft: Draft } | { problem: Problem } {
    const { guard, limits, metrics, moderate, room } = this.#options;
    if (!moderate) return { draft };
    let judgement: Judgement;
    try {
      const sender = { room, user };
      judgement = judge(moderate, draft, { sender, textMaxBytes: limits.text_max_bytes });
    } catch (error) {
      metrics.moderationFailures++;
      guard.logger("error", "moderation_failed", { room, user, error });
      return { problem: { code: "internal", message: "The message could not be judged" } };
    }
    if ("draft" in judgement) return judgement;
    metrics.messagesRefused++;
    return { problem: { code: "not_accepted", message: judgement.refused } };
  }

  /** Makes the append of a message. */
  #compose(
    { user, draft: { text, ref, data, reply_to }, answer }: Submission,
    { id, sentAt, hash }: { readonly id: string; readonly sentAt: string; readonly hash?: number },
  ): RoomAppend {
    // The hash is the first member: recordAt() relies on it.
    const h = hash === undefined ? undefined : hashText(hash);
    const message: StoredMessage = { h, id, user, text, sent_at: sentAt, ref, data, reply_to };
    const line = JSON.stringify(message);
    const { room } = this.#options;
    const answers = [answer];
    return { room, id, line: encodeLine(line), message, text: line, hash, answers, pending: this };
  }

  /** Lets a submission wait for the same message, where that is on its way already. */
  #joinsAnother(submission: Submission, hash: number | undefined): boolean {
    const { user, draft: { ref }, answer } = submission;
    const same = ref === undefined ? undefined : this.#byRef.get(refKey(user, ref));
    if (!same) return false;
    if (same.hash !== hash) {
      this.#refuse(submission, refReused(ref));
      return true;
    }
    this.#options.metrics.repeats++;
    same.answers.push((result) => {
      answer(result.status === "stored" ? { ...result, status: "duplicate" } : result);
    });
    return true;
  }
}

function refKey(user: string, ref: string): string {
  // No name of a user holds a line feed.
  return `${user}\n${ref}`;
}

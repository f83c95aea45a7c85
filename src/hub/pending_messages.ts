/**
 * The messages of a room on their way into the log.
 *
 * @module
 */

import type { Problem } from "../protocol/mod.ts";
import type { LogRecord } from "../store/entry.ts";
import { StoreTimeoutError } from "../store/deadline.ts";
import type { FirstMessage } from "./deduplication_window.ts";
import { hashDraft } from "./draft_hash.ts";
import { DuplicateResults, refReused } from "./duplicate_results.ts";
import { JudgementQueue } from "./judgement_queue.ts";
import type { Judgement } from "./moderation.ts";
import type { PendingMessagesOptions } from "./pending_options.ts";
import type { PublishCallback, PublishResult } from "./publish_result.ts";
import {
  type AppendOwner,
  type CommitAppend,
  committedMessage,
  composeAppend,
  settleCommitted,
} from "./room_append.ts";
import type { RoomAppend, Submission } from "./room_append.ts";

/** What waits for the result of a message. */
type Awaited = Pick<RoomAppend, "answers" | "hash">;

/** A message that is being judged. */
interface Judged extends Awaited {
  readonly submission: Submission;
}

/**
 * The messages of a room on their way into the log. Recognises a message that is sent again, before
 * the first one is stored and after.
 */
export class PendingMessages implements AppendOwner {
  readonly #options: PendingMessagesOptions;
  readonly #duplicates: DuplicateResults;
  readonly #byId = new Map<string, RoomAppend>();
  /** What waits for each `ref` that is judged or on its way. */
  readonly #byRef = new Map<string, Awaited>();
  readonly #judging = new Set<Judged>();
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
    settleCommitted(this.#byId.values());
    const code = this.#options.isDraining() ? "draining" : "not_stored";
    const message = "The room was closed before the message could be judged";
    for (const judged of [...this.#judging]) this.#refuseJudged(judged, { code, message });
  }

  /** How many messages are judged or on their way. */
  get size(): number {
    return this.#byId.size + this.#judging.size;
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
    const { hold, isDraining, metrics, window } = this.#options;
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
    const { moderation, room } = this.#options;
    const answers = [submission.answer];
    if (!moderation || submission.past) return this.#store(submission, answers, hash);
    const judged: Judged = { submission, hash, answers };
    this.#judging.add(judged);
    if (ref !== undefined) this.#byRef.set(refKey(user, ref), judged);
    hold.set(true);
    const { name, queue = new JudgementQueue(moderation) } = submission;
    const sender = name === undefined ? { room, user } : { room, user, name };
    const release = (judgement: Judgement) => this.#release(judged, judgement);
    if (queue.add(submission.draft, sender, release)) return;
    const message = "Too many of your messages wait to be judged";
    this.#refuseJudged(judged, { code: "rate_limited", message, retry_after_ms: 1000 });
  }

  /** Stores a message that was judged, or refuses it. */
  #release(judged: Judged, judgement: Judgement): void {
    // The room is gone, and its sender knows.
    if (!this.#judging.has(judged)) return;
    const { submission } = judged;
    if ("problem" in judgement) return this.#refuseJudged(judged, judgement.problem);
    const problem = submission.check?.();
    if (problem) return this.#refuseJudged(judged, problem);
    this.#forgetJudged(judged);
    this.#store({ ...submission, draft: judgement.draft }, judged.answers, judged.hash);
  }

  #refuseJudged(judged: Judged, problem: Problem): void {
    this.#forgetJudged(judged);
    const { ref } = judged.submission.draft;
    this.#answer(judged.answers, { status: "refused", problem: { ...problem, ref } });
  }

  #forgetJudged(judged: Judged): void {
    const { user, draft: { ref } } = judged.submission;
    this.#judging.delete(judged);
    if (ref !== undefined) this.#byRef.delete(refKey(user, ref));
    this.#options.hold.set(this.size > 0);
  }

  /** Hands a message to the group commit. */
  #store(submission: Submission, answers: PublishCallback[], hash: number | undefined): void {
    const { commits, createId, hold, log, metrics, timestamp, room } = this.#options;
    const { user, draft: { ref } } = submission;
    const sentAt = submission.past?.sentAt ?? timestamp();
    const stamp = { id: createId(), sentAt, hash, answers, pending: this };
    const append = composeAppend(room, submission, stamp);
    if (append.line.length > log.entryMaxBytes) {
      const message = "The message takes more room than an entry of the log has";
      const problem = { code: "text_too_long", message, ref } as const;
      return this.#answer(answers, { status: "refused", problem });
    }
    if (!commits.add(append)) {
      metrics.messagesNotStored++;
      const message = "Too many messages wait to be stored";
      const problem = { code: "not_stored", message, ref } as const;
      return this.#answer(answers, { status: "refused", problem });
    }
    this.#byId.set(append.id, append);
    if (ref !== undefined) this.#byRef.set(refKey(user, ref), append);
    hold.set(true);
  }

  /**
   * Rejects messages of a failed commit with `not_stored`.
   *
   * @param committed The messages.
   * @param error Why it failed.
   */
  reject(committed: readonly CommitAppend[], error?: unknown): void {
    const appends = committed as readonly RoomAppend[];
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
    if (result.status === "stored") this.#options.hooks?.stored(result.record);
  }

  /**
   * Settles a message whose room is gone. Never throws.
   *
   * @param committed The message.
   * @param at The commit that holds it, and its index in the entry.
   */
  settleAlone(
    committed: CommitAppend,
    at: { readonly commit: string; readonly index: number },
  ): void {
    const append = committed as RoomAppend;
    if (!this.take(append.id)) return;
    this.settle(append, { status: "stored", record: this.recordOf(append, at) });
  }

  /**
   * Makes the record of a message whose commit is done.
   *
   * @param committed The message.
   * @param at The commit that holds it, and its index in the entry.
   * @returns The record.
   */
  recordOf(
    committed: CommitAppend,
    at: { readonly commit: string; readonly index: number },
  ): LogRecord {
    return committedMessage(committed as RoomAppend, at);
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

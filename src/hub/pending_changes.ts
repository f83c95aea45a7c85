/**
 * The changes of a room on their way into the log.
 *
 * @module
 */

import type { ChangeDraft, Problem } from "../protocol/mod.ts";
import type { StoredMessageChange } from "../store/change.ts";
import type { Claim } from "../store/claimed_error.ts";
import { StoreTimeoutError } from "../store/deadline.ts";
import type { LogRecord } from "../store/entry.ts";
import { changeRecord } from "../store/folded_record.ts";
import {
  type ChangeAppend,
  committedChange,
  composeChange,
  storedResult,
} from "./change_append.ts";
import { changesNothing, type ChangeSubmission, isFirstUse } from "./change_rules.ts";
import { NOT_FOUND, problemOf, TOO_MANY } from "./change_rules.ts";
import { hashDraft } from "./draft_hash.ts";
import { refReused } from "./duplicate_results.ts";
import { JudgementQueue } from "./judgement_queue.ts";
import type { PendingChangesOptions } from "./pending_changes_options.ts";
import { PendingChangeIndex } from "./pending_change_index.ts";
import type { ChangeCallback, ChangeResult } from "./publish_result.ts";
import { type AppendOwner, type CommitAppend, settleCommitted } from "./room_append.ts";

/** The changes of a room on their way into the log: each is held against what its message is now. */
export class PendingChanges implements AppendOwner {
  readonly #options: PendingChangesOptions;
  readonly #index = new PendingChangeIndex();
  /** By message, what waits until it has been read. */
  readonly #waiting = new Map<string, ChangeSubmission[]>();
  /** Changes that are being judged, or turned out to be made before. */
  #judging = 0;
  #isDismissed = false;

  /** @param options Where changes go. */
  constructor(options: PendingChangesOptions) {
    this.#options = options;
  }

  /** Whether the room is gone. */
  get isDismissed(): boolean {
    return this.#isDismissed;
  }

  /** Gives up the room. */
  dismiss(): void {
    this.#isDismissed = true;
    settleCommitted(this.#index.all());
    const problem: Problem = { code: "not_stored", message: "The room was closed before" };
    const waiting = [...this.#waiting.values()].flat();
    for (const submission of waiting) this.#refuse(submission, problem);
    this.#waiting.clear();
  }

  /** How many changes are on their way. */
  get size(): number {
    return this.#index.size + this.#waiting.size + this.#judging;
  }

  /**
   * Makes a change.
   *
   * @param submission The change.
   * @returns The result.
   */
  make(submission: Omit<ChangeSubmission, "answer">): Promise<ChangeResult> {
    return new Promise((answer) => this.submit({ ...submission, answer }));
  }

  /**
   * Passes a change to the log, unless it is there already, or changes nothing.
   *
   * @param submission The change.
   */
  submit(submission: ChangeSubmission): void {
    const { messages, repeats, isDraining } = this.#options;
    const { cursor } = submission.draft;
    if (isDraining()) {
      return this.#refuse(submission, { code: "draining", message: "The server is stopping" });
    }
    const waiting = this.#waiting.get(cursor);
    if (waiting) return void waiting.push(submission);
    const message = messages.find(cursor);
    const isKnown = submission.draft.ref === undefined || repeats.isPrimed;
    if (message && isKnown) return this.#submit(submission, message);
    this.#waiting.set(cursor, [submission]);
    this.#hold();
    void this.#read(cursor);
  }

  async #read(cursor: string): Promise<void> {
    const { messages, metrics, guard, repeats, room } = this.#options;
    let found: LogRecord | undefined;
    let problem: Problem | undefined;
    try {
      await repeats.prime();
      found = messages.find(cursor) ?? await messages.read(cursor);
    } catch (error) {
      metrics.readFailures++;
      guard.logger("error", "read_failed", { room, error });
      problem = { code: "unavailable", message: "The message could not be read" };
    }
    const waiting = this.#waiting.get(cursor) ?? [];
    this.#waiting.delete(cursor);
    for (const submission of waiting) {
      // The one before may have changed it.
      const message = found && (messages.find(cursor) ?? found);
      if (problem) this.#refuse(submission, problem);
      else if (message) this.#submit(submission, message);
      else this.#refuse(submission, NOT_FOUND);
    }
    this.#hold();
  }

  #submit(submission: ChangeSubmission, message: LogRecord): void {
    const { draft } = submission;
    const hash = hashDraft(draft);
    if (this.#repeats(submission, hash)) return;
    const pending = this.#index.of(draft.cursor);
    const problem = problemOf(submission, message, pending);
    if (problem) return this.#refuse(submission, problem);
    if (changesNothing(submission, message, pending)) {
      const change = this.#unchanged(submission, message);
      return this.#answer([submission.answer], { status: "unchanged", change });
    }
    const { moderation } = this.#options;
    if (draft.kind !== "edit" || draft.text === undefined || !moderation) {
      const isFirst = isFirstUse(draft, message, pending);
      return this.#store(submission, draft, { hash, isFirstUse: isFirst });
    }
    this.#judge(submission, { message, draft: draft as EditWithText, hash });
  }

  /** Answers a change that was made before, or is on its way; returns whether it is. */
  #repeats({ user, draft, answer }: ChangeSubmission, hash: number): boolean {
    const { ref } = draft;
    if (ref === undefined) return false;
    const same = this.#index.find(user, ref);
    if (same && same.hash !== hash) {
      this.#answer([answer], { status: "refused", problem: refReused(ref) });
    } else if (same) {
      same.answers.push((result) => {
        answer(result.status === "stored" ? { ...result, status: "duplicate" } : result);
      });
    } else {
      const before = this.#options.repeats.find({ user, ref, hash });
      if (!before) return false;
      this.#answer([answer], before);
    }
    return true;
  }

  #judge(
    submission: ChangeSubmission,
    { message, draft, hash }: { message: LogRecord; draft: EditWithText; hash: number },
  ): void {
    const { messages, moderation, room } = this.#options;
    const { user, queue = new JudgementQueue(moderation!) } = submission;
    const judged = { text: draft.text, ...(draft.data && { data: draft.data }) };
    this.#judging++;
    this.#hold();
    const isTaken = queue.add(judged, { room, user }, (judgement) => {
      this.#judging--;
      // Meanwhile it may have been sent again, or the message deleted.
      const now = messages.find(draft.cursor) ?? message;
      const problem = "problem" in judgement
        ? judgement.problem
        : submission.check?.() ?? problemOf(submission, now, this.#index.of(draft.cursor));
      if (problem) this.#refuse(submission, problem);
      else if ("draft" in judgement && !this.#repeats(submission, hash)) {
        const { text } = judgement.draft;
        this.#store(submission, { ...draft, text }, { hash, isFirstUse: false });
      }
      this.#hold();
    });
    if (isTaken) return;
    this.#judging--;
    this.#hold();
    const text = "Too many of your messages wait to be judged";
    this.#refuse(submission, { code: "rate_limited", message: text, retry_after_ms: 1000 });
  }

  /** Makes what answers a change that changes nothing: its place is that of the last one. */
  #unchanged({ user, draft }: ChangeSubmission, message: LogRecord): LogRecord {
    const cursor = message.state?.changed || message.cursor;
    const change = this.#compose(user, draft);
    return changeRecord({ ...change, cursor });
  }

  #compose(user: string, draft: ChangeDraft): StoredMessageChange {
    const { createId, timestamp } = this.#options;
    const { cursor: message, ...rest } = draft;
    return { id: createId(), user, at: Date.parse(timestamp()), message, ...rest };
  }

  /** Hands a change to the group commit. */
  #store(
    submission: ChangeSubmission,
    draft: ChangeDraft,
    { hash, isFirstUse }: { readonly hash: number; readonly isFirstUse: boolean },
  ): void {
    const { commits, log, metrics, room } = this.#options;
    const h = draft.ref === undefined ? undefined : hash;
    const change = { ...this.#compose(submission.user, draft), h };
    const { answer, isPast } = submission;
    const options = { hash, isFirstUse, isPast, answer, pending: this };
    const append = composeChange(room, change, options);
    if (append.line.length > log.entryMaxBytes) {
      const message = "The change takes more room than an entry of the log has";
      return this.#refuse(submission, { code: "text_too_long", message });
    }
    if (!commits.add(append)) {
      metrics.messagesNotStored++;
      const message = "Too many messages wait to be stored";
      return this.#refuse(submission, { code: "not_stored", message });
    }
    this.#index.add(append);
    this.#hold();
  }

  /** Removes a change that is in the log now, or never will be. */
  take(id: string): ChangeAppend | undefined {
    const append = this.#index.take(id);
    if (append) this.#hold();
    return append;
  }

  /** Takes back a reaction that came too late, and tells its sender so. Never throws. */
  takeBack(append: CommitAppend): void {
    const { answers, change: { user, message: cursor, emoji = "", ref } } = append as ChangeAppend;
    const draft = { kind: "reaction", cursor, emoji, status: false } as const;
    const result: ChangeResult = { status: "refused", problem: { ...TOO_MANY, ref } };
    const answer = () => this.#answer(answers, result);
    const what = { hash: hashDraft(draft), isFirstUse: false };
    this.#store({ user, role: "member", draft, answer }, draft, what);
  }

  /** Gives the result of a change to all that wait for it. Never throws. */
  settle(append: CommitAppend, record: LogRecord): void {
    const { answers, change } = append as ChangeAppend;
    this.#answer(answers, storedResult(record, change.ref));
  }

  /** The record of a change whose commit is known. */
  recordOf(
    append: CommitAppend,
    at: { readonly commit: string; readonly index: number },
  ): LogRecord {
    return committedChange(append as ChangeAppend, at);
  }

  /** Answers a change that the store refused, for it was made before. */
  async claimed(append: CommitAppend, claim: Claim): Promise<void> {
    const { answers, change, hash } = append as ChangeAppend;
    this.take(append.id);
    this.#judging++;
    this.#hold();
    const sent = { user: change.user, ref: change.ref, hash };
    this.#answer(answers, await this.#options.repeats.read(sent, claim));
    this.#judging--;
    this.#hold();
  }

  reject(appends: readonly CommitAppend[], error?: unknown): void {
    const message = error instanceof StoreTimeoutError
      ? "The change may have been stored: send it again with the same ref"
      : "The change could not be stored";
    this.#options.metrics.messagesNotStored += appends.length;
    for (const append of appends as readonly ChangeAppend[]) {
      this.take(append.id);
      const problem: Problem = { code: "not_stored", message, ref: append.change.ref };
      this.#answer(append.answers, { status: "refused", problem });
    }
  }

  settleAlone(append: CommitAppend, at: { readonly commit: string; readonly index: number }): void {
    if (this.take(append.id)) this.settle(append, this.recordOf(append, at));
  }

  #hold(): void {
    this.#options.hold.set(this.size > 0);
  }

  #refuse({ answer, draft: { ref } }: ChangeSubmission, problem: Problem): void {
    this.#answer([answer], { status: "refused", problem: { ...problem, ref } });
  }

  #answer(answers: readonly ChangeCallback[], result: ChangeResult): void {
    for (const answer of answers) {
      this.#options.guard.run("answer_failed", () => answer(result));
    }
  }
}

/** An edit of the text. */
type EditWithText = ChangeDraft & { readonly kind: "edit"; readonly text: string };

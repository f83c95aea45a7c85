/**
 * One room in memory.
 *
 * @module
 */

import type { MessagesDelivered } from "../cluster/cluster_message.ts";
import { AppendPacer } from "./append_pacer.ts";
import type { ChangeSubmission } from "./change_rules.ts";
import { DeduplicationWindow } from "./deduplication_window.ts";
import { Delivery } from "./delivery.ts";
import { FlushTracker } from "./flush_tracker.ts";
import { createQueue } from "./judgement_queue.ts";
import { Joining, type JoinOptions } from "./joining.ts";
import { LogReader } from "./log_reader.ts";
import type { Member, Subscription } from "./member.ts";
import { MessageTexts } from "./message_batch.ts";
import { PendingMessages } from "./pending_messages.ts";
import type { ChangeResult, PublishResult } from "./publish_result.ts";
import { type CommitAppend, recordsOf, type Submission } from "./room_append.ts";
import { RecentMessages } from "./recent_messages.ts";
import { RoomChanges } from "./room_changes.ts";
import { RoomHolds } from "./room_holds.ts";
import type { RoomOptions } from "./room_options.ts";
import { RoomReads } from "./room_reads.ts";
import { Subscribers } from "./subscribers.ts";
import { RoomSubscription } from "./subscription.ts";
import type { SubscriptionRoom } from "./subscription_room.ts";
import { Tombstones } from "./tombstones.ts";
import { TypingNotifier } from "./typing_notifier.ts";

/**
 * A room while it is in use. Opening it reads the recent messages once; from then on a join happens
 * within one turn of the event loop, and so does a delivery: nothing can fall between the two.
 */
export class Room {
  /** Its name. */
  readonly name: string;
  /** Paces its appends. */
  readonly pacer: AppendPacer;
  /** The users that are typing, as far as the members know. */
  readonly typing: TypingNotifier;
  readonly #options: RoomOptions;
  readonly #holds: RoomHolds;
  readonly #recent: RecentMessages;
  readonly #pending: PendingMessages;
  readonly #subscribers: Subscribers;
  /** What is changed in it. */
  readonly changes: RoomChanges;
  readonly #tombstones: Tombstones;
  readonly #delivery: Delivery;
  readonly #reader: LogReader;
  readonly #joining: Joining;
  readonly #forSubscriptions: SubscriptionRoom<RoomSubscription>;

  /**
   * Creates a room with nobody in it.
   *
   * @param name Its name, already checked.
   * @param options What its hub gives it.
   * @param onIdle Called whenever nothing keeps the room in memory any more.
   */
  constructor(name: string, options: RoomOptions, onIdle: () => void) {
    this.name = name;
    this.#options = options;
    const { guard, isolate, limits, post, presence } = options;
    const holds = this.#holds = new RoomHolds(onIdle);
    const recent = this.#recent = new RecentMessages(options.recentTotal, name);
    const window = new DeduplicationWindow();
    const flushes = new FlushTracker();
    const shared = {
      ...options,
      room: name,
      logger: guard.logger,
      texts: new MessageTexts(name),
      holds,
      recent,
      window,
      flushes,
      reads: new RoomReads({ room: name, recent, guard, cursor: () => this.cursor }),
      ...options.everywhere.partsFor(name, () => this.all()),
    };
    this.pacer = new AppendPacer({
      commit: (append) => options.commits.add(append),
      onReject: (appends) => appends.forEach((append) => append.pending.reject([append])),
      flushes,
      sendingMs: () => this.#delivery.sendingMs,
      held: options.held,
    });
    const pending = this.#pending = new PendingMessages({
      ...shared,
      commits: this.pacer,
      fillWindow: () => this.#reader.fillWindow(),
      hold: holds.create(),
    });
    const changes = this.changes = new RoomChanges({
      ...shared,
      commits: this.pacer,
      catchUp: () => this.#reader.catchUp(),
      hold: holds.create(),
    });
    const banOf = ({ account = "", accountRole }: RoomSubscription) =>
      changes.sanctions.banOf(account, accountRole);
    const subscribers = this.#subscribers = new Subscribers({ ...shared, hold: holds.create() });
    const typing = this.typing = new TypingNotifier({
      ...shared,
      timeoutMs: limits.typing_timeout_ms,
      subscriptions: () => subscribers.all(),
      post: (user, status) => post({ kind: "typing", from: isolate, room: name, user, status }),
      hold: holds.create(),
    });
    const tombstones = this.#tombstones = new Tombstones(shared);
    const delivery = this.#delivery = new Delivery({
      ...shared,
      isolate,
      pending,
      ...changes.parts,
      onControl: (control) => changes.applyControl(control),
      onSent: () => changes.sanctions.putOut(),
      subscribers,
      typing,
      tombstones,
      post,
    });
    this.#reader = new LogReader({
      ...shared,
      ...changes.parts,
      delivery,
      tombstones,
      loadControls: () => changes.sanctions.load(),
      hasPending: () => pending.size + changes.pending.size > 0,
    });
    this.#joining = new Joining({
      ...shared,
      window: { hides: (record) => window.hides(record) || tombstones.hides(record) },
      ...changes.parts,
      room: {
        name,
        get cursor() {
          return delivery.cursor;
        },
        open: (key, isGivenUp) => this.#reader.open(key, isGivenUp),
        banOf,
        openPresence: () => presence.open(name),
        fillWindow: () => this.#reader.fillWindow(),
        catchUp: () => this.#reader.catchUp(),
        users: () => presence.users(name),
        nameOf: (user) => presence.nameOf(name, user),
        typingUsers: () => typing.users(),
      },
      subscribers,
    });
    this.#forSubscriptions = {
      ...shared,
      name,
      publish: (submission) => pending.submit(submission),
      change: (submission) => changes.pending.submit(submission),
      repeat: (subscription, record) => {
        if (record.cursor <= this.cursor) subscription.send(shared.texts.batchOf([record]));
      },
      refresh: (subscription) => subscribers.refresh(subscription),
      banOf,
      problemOf: ({ user, role }) => changes.sanctions.refusalOf(user, role),
      createQueue: (connection) => createQueue(options.moderation, connection),
      startTyping: (subscription) => typing.start(subscription),
      stopTyping: (subscription) => typing.stop(subscription),
      remove: (subscription) => this.#remove(subscription),
    };
  }

  /** The place up to which everything has been delivered. */
  get cursor(): string {
    return this.#delivery.cursor;
  }

  /** Whether nothing keeps the room in memory. */
  get isIdle(): boolean {
    return this.#holds.size === 0;
  }

  /** Whether the recent messages have been read, or are being read. */
  get isInUse(): boolean {
    return this.#reader.isInUse;
  }

  /** Keeps the room in memory, for `using`. */
  hold(): Disposable {
    return this.#holds.take();
  }

  /** Reads the recent messages, once. Rejects where the store does; a later call tries again. */
  async open(): Promise<void> {
    await this.#reader.open();
  }

  /**
   * Lets a member join: history, then `joined`, then live. In an open room all of it happens before
   * this returns, but for a resume from before the recent messages.
   */
  join(member: Member, options: JoinOptions): Subscription & RoomSubscription {
    const subscription = new RoomSubscription(this.#forSubscriptions, member, options.presence);
    subscription.joined = this.#joining.join(subscription, options);
    return subscription;
  }

  /** Publishes a message of a user who need not be here. Rejects where the room cannot be read. */
  publish(submission: Omit<Submission, "answer">): Promise<PublishResult> {
    // Where nothing has to be read, what is on its way keeps the room.
    if (!this.#reader.mustRead) return this.#publish(submission);
    return this.#afterOpening(() => this.#publish(submission));
  }

  #publish(submission: Omit<Submission, "answer">): Promise<PublishResult> {
    const { user, role = "member", name, draft, past, queue } = submission;
    const check = () => past ? undefined : this.changes.sanctions.refusalOf(user, role);
    return new Promise<PublishResult>((answer) => {
      const problem = check();
      if (problem) return answer({ status: "refused", problem });
      this.#pending.submit({ user, role, name, draft, past, queue, check, answer });
    });
  }

  /** Changes a message for a user who need not be here. Rejects where the room cannot be read. */
  change(submission: Omit<ChangeSubmission, "answer">): Promise<ChangeResult> {
    return this.#afterOpening(() => this.changes.make(submission));
  }

  async #afterOpening<T>(action: () => Promise<T>): Promise<T> {
    using _hold = this.#holds.take();
    await this.#reader.open();
    return await action();
  }

  /** Delivers what was committed, in log order; settles where the log has to be read for that. */
  committed(
    commit: string,
    appends: readonly CommitAppend[],
    options: { readonly isBehind: boolean },
  ): Promise<void> | undefined {
    for (const { writes } of appends) if (!writes) this.#options.metrics.messagesStored++;
    // A catch-up at work may have read these already: then it delivers what is left of them.
    if (options.isBehind || this.#reader.mustRead) return this.#reader.catchUp();
    this.#delivery.deliver(recordsOf(appends, commit), { announce: !this.#options.alone });
    return undefined;
  }

  /** Rejects the pending messages of a failed commit with `not_stored`. */
  notCommitted(appends: readonly CommitAppend[], error: unknown): void {
    using _hold = this.#holds.take();
    // What failed may have been written all the same (a remote KV whose answer got lost).
    this.#reader.distrust(error);
    for (const owner of [this.#pending, this.changes.pending, this.changes.controls]) {
      const own = appends.filter(({ pending }) => pending === owner);
      if (own.length > 0) owner.reject(own, error);
    }
  }

  /** Receives what another isolate delivered. */
  receive(message: MessagesDelivered): void {
    this.#reader.receive(message);
  }

  /** Notifies the members that a user joined, left, or has another name (undefined). */
  notifyPresence(user: string, status: boolean | undefined): void {
    this.#subscribers.notify(user, status);
  }

  /** Reads the log from where the room stands, and delivers it. Never rejects. */
  catchUp(): Promise<void> {
    return this.#reader.catchUp();
  }

  /** All subscriptions, of those that wait for their history too. */
  all(): readonly RoomSubscription[] {
    return [...this.#subscribers.all(), ...this.#joining.waiting()];
  }

  /** Removes all members without notifying anybody, and returns their subscriptions. */
  dismiss(): readonly (Subscription & RoomSubscription)[] {
    this.#pending.dismiss();
    this.#recent.clear();
    this.#reader.stop();
    this.changes.dismiss();
    this.#tombstones.stop();
    this.pacer.release();
    const waiting = this.#joining.dismiss();
    this.typing.clear();
    return [...this.#subscribers.dismiss(), ...waiting];
  }

  /** Removes a subscription that ends. */
  #remove(subscription: RoomSubscription): void {
    using _hold = this.#holds.take();
    // Before it is removed: its end of typing is told before its leaving.
    this.typing.stop(subscription);
    this.#subscribers.remove(subscription);
    if (this.#subscribers.size === 0) this.typing.flushAll();
  }
}

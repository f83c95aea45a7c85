/**
 * One room in memory: its tail, its members, and how they get what the log holds.
 *
 * @module
 */

import { Subscribers } from "./subscribers.ts";
import { CatchUp } from "./catch_up.ts";
import { decodeRecord, type LogRecord, ORIGIN, recordAt } from "../store/entry.ts";
import { EnvelopeBatch } from "./envelope_batch.ts";
import type { Duplicate } from "../store/room_log.ts";
import { Joining, type JoinOptions } from "./joining.ts";
import { lastInTime } from "./flush_tracker.ts";
import { PendingMessages, type PublishResult, type RoomAppend } from "./pending_messages.ts";
import type { Submission } from "./pending_messages.ts";
import type { MessagesDelivered } from "../cluster/cluster_message.ts";
import type { RoomContext } from "./room_context.ts";
import { DEDUPLICATION_WINDOW, type Draft } from "../protocol/mod.ts";
import { type Member, Subscription } from "./subscription.ts";
import { Tombstones } from "./tombstones.ts";
import { RecentMessages } from "./recent_messages.ts";

/** Records that one step of a catch-up reads, and UTF-16 code units: they go out in one frame. */
const PAGE = 400;
const PAGE_LENGTH = 256 * 1024;
/** Milliseconds that a commit of this isolate gets to bring other isolates' messages along. */
const OWN_COMMIT_MS = 10;
/** UTF-16 code units of messages in a packet; reading a longer piece from the log costs less. */
const PACKET_LENGTH = 4_096;

/**
 * A room while it is in use. Opening it reads the tail once; from then on a join happens within
 * one turn of the event loop, and so does a delivery: nothing can fall between the two.
 */
export class Room {
  /** Its name. */
  readonly name: string;
  readonly #context: RoomContext;
  readonly #subscribers: Subscribers;
  readonly #joining: Joining;
  readonly #pending: PendingMessages;
  readonly #tail = new RecentMessages();
  /** The place up to which everything has been delivered. */
  #cursor = ORIGIN;
  #isOpen = false;
  #opening: Promise<void> | undefined;
  /** Callers of `use`, who need the room to stay. */
  #uses = 0;
  readonly #catchUp: CatchUp;
  readonly #tombstones: Tombstones;
  #isDismissed = false;
  #hearsLater = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether a commit's outcome is unknown: then the log is read before anything is delivered. */
  #isUncertain = false;

  /**
   * @param name Its name, already checked.
   * @param context What it needs of its hub.
   */
  constructor(name: string, context: RoomContext) {
    this.name = name;
    this.#context = context;
    this.#pending = new PendingMessages(name, this.#tail, context);
    this.#tombstones = new Tombstones(name, context);
    const { isolate: from } = context;
    this.#subscribers = new Subscribers({
      typingTimeoutMs: context.limits.typing_timeout_ms,
      onPresence: (user, status) => context.setPresence(name, user, status),
      onTyping: (user, status) => context.post({ kind: "typing", from, room: name, user, status }),
      onSilence: () => this.#checkIdle(),
    });
    this.#joining = new Joining({
      room: this,
      tail: this.#tail,
      subscribers: this.#subscribers,
      context,
      onSettled: () => this.#checkIdle(),
    });
    this.#catchUp = new CatchUp({
      step: () => this.#readPage(),
      onFailure: (error) => this.#readFailed(error),
      onEnd: () => this.#checkIdle(),
    });
  }

  /** The place up to which everything has been delivered. */
  get cursor(): string {
    return this.#cursor;
  }

  /** Whether nothing holds the room in memory. */
  get isIdle(): boolean {
    return this.#subscribers.size === 0 && !this.#subscribers.isTyping &&
      this.#joining.size === 0 &&
      this.#uses === 0 && this.#pending.size === 0 && !this.#catchUp.isRunning &&
      this.#opening === undefined;
  }

  /** Who is here, who is typing, and everybody's subscription. */
  get subscribers(): Omit<Subscribers, "add" | "dismiss" | "remove" | "send"> {
    return this.#subscribers;
  }

  /** Whether the tail has been read. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Reads the tail, once.
   *
   * @throws Whatever KV rejects with; a later call tries again.
   */
  open(): Promise<void> {
    if (this.#isOpen) return Promise.resolve();
    return this.#opening ??= this.#readTail().finally(() => this.#opening = undefined);
  }

  /**
   * Does something with the room once it is open, and keeps it in memory meanwhile.
   *
   * @param action What to do.
   * @returns What it returns.
   * @throws Whatever KV rejects with.
   */
  async use<T>(action: () => T | Promise<T>): Promise<T> {
    this.#uses++;
    try {
      await this.open();
      return await action();
    } finally {
      this.#uses--;
      this.#checkIdle();
    }
  }

  /**
   * Seats a member: history, then `joined`, then live. In an open room all of it happens before
   * this returns, but for a resume from before the tail.
   *
   * @param member Who joins.
   * @param options From where, or how much history.
   * @returns The subscription at once; its `joined` settles when the member is live.
   */
  join(member: Member, options: JoinOptions): Subscription {
    const subscription = new Subscription(this, member, this.#context);
    subscription.joined = this.#joining.take(subscription, options);
    return subscription;
  }

  /**
   * Says something on behalf of a user. The room must be open.
   *
   * @param submission Who says what, and who hears what became of it.
   */
  publish(submission: Submission): void {
    this.#pending.submit(submission);
  }

  /** Says something on behalf of a member; called by its subscription. */
  publishFrom(subscription: Subscription, draft: Draft): void {
    this.#subscribers.stopTyping(subscription);
    const answer = (outcome: PublishResult) => {
      if (outcome.status === "refused") subscription.refuse(outcome.problem);
      else if (outcome.status === "repeat") {
        subscription.send(new EnvelopeBatch([outcome.record.envelope]));
      }
    };
    const { user } = subscription;
    if (user !== undefined) return this.publish({ user, draft, answer });
    subscription.refuse({
      code: "bad_user",
      message: "Who only reads cannot send",
      ref: draft.ref,
    });
  }

  /** Takes a sign of typing from a member; called by its subscription. */
  typingFrom(subscription: Subscription, status: boolean): void {
    if (status) this.#subscribers.startTyping(subscription);
    else this.#subscribers.stopTyping(subscription);
  }

  /** Lets go of a member that leaves; called by its subscription. */
  left(subscription: Subscription): void {
    if (this.#subscribers.remove(subscription)) this.#checkIdle();
  }

  /**
   * Takes note that appends of this room are stored, and delivers them in the log's order.
   *
   * @param versionstamp The commit's.
   * @param appends In the order of the entry.
   */
  async committed(versionstamp: string, appends: readonly RoomAppend[]): Promise<void> {
    this.#context.metrics.messagesStored += appends.length;
    // A catch-up at work may have read these already: then it delivers what is left of them.
    if (!this.#context.alone || this.#isUncertain || this.#catchUp.isRunning) {
      return await this.catchUp();
    }
    const records = appends.map(({ text, message }, index) =>
      recordAt(this.name, versionstamp, index, text, message)
    );
    this.#deliver(records, false);
  }

  /**
   * Takes note that appends of this room failed: their senders hear of it.
   *
   * @param appends Those that were in the commit.
   */
  notStored(appends: readonly RoomAppend[]): void {
    // What failed may have been written all the same (a remote KV whose answer got lost).
    this.#isUncertain = true;
    this.#pending.refuse(appends);
    this.#checkIdle();
  }

  /**
   * Takes what another isolate delivered: where it follows on what was delivered here, it is
   * delivered as it came; where something is missing before it, the log is read.
   *
   * @param packet What the other isolate says.
   */
  receive({ prev, cursor, lines }: MessagesDelivered): void {
    if (!this.#isOpen) {
      if (this.#opening) void this.catchUp();
      return;
    }
    if (cursor <= this.#cursor) return;
    if (this.#context.flushes.isBusy) return this.#hearLater();
    if (!this.#catchUp.isRunning) {
      const records = prev === this.#cursor ? decodeLines(lines) : [];
      if (records.at(-1)?.cursor === cursor) return this.#deliver(records, false);
      if (prev > this.#cursor) this.#context.metrics.clusterMessagesLost++;
    }
    void this.catchUp();
  }

  /**
   * Receives that a user is, or is no longer, connected to another isolate.
   *
   * @param isolate Which isolate.
   * @param user Who.
   * @param status Whether they are there.
   */
  setRemotePresence(isolate: string, user: string, status: boolean): void {
    this.#subscribers.remote(isolate, user, status);
  }

  /**
   * Receives that a user is, or is no longer, typing on another isolate.
   *
   * @param isolate Which isolate.
   * @param user Who.
   * @param status Whether they are typing there.
   */
  setRemoteTyping(isolate: string, user: string, status: boolean): void {
    this.#subscribers.typingRemote(isolate, user, status);
  }

  /**
   * Reads the log when what is being sent has gone out: what others and this isolate store in the
   * meantime goes out together.
   */
  #hearLater(): void {
    if (this.#hearsLater) return;
    this.#hearsLater = true;
    const readOn = () => {
      this.#hearsLater = false;
      if (!this.#isDismissed) void this.catchUp();
    };
    void this.#context.flushes.drained().then(() => {
      if (this.#isDismissed || this.#pending.size === 0) return readOn();
      // A commit of this isolate that is on its way will read the log too.
      this.#timer = setTimeout(readOn, OWN_COMMIT_MS);
    });
  }

  /**
   * Reads the log from where the room stands and delivers what it finds. Calls that come while
   * one is at work are served by one more read.
   *
   * @returns Settles when the room stands where the log ended at the call. Never rejects: where
   * the log cannot be read, the room tries again by itself.
   */
  catchUp(): Promise<void> {
    return this.#catchUp.run();
  }

  /**
   * Lets everybody go without telling anyone, and stops all timers.
   *
   * @returns Who was here, or waits for its history.
   */
  dismiss(): readonly Subscription[] {
    this.#isDismissed = true;
    this.#catchUp.stop();
    this.#tombstones.stop();
    clearTimeout(this.#timer);
    const waiting = this.#joining.dismiss();
    return [...this.#subscribers.dismiss(), ...waiting];
  }

  async #readTail(): Promise<void> {
    const { log } = this.#context;
    // The head is read first: what is appended in between is then in the tail.
    const head = log.expires ? await log.head(this.name) : ORIGIN;
    const repeats: Duplicate[] = [];
    // Twice the window, so that repeats of what has left the tail are seen as such.
    for (const record of await log.last(this.name, { limit: 2 * DEDUPLICATION_WINDOW })) {
      const first = this.#tail.push(record);
      if (first && !record.repeats) repeats.push({ record, first });
      this.#cursor = record.cursor;
    }
    // Whoever wrote them did not live to strike them out.
    this.#tombstones.strike(repeats);
    if (this.#tail.size === 0) this.#cursor = head;
    this.#isOpen = true;
  }

  /** Delivers the next records of the log to everybody here, and tells the other isolates. */
  #deliver(records: readonly LogRecord[], isFromLog: boolean): void {
    const prev = this.#cursor;
    const envelopes: string[] = [];
    const repeats: Duplicate[] = [];
    const settled: [RoomAppend, PublishResult][] = [];
    /** Who said something, and whether all of it was said on this isolate. */
    const talkers = new Map<string, boolean>();
    for (const record of records) {
      if (record.cursor <= this.#cursor) continue;
      const first = this.#tail.push(record);
      this.#cursor = record.cursor;
      const append = this.#pending.get(record.id);
      if (append) {
        settled.push([
          append,
          first ? { status: "repeat", record: first } : { status: "stored", record },
        ]);
      }
      if (!first) {
        envelopes.push(record.envelope);
        talkers.set(record.user, append !== undefined && talkers.get(record.user) !== false);
      } else if (!record.repeats) {
        if (append) repeats.push({ record, first });
        else this.#tombstones.strikeLater({ record, first });
      }
    }
    // Whoever wrote tells the others; that the messages are stored is certain by now.
    if (isFromLog && settled.length > 0) this.#tellOthers(prev, envelopes, records.length);
    for (const [user, isOurs] of talkers) this.#subscribers.said(user, isOurs);
    if (envelopes.length > 0) {
      const { flushes, metrics } = this.#context;
      const last = lastInTime(this.#subscribers.subscriptions());
      const frame = new EnvelopeBatch(envelopes, { forMany: true });
      metrics.messagesDelivered += envelopes.length * this.#subscribers.send(frame);
      flushes.sent(last);
    }
    for (const [append, outcome] of settled) this.#pending.settle(append, outcome);
    this.#tombstones.strike(repeats);
    this.#checkIdle();
  }

  #tellOthers(prev: string, envelopes: readonly string[], records: number): void {
    const { isolate: from, post } = this.#context;
    const size = envelopes.reduce((sum, { length }) => sum + length, 0);
    const lines = records === envelopes.length && size <= PACKET_LENGTH ? envelopes : [];
    post({ kind: "messages", from, room: this.name, prev, cursor: this.#cursor, lines });
  }

  async #readPage(): Promise<boolean> {
    await this.open();
    this.#isUncertain = false;
    this.#context.metrics.catchUps++;
    const { log } = this.#context;
    const options = { limit: PAGE, maxLength: PAGE_LENGTH };
    const records = await log.after(this.name, this.#cursor, options);
    if (records.length > 0) this.#deliver(records, true);
    return records.length === PAGE || lengthOf(records) >= PAGE_LENGTH;
  }

  #readFailed(error: unknown): void {
    this.#isUncertain = true;
    this.#context.metrics.readFailures++;
    this.#context.logger("error", "catch_up_failed", { room: this.name, error });
  }

  #checkIdle(): void {
    if (this.isIdle) this.#context.onIdle(this.name);
  }
}

function lengthOf(records: readonly LogRecord[]): number {
  return records.reduce((sum, { envelope }) => sum + envelope.length, 0);
}

function decodeLines(lines: readonly string[]): LogRecord[] {
  try {
    return lines.map(decodeRecord);
  } catch {
    return []; // Then the log is read, as if they had been left out.
  }
}

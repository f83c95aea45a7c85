/**
 * One room in memory: its tail, its members, and how they get what the log holds.
 *
 * @module
 */

import { Audience } from "./audience.ts";
import { isCursor, type LogRecord, ORIGIN, recordAt } from "./entry.ts";
import { Frame } from "./frame.ts";
import type { GroupCommit } from "./group_commit.ts";
import { KV_LIMITS, type RoomLog } from "./log.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { type Answer, compose, Outbox, type Outcome, type RoomAppend } from "./outbox.ts";
import type { Submission } from "./outbox.ts";
import { CLOSE_CODES, type Draft, encodeEnvelope, HISTORY_DEFAULT } from "./protocol.ts";
import { type Limits, type Problem, REPEAT_WINDOW } from "./protocol.ts";
import { type Member, Seat } from "./seat.ts";
import { Tail } from "./tail.ts";

/** Records that one step of a catch-up or of a long replay reads. */
const PAGE = 100;
/** Milliseconds that a room waits before it reads its log again, where that failed. */
const RETRY_MS = 500;

/** What a room needs of its hub. */
export interface RoomContext {
  readonly log: RoomLog;
  readonly commits: GroupCommit<RoomAppend>;
  /** Whether nobody else appends to the log, so that a commit need not be read back. */
  readonly alone: boolean;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Makes the ULID of a message. */
  readonly createId: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether the hub takes no more messages. */
  readonly isDraining: () => boolean;
  /** Hears that the room has neither members nor work. */
  readonly onIdle: (room: Room) => void;
}

/** What a member asks for when it joins. */
export interface JoinOptions {
  /** Resume after this cursor. */
  readonly after?: string;
  /** Messages of history for a newcomer. @default {10} */
  readonly history?: number;
}

/**
 * A room while it is in use. Opening it reads the tail once; from then on a join happens within
 * one turn of the event loop, and so does a delivery: nothing can fall between the two.
 */
export class Room {
  /** Its name. */
  readonly name: string;
  readonly #context: RoomContext;
  readonly #audience: Audience;
  readonly #outbox = new Outbox();
  readonly #tail = new Tail();
  /** The place up to which everything has been delivered. */
  #cursor = ORIGIN;
  #isOpen = false;
  #opening: Promise<void> | undefined;
  /** What is going on that needs the room to stay: joins, and callers of `use`. */
  #uses = 0;
  #catchingUp: Promise<void> | undefined;
  #readAgain = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Whether a commit's outcome is unknown: then the log is read before anything is delivered. */
  #isUncertain = false;

  /**
   * @param name Its name, already checked.
   * @param context What it needs of its hub.
   */
  constructor(name: string, context: RoomContext) {
    this.name = name;
    this.#context = context;
    this.#audience = new Audience({ typingTimeoutMs: context.limits.typing_timeout_ms });
  }

  /** The place up to which everything has been delivered. */
  get cursor(): string {
    return this.#cursor;
  }

  /** Whether nothing holds the room in memory. */
  get isIdle(): boolean {
    return this.#audience.size === 0 && this.#uses === 0 && this.#outbox.size === 0 &&
      this.#catchingUp === undefined && this.#opening === undefined;
  }

  /** Who is here, who is typing, and everybody's seat. */
  get audience(): Pick<Audience, "seats" | "size" | "typingUsers" | "users"> {
    return this.#audience;
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
   * @returns The seat at once; its `joined` settles when the member is live.
   */
  join(member: Member, options: JoinOptions): Seat {
    const seat = new Seat(this, member);
    this.#uses++;
    seat.joined = this.#admit(seat, options).catch((error) => {
      this.#context.metrics.readFailures++;
      this.#context.logger("error", "join_failed", { room: this.name, error });
      this.refuse(seat, { code: "unavailable", message: "The room could not be read" });
      seat.expel(CLOSE_CODES.internalError.code, "The room could not be read");
    }).finally(() => {
      this.#uses--;
      this.#checkIdle();
    });
    return seat;
  }

  /**
   * Says something on behalf of a user. The room must be open.
   *
   * @param submission Who says what, and who hears what became of it.
   */
  publish(submission: Submission): void {
    const { user, draft: { ref }, answer } = submission;
    const { metrics } = this.#context;
    metrics.messagesIn++;
    if (this.#context.isDraining()) {
      return refuseTo(answer, { code: "draining", message: "The server is stopping", ref });
    }
    const first = ref === undefined ? undefined : this.#tail.find(user, ref);
    if (first) {
      metrics.repeats++;
      return answer({ status: "repeat", record: first });
    }
    if (this.#outbox.join(submission)) return void metrics.repeats++;
    const sentAt = new Date(this.#context.now()).toISOString();
    const append = compose(this.name, submission, { id: this.#context.createId(), sentAt });
    if (append.line.length > KV_LIMITS.valueBytes) {
      const message = "The message takes more room than an entry of the log has";
      return refuseTo(answer, { code: "text_too_long", message, ref });
    }
    if (!this.#context.commits.add(append)) {
      metrics.messagesNotStored++;
      const message = "Too many messages wait to be stored";
      return refuseTo(answer, { code: "not_stored", message, ref });
    }
    this.#outbox.add(append);
  }

  /** Says something on behalf of a member; called by its seat. */
  publishFrom(seat: Seat, draft: Draft): void {
    this.#audience.stopTyping(seat);
    const answer = (outcome: Outcome) => {
      if (outcome.status === "refused") this.refuse(seat, outcome.problem);
      else if (outcome.status === "repeat") seat.send(new Frame([outcome.record.envelope]));
    };
    const { user } = seat;
    if (user !== undefined) return this.publish({ user, draft, answer });
    refuseTo(answer, { code: "bad_user", message: "Who only reads cannot send", ref: draft.ref });
  }

  /** Takes a sign of typing from a member; called by its seat. */
  typingFrom(seat: Seat, status: boolean): void {
    if (status) this.#audience.startTyping(seat);
    else this.#audience.stopTyping(seat);
  }

  /** Lets go of a member that leaves; called by its seat. */
  left(seat: Seat): void {
    if (this.#audience.remove(seat)) this.#checkIdle();
  }

  /** Lets go of a member that threw when it was sent something; called by its seat. */
  failed(seat: Seat, error: unknown): void {
    this.#context.metrics.memberFailures++;
    this.#context.logger("warn", "member_failed", { room: this.name, user: seat.user, error });
    seat.expel(CLOSE_CODES.internalError.code, "Sending failed");
  }

  /** Tells one member what is wrong. */
  refuse(seat: Seat, payload: Problem): void {
    seat.send(new Frame([encodeEnvelope({ type: "error", payload })]));
  }

  /** Takes note that the connection of a member could not be closed; called by its seat. */
  closeFailed(seat: Seat, error: unknown): void {
    const { user } = seat;
    this.#context.metrics.memberFailures++;
    this.#context.logger("warn", "member_close_failed", { room: this.name, user, error });
  }

  /**
   * Takes note that appends of this room are stored, and delivers them in the log's order.
   *
   * @param versionstamp The commit's.
   * @param appends In the order of the entry.
   */
  async committed(versionstamp: string, appends: readonly RoomAppend[]): Promise<void> {
    this.#context.metrics.messagesStored += appends.length;
    if (!this.#context.alone || this.#isUncertain) return await this.catchUp();
    this.#deliver(
      appends.map(({ text, message }, index) =>
        recordAt(this.name, versionstamp, index, text, message)
      ),
    );
  }

  /**
   * Takes note that appends of this room failed: their senders hear of it.
   *
   * @param appends Those that were in the commit.
   */
  notStored(appends: readonly RoomAppend[]): void {
    this.#context.metrics.messagesNotStored += appends.length;
    // What failed may have been written all the same (a remote KV whose answer got lost).
    this.#isUncertain = true;
    for (const append of appends) {
      const { ref } = append.message;
      const message = "The message could not be stored";
      const answer = (outcome: Outcome) => this.#outbox.settle(append, outcome);
      refuseTo(answer, { code: "not_stored", message, ref });
    }
    this.#checkIdle();
  }

  /**
   * Reads the log from where the room stands and delivers what it finds. Calls that come while
   * one is at work are served by one more read.
   *
   * @returns Settles when the room stands where the log ended at the call. Never rejects: where
   * the log cannot be read, the room tries again by itself.
   */
  catchUp(): Promise<void> {
    this.#readAgain = true;
    return this.#catchingUp ??= this.#readOn();
  }

  /**
   * Lets everybody go without telling anyone, and stops all timers.
   *
   * @returns Who was here.
   */
  dismiss(): readonly Seat[] {
    clearTimeout(this.#retry);
    return this.#audience.dismiss();
  }

  async #readTail(): Promise<void> {
    const { log } = this.#context;
    // The head is read first: what is appended in between is then in the tail.
    const head = log.expires ? await log.head(this.name) : ORIGIN;
    // Twice the window, so that repeats of what has left the tail are seen as such.
    for (const record of await log.last(this.name, 2 * REPEAT_WINDOW)) {
      this.#tail.push(record);
      this.#cursor = record.cursor;
    }
    if (this.#tail.size === 0) this.#cursor = head;
    this.#isOpen = true;
  }

  async #admit(seat: Seat, options: JoinOptions): Promise<void> {
    if (!this.#isOpen) await this.open();
    let { after } = options;
    if (after !== undefined && !this.#reaches(after)) after = await this.#replay(seat, after);
    if (seat.state === "left") return;
    // From here on nothing waits.
    const records = after === undefined
      ? this.#tail.last(options.history ?? HISTORY_DEFAULT)
      : this.#tail.after(after);
    const kept = records.filter((record) => this.#context.log.keeps(record));
    const recovered = options.after === undefined || after !== undefined;
    this.#audience.add(seat, () => {
      const envelopes = kept.map((record) => record.envelope);
      envelopes.push(this.#welcome(seat, recovered));
      return new Frame(envelopes);
    });
    seat.goLive();
  }

  #reaches(cursor: string): boolean {
    return cursor === this.#cursor || this.#tail.has(cursor);
  }

  /**
   * Sends a member what the log holds between its cursor and the tail, page by page, as fast as
   * the member takes it.
   *
   * @returns A cursor in the tail, or undefined where the log cannot honour the one given.
   */
  async #replay(seat: Seat, after: string): Promise<string | undefined> {
    const { log } = this.#context;
    if (!isCursor(after)) return undefined;
    // An isolate that was ahead of this one may have given it.
    if (after > this.#cursor) await this.catchUp();
    if (after > this.#cursor) return undefined;
    const isKnown = after === ORIGIN ? !log.expires : await log.has(this.name, after);
    if (!isKnown) return undefined;
    while (seat.state !== "left" && !this.#reaches(after)) {
      const page = await log.after(this.name, after, { limit: PAGE, until: this.#cursor });
      if (page.length === 0) return undefined;
      after = page[page.length - 1].cursor;
      seat.send(new Frame(page.map((record) => record.envelope)));
      await seat.member.drained?.();
    }
    return after;
  }

  #welcome(seat: Seat, recovered: boolean): string {
    const { user = "" } = seat;
    const { limits } = this.#context;
    const typing = this.#audience.typingUsers().filter((other) => other !== user);
    const [room, cursor, users] = [this.name, this.#cursor, this.#audience.users()];
    const payload = { room, user, cursor, recovered, users, typing, limits };
    return encodeEnvelope({ type: "joined", payload });
  }

  /** Delivers the next records of the log to everybody. */
  #deliver(records: readonly LogRecord[]): void {
    const { metrics } = this.#context;
    const envelopes: string[] = [];
    const settled: [RoomAppend, Outcome][] = [];
    for (const record of records) {
      const first = this.#tail.push(record);
      this.#cursor = record.cursor;
      if (!first) envelopes.push(record.envelope);
      const append = this.#outbox.get(record.id);
      if (append && first) settled.push([append, { status: "repeat", record: first }]);
      else if (append) settled.push([append, { status: "stored", record }]);
    }
    if (envelopes.length > 0) {
      metrics.messagesDelivered += envelopes.length * this.#audience.send(new Frame(envelopes));
    }
    for (const [append, outcome] of settled) this.#outbox.settle(append, outcome);
    this.#checkIdle();
  }

  async #readOn(): Promise<void> {
    const { log, logger, metrics } = this.#context;
    try {
      await this.open();
      while (this.#readAgain) {
        this.#readAgain = false;
        this.#isUncertain = false;
        metrics.catchUps++;
        const records = await log.after(this.name, this.#cursor, { limit: PAGE });
        if (records.length === PAGE) this.#readAgain = true;
        this.#deliver(records);
      }
    } catch (error) {
      this.#isUncertain = true;
      metrics.readFailures++;
      logger("error", "catch_up_failed", { room: this.name, error });
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => void this.catchUp(), RETRY_MS);
    } finally {
      // In the same turn as the last look at #readAgain: a later call starts anew.
      this.#catchingUp = undefined;
      this.#checkIdle();
    }
  }

  #checkIdle(): void {
    if (this.isIdle) this.#context.onIdle(this);
  }
}

function refuseTo(answer: Answer, problem: Problem): void {
  answer({ status: "refused", problem });
}

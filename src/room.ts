/**
 * One room in memory: its tail, its members, and how they get what the log holds.
 *
 * @module
 */

import { Audience } from "./audience.ts";
import { decodeRecord, isCursor, type LogRecord, ORIGIN, recordAt } from "./entry.ts";
import type { MessagesPacket, Packet } from "./fanout.ts";
import { Frame } from "./frame.ts";
import type { GroupCommit } from "./group_commit.ts";
import { KV_LIMITS, type Repeat, type RoomLog } from "./log.ts";
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
/** UTF-16 code units of messages in a packet; reading a longer piece from the log costs less. */
const PACKET_LENGTH = 4_096;
/** Milliseconds that a room waits before it reads its log again, where that failed. */
const RETRY_MS = 500;

/** What a room needs of its hub. */
export interface RoomContext {
  readonly log: RoomLog;
  readonly commits: GroupCommit<RoomAppend>;
  /** The name of this isolate. */
  readonly isolate: string;
  /** Whether nobody else appends to the log, so that a commit need not be read back. */
  readonly alone: boolean;
  /** Tells the other isolates. */
  readonly post: (packet: Packet) => void;
  /** Takes note for the other isolates that a user is here, or is no longer. */
  readonly setPresence: (room: string, user: string, status: boolean) => void;
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
    const { isolate: from } = context;
    this.#audience = new Audience({
      typingTimeoutMs: context.limits.typing_timeout_ms,
      onPresence: (user, status) => context.setPresence(name, user, status),
      onTyping: (user, status) => context.post({ kind: "typing", from, room: name, user, status }),
      onSilence: () => this.#checkIdle(),
    });
  }

  /** The place up to which everything has been delivered. */
  get cursor(): string {
    return this.#cursor;
  }

  /** Whether nothing holds the room in memory. */
  get isIdle(): boolean {
    return this.#audience.size === 0 && !this.#audience.isTyping && this.#uses === 0 &&
      this.#outbox.size === 0 &&
      this.#catchingUp === undefined && this.#opening === undefined;
  }

  /** Who is here, who is typing, and everybody's seat. */
  get audience(): Omit<Audience, "add" | "dismiss" | "remove" | "send"> {
    return this.#audience;
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
    this.publish({ user: seat.user, draft, answer });
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
   * Takes what another isolate delivered: where it follows on what was delivered here, it is
   * delivered as it came; where something is missing before it, the log is read.
   *
   * @param packet What the other isolate says.
   */
  heard({ prev, cursor, lines }: MessagesPacket): void {
    if (!this.#isOpen && !this.#opening) return;
    if (this.#isOpen && cursor <= this.#cursor) return;
    const records = prev === this.#cursor && !this.#catchingUp ? decodeLines(lines) : [];
    if (this.#isOpen && records.at(-1)?.cursor === cursor) return this.#deliver(records, false);
    if (this.#isOpen && prev > this.#cursor && !this.#catchingUp) {
      this.#context.metrics.packetsLost++;
    }
    void this.catchUp();
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
    const repeats: Repeat[] = [];
    // Twice the window, so that repeats of what has left the tail are seen as such.
    for (const record of await log.last(this.name, { limit: 2 * REPEAT_WINDOW })) {
      const first = this.#tail.push(record);
      if (first && !record.repeats) repeats.push({ record, first });
      this.#cursor = record.cursor;
    }
    // Whoever wrote them did not live to strike them out.
    if (repeats.length > 0) void this.#strike(repeats);
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
      const until = this.#tail.oldest?.cursor ?? this.#cursor;
      const page = await log.after(this.name, after, { limit: PAGE, until });
      // Nothing is left of what was between: it has expired.
      if (page.length === 0) return this.#cursor;
      after = page[page.length - 1].cursor;
      const shown = page.filter((record) => !record.repeats);
      if (shown.length > 0) seat.send(new Frame(shown.map((record) => record.envelope)));
      await seat.member.drained?.();
    }
    return after;
  }

  #welcome(seat: Seat, recovered: boolean): string {
    const { user } = seat;
    const { limits } = this.#context;
    const typing = this.#audience.typingUsers().filter((other) => other !== user);
    const [room, cursor, users] = [this.name, this.#cursor, this.#audience.users()];
    const payload = { room, user, cursor, recovered, users, typing, limits };
    return encodeEnvelope({ type: "joined", payload });
  }

  /** Delivers the next records of the log to everybody here, and tells the other isolates. */
  #deliver(records: readonly LogRecord[], isFromLog: boolean): void {
    const prev = this.#cursor;
    const envelopes: string[] = [];
    const repeats: Repeat[] = [];
    const settled: [RoomAppend, Outcome][] = [];
    for (const record of records) {
      const first = this.#tail.push(record);
      this.#cursor = record.cursor;
      const append = this.#outbox.get(record.id);
      if (append) {
        settled.push([
          append,
          first ? { status: "repeat", record: first } : { status: "stored", record },
        ]);
      }
      if (!first) envelopes.push(record.envelope);
      else if (append && !record.repeats) repeats.push({ record, first });
    }
    // Whoever wrote tells the others; that the messages are stored is certain by now.
    if (isFromLog && settled.length > 0) this.#tellOthers(prev, envelopes, records.length);
    if (envelopes.length > 0) {
      const seats = this.#audience.send(new Frame(envelopes));
      this.#context.metrics.messagesDelivered += envelopes.length * seats;
    }
    for (const [append, outcome] of settled) this.#outbox.settle(append, outcome);
    if (repeats.length > 0) void this.#strike(repeats);
    this.#checkIdle();
  }

  #tellOthers(prev: string, envelopes: readonly string[], records: number): void {
    const { isolate: from, post } = this.#context;
    const size = envelopes.reduce((sum, { length }) => sum + length, 0);
    const lines = records === envelopes.length && size <= PACKET_LENGTH ? envelopes : [];
    post({ kind: "messages", from, room: this.name, prev, cursor: this.#cursor, lines });
  }

  async #strike(repeats: readonly Repeat[]): Promise<void> {
    const { log, logger, metrics } = this.#context;
    try {
      await log.strike(this.name, repeats);
    } catch (error) {
      // They stay in the log, and whoever reads it leaves them out all the same.
      metrics.strikeFailures++;
      logger("error", "strike_failed", { room: this.name, error });
    }
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
        if (records.length > 0) this.#deliver(records, true);
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

function decodeLines(lines: readonly string[]): LogRecord[] {
  try {
    return lines.map(decodeRecord);
  } catch {
    return []; // Then the log is read, as if they had been left out.
  }
}

function refuseTo(answer: Answer, problem: Problem): void {
  answer({ status: "refused", problem });
}

/**
 * One room in memory: its tail, its members, and how they get what the log holds.
 *
 * @module
 */

import { Audience } from "./audience.ts";
import { CatchUp } from "./catch_up.ts";
import { decodeRecord, type LogRecord, ORIGIN, recordAt } from "./entry.ts";
import { Frame } from "./frame.ts";
import type { Repeat } from "./log.ts";
import { type JoinOptions, Newcomers } from "./newcomers.ts";
import { lastInTime } from "./outflow.ts";
import { Outbox, type Outcome, type RoomAppend } from "./outbox.ts";
import type { Submission } from "./outbox.ts";
import type { MessagesPacket } from "./packet.ts";
import type { RoomContext } from "./room_context.ts";
import { type Draft, REPEAT_WINDOW } from "./protocol.ts";
import { type Member, Seat } from "./seat.ts";
import { Striker } from "./striker.ts";
import { Tail } from "./tail.ts";

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
  readonly #audience: Audience;
  readonly #newcomers: Newcomers;
  readonly #outbox: Outbox;
  readonly #tail = new Tail();
  /** The place up to which everything has been delivered. */
  #cursor = ORIGIN;
  #isOpen = false;
  #opening: Promise<void> | undefined;
  /** Callers of `use`, who need the room to stay. */
  #uses = 0;
  readonly #catchUp: CatchUp;
  readonly #striker: Striker;
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
    this.#outbox = new Outbox(name, this.#tail, context);
    this.#striker = new Striker(name, context);
    const { isolate: from } = context;
    this.#audience = new Audience({
      typingTimeoutMs: context.limits.typing_timeout_ms,
      onPresence: (user, status) => context.setPresence(name, user, status),
      onTyping: (user, status) => context.post({ kind: "typing", from, room: name, user, status }),
      onSilence: () => this.#checkIdle(),
    });
    this.#newcomers = new Newcomers({
      room: this,
      tail: this.#tail,
      audience: this.#audience,
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
    return this.#audience.size === 0 && !this.#audience.isTyping && this.#newcomers.size === 0 &&
      this.#uses === 0 && this.#outbox.size === 0 && !this.#catchUp.isRunning &&
      this.#opening === undefined;
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
    const seat = new Seat(this, member, this.#context);
    seat.joined = this.#newcomers.take(seat, options);
    return seat;
  }

  /**
   * Says something on behalf of a user. The room must be open.
   *
   * @param submission Who says what, and who hears what became of it.
   */
  publish(submission: Submission): void {
    this.#outbox.submit(submission);
  }

  /** Says something on behalf of a member; called by its seat. */
  publishFrom(seat: Seat, draft: Draft): void {
    this.#audience.stopTyping(seat);
    const answer = (outcome: Outcome) => {
      if (outcome.status === "refused") seat.refuse(outcome.problem);
      else if (outcome.status === "repeat") seat.send(new Frame([outcome.record.envelope]));
    };
    const { user } = seat;
    if (user !== undefined) return this.publish({ user, draft, answer });
    seat.refuse({ code: "bad_user", message: "Who only reads cannot send", ref: draft.ref });
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
    this.#outbox.refuse(appends);
    this.#checkIdle();
  }

  /**
   * Takes what another isolate delivered: where it follows on what was delivered here, it is
   * delivered as it came; where something is missing before it, the log is read.
   *
   * @param packet What the other isolate says.
   */
  heard({ prev, cursor, lines }: MessagesPacket): void {
    if (!this.#isOpen) {
      if (this.#opening) void this.catchUp();
      return;
    }
    if (cursor <= this.#cursor) return;
    if (this.#context.outflow.isBusy) return this.#hearLater();
    if (!this.#catchUp.isRunning) {
      const records = prev === this.#cursor ? decodeLines(lines) : [];
      if (records.at(-1)?.cursor === cursor) return this.#deliver(records, false);
      if (prev > this.#cursor) this.#context.metrics.packetsLost++;
    }
    void this.catchUp();
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
    void this.#context.outflow.drained().then(() => {
      if (this.#isDismissed || this.#outbox.size === 0) return readOn();
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
  dismiss(): readonly Seat[] {
    this.#isDismissed = true;
    this.#catchUp.stop();
    this.#striker.stop();
    clearTimeout(this.#timer);
    const waiting = this.#newcomers.dismiss();
    return [...this.#audience.dismiss(), ...waiting];
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
    this.#striker.strike(repeats);
    if (this.#tail.size === 0) this.#cursor = head;
    this.#isOpen = true;
  }

  /** Delivers the next records of the log to everybody here, and tells the other isolates. */
  #deliver(records: readonly LogRecord[], isFromLog: boolean): void {
    const prev = this.#cursor;
    const envelopes: string[] = [];
    const repeats: Repeat[] = [];
    const settled: [RoomAppend, Outcome][] = [];
    /** Who said something, and whether all of it was said on this isolate. */
    const talkers = new Map<string, boolean>();
    for (const record of records) {
      if (record.cursor <= this.#cursor) continue;
      const first = this.#tail.push(record);
      this.#cursor = record.cursor;
      const append = this.#outbox.get(record.id);
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
        else this.#striker.strikeLater({ record, first });
      }
    }
    // Whoever wrote tells the others; that the messages are stored is certain by now.
    if (isFromLog && settled.length > 0) this.#tellOthers(prev, envelopes, records.length);
    for (const [user, isOurs] of talkers) this.#audience.said(user, isOurs);
    if (envelopes.length > 0) {
      const { outflow, metrics } = this.#context;
      const last = lastInTime(this.#audience.seats());
      const frame = new Frame(envelopes, { forMany: true });
      metrics.messagesDelivered += envelopes.length * this.#audience.send(frame);
      outflow.sent(last);
    }
    for (const [append, outcome] of settled) this.#outbox.settle(append, outcome);
    this.#striker.strike(repeats);
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
    if (this.isIdle) this.#context.onIdle(this);
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
